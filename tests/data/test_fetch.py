"""Fetching end to end against a server on this machine: resumed after a kill, checked, converted, recorded."""

import errno
import io
import json
import os
import signal
import stat
import subprocess
import sys
import tarfile
import threading
import zipfile

import pytest
import yaml
from repository import ROOT

from adaptstilts.cli.main import main
from adaptstilts.data.download import RetryPolicy
from adaptstilts.data.fetch import FetchOptions, fetch
from adaptstilts.data.lock import LOCK_NAME, read_lock, verify_split
from adaptstilts.data.obtain import OfflineError
from adaptstilts.data.sources import COLUMNS, Manifest
from adaptstilts.errors import AdaptstiltsError, ConfigError, DataError
from adaptstilts.readers.data_root import DataRoot
from adaptstilts.tasks.registry import get_task
from adaptstilts.tasks.spec import Kind, Split

COMMIT = "1234567890" * 4
NEWER = "abcdef1234" * 4
HASTY = RetryPolicy(tries=2, first_delay=0.0, longest_delay=0.0, timeout=10.0)


class Notes:
    """Keeps what a watcher is told."""

    def __init__(self):
        self.lines = []
        self.splits = []

    def line(self, text):
        self.lines.append(text)

    def arrived(self, name, done, total):
        pass

    def converted(self, name, done, total):
        self.splits.append((name, done, total))


def squad(name, rows):
    paragraphs = [
        {
            "context": f"The {name} number {row} is kept in box {row * 7}.",
            "qas": [
                {
                    "id": f"{name}-{row}",
                    "question": f"Where is the {name} number {row} kept?",
                    "answers": [
                        {
                            "text": f"box {row * 7}",
                            "answer_start": f"The {name} number {row} is kept in box ".index("box"),
                        }
                    ],
                }
            ],
        }
        for row in range(rows)
    ]
    return json.dumps({"version": "1.1", "data": [{"title": name, "paragraphs": paragraphs}]}).encode()


def qqp(rows):
    head = "id\tqid1\tqid2\tquestion1\tquestion2\tis_duplicate\n"
    body = "".join(f"{row}\t1\t2\tWho is {row}?\tWho is number {row}?\t{row % 2}\n" for row in range(rows))
    return (head + body).encode()


def zipped(**files):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, body in files.items():
            archive.writestr(name, body)
    return buffer.getvalue()


def bucc(part, pairs):
    """An archive of the shared task: twice as many sentences as pairs."""
    buffer = io.BytesIO()
    sides = {
        "de": "".join(f"de-{n}\tSatz {part} {n}\n" for n in range(2 * pairs)),
        "en": "".join(f"en-{n}\tsentence {part} {n}\n" for n in range(2 * pairs)),
        "gold": "".join(f"de-{n}\ten-{n + pairs}\n" for n in range(pairs)),
    }
    with tarfile.open(fileobj=buffer, mode="w:bz2") as archive:
        for side, text in sides.items():
            member = tarfile.TarInfo(f"bucc2018/de-en/de-en.{part}.{side}")
            member.size = len(text.encode())
            archive.addfile(member, io.BytesIO(text.encode()))
    return buffer.getvalue()


def tags(words):
    return "".join(f"{word}\tO\n" for word in words) + "\nAnna\tB-PER\n"


MANIFEST = """
sources:
  questions: {{url: "{address}/qqp.zip"}}
  squad: {{url: "{address}/{{part}}-v1.1.json"}}
  bucc: {{url: "{address}/bucc-{{language}}-{{part}}.tar.bz2"}}
  pairs: {{url: ["{address}/tatoeba.{{language3}}-eng.{{language3}}", "{address}/tatoeba.{{language3}}-eng.eng"]}}
  names: {{hub: some/names, files: ["{{language}}/{{part}}.tsv"]}}
tasks:
  qqp:
    parts:
      - {{source: questions, languages: {{train: en, dev: en}}, place: {{"QQP/{{part}}.tsv": "qqp/{{part}}.tsv"}}}}
    rows: {{train: 40, dev: 6}}
  squad1:
    parts:
      - {{source: squad, languages: {{train: en, dev: en}}, place: {{"{{part}}-v1.1.json": squad/}}}}
  bucc2018:
    parts:
      - source: bucc
        languages: {{dev: de, test: de}}
        part: {{dev: sample, test: training}}
        place: {{"bucc2018/de-en/de-en.{{part}}.de": "bucc2018/de-en.{{split}}.de",
                "bucc2018/de-en/de-en.{{part}}.en": "bucc2018/de-en.{{split}}.en",
                "bucc2018/de-en/de-en.{{part}}.gold": "bucc2018/de-en.{{split}}.gold"}}
    rows: {{dev: {{de: 3}}, test: {{de: 5}}}}
  tatoeba:
    parts: [{{source: pairs, languages: {{test: de fr}}, place: {{"tatoeba.{{language3}}-eng.*": tatoeba/}}}}]
    rows: {{test: 4}}
  panx:
    parts:
      - source: names
        languages: {{train: en, dev: en de, test: en de}}
        part: {{dev: validation}}
        place: {{"{{language}}/{{part}}.tsv": "panx/{{split}}-{{language}}.tsv"}}
  ccg: {{by_hand: "CCGbank is licensed; order it."}}
"""


@pytest.fixture
def published(site):
    """A site with a small edition of six data sets, and its manifest as text."""
    site.files |= {
        "/qqp.zip": zipped(**{"QQP/train.tsv": qqp(40), "QQP/dev.tsv": qqp(6), "QQP/test.tsv": b"unused"}),
        "/train-v1.1.json": squad("train", 300),
        "/dev-v1.1.json": squad("dev", 20),
        "/bucc-de-sample.tar.bz2": bucc("sample", 3),
        "/bucc-de-training.tar.bz2": bucc("training", 5),
    }
    for code in ("deu", "fra"):
        site.files[f"/tatoeba.{code}-eng.{code}"] = "".join(f"{code} {n}\n" for n in range(4)).encode()
        site.files[f"/tatoeba.{code}-eng.eng"] = "".join(f"english {n}\n" for n in range(4)).encode()
    publish_names(site, COMMIT, ("Haus", "am", "See"))
    return MANIFEST.format(address=site.address)


def publish_names(site, commit, words):
    site.repositories["some/names"] = commit
    for code in ("en", "de"):
        for part in ("train", "validation", "test"):
            path = f"/datasets/some/names/resolve/{commit}/{code}/{part}.tsv"
            site.files[path] = tags([*words, code, part]).encode()


def options(text, **more):
    manifest = Manifest.model_validate(yaml.safe_load(text))
    return FetchOptions(**{"manifest": manifest, "retry": HASTY, **more})


def arrow_bytes(root):
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in sorted(root.rglob("*.arrow"))}


def run(arguments, **environment):
    return subprocess.Popen(
        [sys.executable, "-m", "adaptstilts", "data", "fetch", *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "HF_HUB_DISABLE_TELEMETRY": "1", **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_fetch_converts_records_and_says_where_everything_is_from(published, site, tmp_path):
    notes = Notes()
    result = fetch(tmp_path, ["qqp", "bucc2018", "tatoeba"], notes, options(published))
    assert result.fetched == (
        "qqp/train/en", "qqp/dev/en", "bucc2018/dev/de", "bucc2018/test/de", "tatoeba/test/de", "tatoeba/test/fr",
    )  # fmt: skip
    assert notes.splits[:2] == [("qqp/train/en", 1, 2), ("qqp/dev/en", 2, 2)]
    data = DataRoot(tmp_path)
    assert len(data.load(get_task("qqp"), Split.TRAIN, "en")) == 40
    bitext = data.load(get_task("bucc2018"), Split.TEST, "de")
    assert (len(bitext.foreign), len(bitext.english), len(bitext.gold)) == (10, 10, 5)
    lock = read_lock(tmp_path)
    assert lock.rows("qqp", Split.DEV, "en") == 6
    assert lock.rows("bucc2018", Split.TEST, "de") == 5
    assert lock.find("tatoeba", Split.TEST, "fr").sources == (
        f"{site.address}/tatoeba.fra-eng.fra",
        f"{site.address}/tatoeba.fra-eng.eng",
    )
    text = (tmp_path / "qqp" / "PROVENANCE.md").read_text()
    assert f"{site.address}/qqp.zip (SHA-256 {lock.downloads[f'{site.address}/qqp.zip']})" in text
    assert "| train/en | 40 |" in text and "Quora's terms of service" in text
    assert {path.name for path in (tmp_path / ".downloads").iterdir()} == {"questions", "bucc", "pairs", "fetch.lock"}


def test_fetch_leaves_publishers_files_where_a_kind_has_no_arrow_layout(published, site, tmp_path, monkeypatch):
    monkeypatch.delitem(COLUMNS, Kind.EXTRACT)
    fetch(tmp_path, ["squad1"], Notes(), options(published))
    assert (tmp_path / "squad/train-v1.1.json").read_bytes() == site.files["/train-v1.1.json"]
    assert not list(tmp_path.rglob("*.arrow")) and not list(tmp_path.rglob("*.partial"))
    data, lock = DataRoot(tmp_path), read_lock(tmp_path)
    assert lock.rows("squad1", Split.TRAIN, "en") == len(data.load(get_task("squad1"), Split.TRAIN, "en")) == 300
    verify_split(lock, data, get_task("squad1"), Split.TRAIN, "en")
    assert fetch(tmp_path, ["squad1"], Notes(), options(published)).fetched == ()
    (tmp_path / "squad/train-v1.1.json").write_bytes(squad("train", 299))
    with pytest.raises(DataError, match=r"squad/train-v1\.1\.json: SHA-256 is "):
        verify_split(lock, data, get_task("squad1"), Split.TRAIN, "en")


def test_fetch_downloads_an_archive_once_for_all_that_is_in_it(published, site, tmp_path):
    fetch(tmp_path, ["qqp"], Notes(), options(published))
    assert len(site.gets("/qqp.zip")) == 1


def test_fetch_asks_nobody_when_everything_is_there(published, site, tmp_path):
    fetch(tmp_path, ["qqp"], Notes(), options(published))
    before, asked = arrow_bytes(tmp_path), len(site.requests)
    notes = Notes()
    result = fetch(tmp_path, ["qqp"], notes, options(published))
    assert (result.fetched, result.present) == ((), ("qqp/train/en", "qqp/dev/en"))
    assert notes.lines == ["qqp: 2 of 2 splits present already"]
    assert arrow_bytes(tmp_path) == before
    assert len(site.requests) == asked


def test_fetch_mends_a_split_whose_file_is_damaged(published, tmp_path):
    fetch(tmp_path, ["qqp"], Notes(), options(published))
    before = arrow_bytes(tmp_path)
    path = tmp_path / "qqp/arrow/dev/en/data-00000-of-00001.arrow"
    path.write_bytes(path.read_bytes()[:-9])
    assert fetch(tmp_path, ["qqp"], Notes(), options(published)).fetched == ("qqp/dev/en",)
    assert arrow_bytes(tmp_path) == before


def test_fetch_gives_identical_bytes_when_it_was_killed_and_started_again(published, site, tmp_path):
    manifest = tmp_path / "manifest.yaml"
    manifest.write_text(published)
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    undisturbed = run(["squad1", "--root", str(whole), "--manifest", str(manifest)])
    assert undisturbed.wait(60) == 0, undisturbed.communicate()

    size = len(site.files["/train-v1.1.json"])
    enough = threading.Event()
    site.bytes_per_second = 100_000.0
    site.on_bytes = lambda path, sent: enough.set() if path == "/train-v1.1.json" and sent > size // 3 else None
    site.requests.clear()
    process = run(["squad1", "--root", str(killed), "--manifest", str(manifest)])
    assert enough.wait(60)
    process.send_signal(signal.SIGKILL)
    assert process.wait(10) == -signal.SIGKILL
    part = killed / ".downloads" / "squad" / "train-v1.1.json.part"
    there = part.stat().st_size
    assert 0 < there < size
    assert not (killed / LOCK_NAME).exists()

    site.bytes_per_second, site.on_bytes = None, lambda path, sent: None
    again = run(["squad1", "--root", str(killed), "--manifest", str(manifest)])
    assert again.wait(60) == 0, again.communicate()
    assert site.gets("/train-v1.1.json") == [None, f"bytes={there}-"]
    assert arrow_bytes(killed) == arrow_bytes(whole)
    assert len(arrow_bytes(killed)) == 2
    assert (killed / ".downloads/squad/train-v1.1.json").read_bytes() == site.files["/train-v1.1.json"]
    assert read_lock(killed) == read_lock(whole)


def test_fetch_leaves_nothing_half_when_it_was_killed_while_converting(published, tmp_path):
    """Whatever moment the kill hits, the lock file names whole splits only, and the next fetch completes the rest."""
    manifest = tmp_path / "manifest.yaml"
    manifest.write_text(published)
    arguments = ["squad1", "bucc2018", "tatoeba", "--root", str(tmp_path / "data"), "--manifest", str(manifest)]
    process = run(arguments)
    for line in process.stderr:
        if line.startswith("[1/2] squad1/train/en"):
            process.send_signal(signal.SIGKILL)
            break
    process.wait(10)
    lock = read_lock(tmp_path / "data")
    assert lock.rows("squad1", Split.TRAIN, "en") == 300
    again = run(arguments)
    output = again.communicate(timeout=60)
    assert again.returncode == 0, output
    assert "were there" in output[0]
    assert len(read_lock(tmp_path / "data").splits) == 6
    assert not list((tmp_path / "data").rglob("*.part*"))


def test_fetches_at_once_into_one_folder_take_turns(published, site, tmp_path):
    manifest = tmp_path / "manifest.yaml"
    manifest.write_text(published)
    gate, busy = threading.Event(), threading.Event()
    site.on_bytes = lambda path, sent: (busy.set(), gate.wait(60))
    arguments = ["squad1", "qqp", "--root", str(tmp_path / "data"), "--manifest", str(manifest)]
    first = run(arguments)
    assert busy.wait(60)
    second = run(arguments)
    said = second.stderr.readline()
    gate.set()
    outputs = [process.communicate(timeout=100) for process in (first, second)]
    assert (first.returncode, second.returncode) == (0, 0), outputs
    assert said == f"{tmp_path / 'data'}: another fetch is running here; waiting for it\n"
    assert [stdout.rpartition(": ")[2] for stdout, _ in outputs] == [
        "4 splits fetched, 0 were there\n",
        "0 splits fetched, 4 were there\n",
    ]
    assert len(site.gets("/train-v1.1.json")) == 1


@pytest.mark.parametrize(("old", "new"), [("train: 40", "train: 41"), ("train: 40, dev: 6", "train: 40, dev: 600")])
def test_fetch_writes_nothing_when_rows_are_not_those_published(published, tmp_path, old, new):
    with pytest.raises(DataError, match=r"qqp/(train|dev)/en: expected (41|600) rows as published, found (40|6)"):
        fetch(tmp_path, ["qqp"], Notes(), options(published.replace(old, new)))
    name = "dev" if "600" in new else "train"
    assert not (tmp_path / "qqp" / "arrow" / name).exists()
    assert not list((tmp_path / ".downloads").glob("unpacked-*"))


def test_fetch_raises_when_rows_are_not_those_of_the_lock_file(published, site, tmp_path):
    text = published.replace("rows: {train: 40, dev: 6}", "rows: {}")
    fetch(tmp_path, ["qqp"], Notes(), options(text))
    path = tmp_path / LOCK_NAME
    path.write_text(path.read_text().replace('"rows": 40', '"rows": 39'))
    (tmp_path / "qqp/arrow/train/en/data-00000-of-00001.arrow").unlink()
    with pytest.raises(DataError, match=r"lock\.json: qqp/train/en: expected 39 rows as fetched, found 40"):
        fetch(tmp_path, ["qqp"], Notes(), options(text))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda body: body[:-1] + b"x", "SHA-256 is [0-9a-f]{64}, expected [0-9a-f]{64}"),
        (lambda body: body + b"x", r"has [\d,]+ bytes, expected [\d,]+\."),
    ],
)
def test_fetch_raises_when_a_source_changed_since_the_first_fetch(published, site, tmp_path, change, said):
    fetch(tmp_path, ["qqp"], Notes(), options(published))
    site.files["/qqp.zip"] = change(site.files["/qqp.zip"])
    (tmp_path / ".downloads/questions/qqp.zip").unlink()
    (tmp_path / "qqp/arrow/dev/en/data-00000-of-00001.arrow").unlink()
    with pytest.raises(DataError, match=rf"/qqp\.zip: {said}"):
        fetch(tmp_path, ["qqp"], Notes(), options(published))


def test_fetch_stops_when_the_checksum_of_the_manifest_is_not_met(published, tmp_path, capsys):
    manifest = tmp_path / "manifest.yaml"
    manifest.write_text(published.replace('/qqp.zip"}', f'/qqp.zip", sha256: "{"0" * 64}"}}'))
    assert main(["data", "fetch", "qqp", "--root", str(tmp_path / "data"), "--manifest", str(manifest)]) == 2
    output = capsys.readouterr()
    assert f"expected {'0' * 64}; the download was deleted" in output.err
    assert output.out == ""
    assert not list((tmp_path / "data").rglob("*.arrow"))


def test_fetch_goes_on_with_other_tasks_when_one_cannot_be_had(published, site, tmp_path):
    del site.files["/qqp.zip"]
    site.files["/train-v1.1.json"] = b"<html>log in</html>"
    with pytest.raises(AdaptstiltsError) as caught:
        fetch(tmp_path, ["qqp", "squad1", "tatoeba"], Notes(), options(published))
    lines = str(caught.value).splitlines()
    assert len(lines) == 2
    assert "qqp.zip: the server answers 404" in lines[0] and "a web page instead of the file" in lines[1]
    assert read_lock(tmp_path).rows("tatoeba", Split.TEST, "de") == 4


def test_fetch_offline_uses_what_is_downloaded_and_asks_nobody(published, site, tmp_path):
    fetch(tmp_path, ["qqp"], Notes(), options(published))
    before, asked = arrow_bytes(tmp_path), len(site.requests)
    for path in tmp_path.rglob("*.arrow"):
        path.unlink()
    fetch(tmp_path, ["qqp"], Notes(), options(published, offline=True))
    assert arrow_bytes(tmp_path) == before
    assert len(site.requests) == asked


def test_fetch_offline_names_what_was_not_downloaded(published, site, tmp_path):
    with pytest.raises(DataError, match=r"offline, and 2 files not downloaded yet: .*train-v1\.1\.json, .*dev"):
        fetch(tmp_path, ["squad1"], Notes(), options(published, offline=True))
    assert site.requests == []


def test_fetch_offline_raises_one_error_for_all_tasks(published, tmp_path):
    with pytest.raises(OfflineError, match=r"offline, and 5 files not downloaded yet") as caught:
        fetch(tmp_path, ["squad1", "qqp", "bucc2018"], Notes(), options(published, offline=True))
    assert len(str(caught.value).splitlines()) == 1


def test_fetch_keeps_english_training_data_when_languages_are_chosen(published, site, tmp_path):
    result = fetch(tmp_path, ["tatoeba", "squad1"], Notes(), options(published, languages=("fr",)))
    assert result.fetched == ("tatoeba/test/fr", "squad1/train/en", "squad1/dev/en")
    assert not any("deu" in path for _, path, _ in site.requests)


def test_fetch_raises_when_a_task_has_none_of_the_languages(published, tmp_path):
    with pytest.raises(DataError, match=r"tatoeba has no data in sw\. Allowed: de, fr"):
        fetch(tmp_path, ["tatoeba"], Notes(), options(published, languages=("sw",)))
    with pytest.raises(ConfigError, match="'xx'"):
        fetch(tmp_path, ["tatoeba"], Notes(), options(published, languages=("xx",)))


def test_fetch_of_everything_passes_over_tasks_without_the_language(published, tmp_path):
    notes = Notes()
    result = fetch(tmp_path, [], notes, options(published.replace("  panx:", "  panx_later:"), languages=("fr",)))
    assert result.fetched == ("qqp/train/en", "qqp/dev/en", "squad1/train/en", "squad1/dev/en", "tatoeba/test/fr")
    assert "bucc2018 has no data in fr" in notes.lines


def test_fetch_says_what_to_do_for_a_licensed_task(published, tmp_path):
    with pytest.raises(DataError, match="ccg: CCGbank is licensed; order it"):
        fetch(tmp_path, ["ccg"], Notes(), options(published))


def test_fetch_of_everything_leaves_licensed_tasks_with_a_line(published, tmp_path):
    text = published.replace("hub: some/names", "hub: some/names").replace("  panx:", "  panx_later:")
    result = fetch(tmp_path, [], Notes(), options(text))
    assert result.by_hand == ("ccg: CCGbank is licensed; order it.",)
    assert len(result.fetched) == 8


def test_fetch_raises_before_anything_is_downloaded_when_a_task_is_unknown(published, site, tmp_path):
    with pytest.raises(ConfigError, match="'qpq' is not a data set that can be fetched"):
        fetch(tmp_path / "data", ["squad1", "qpq"], Notes(), options(published))
    assert site.requests == [] and not (tmp_path / "data").exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_fetch_raises_one_line_when_the_folder_is_read_only(published, tmp_path):
    tmp_path.chmod(stat.S_IRUSR | stat.S_IXUSR)
    try:
        with pytest.raises(DataError, match=r"cannot be written: Permission denied.*Choose a root"):
            fetch(tmp_path / "data", ["qqp"], Notes(), options(published))
    finally:
        tmp_path.chmod(stat.S_IRWXU)


def test_fetch_raises_one_line_when_the_root_is_a_file(published, tmp_path):
    (tmp_path / "data").write_text("")
    with pytest.raises(DataError, match=r"data.*cannot be written: Not a directory.*Choose a root"):
        fetch(tmp_path / "data", ["qqp"], Notes(), options(published))


def test_fetch_raises_one_line_when_the_disk_is_full(published, tmp_path, monkeypatch):
    def full(_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("adaptstilts.data.lock.os.fsync", full)
    with pytest.raises(DataError, match=r"cannot be written: No space left on device\. Free some space"):
        fetch(tmp_path, ["qqp"], Notes(), options(published))


def test_fetch_pins_the_hub_commit_in_the_lock_file(published, site, tmp_path):
    manifest = tmp_path / "manifest.yaml"
    manifest.write_text(published)
    arguments = ["panx", "--root", str(tmp_path / "data"), "--manifest", str(manifest)]
    process = run(arguments, HF_ENDPOINT=site.address)
    output = process.communicate(timeout=100)
    assert process.returncode == 0, output
    lock = read_lock(tmp_path / "data")
    assert lock.revisions == {"some/names": COMMIT}
    assert lock.find("panx", Split.TEST, "de").revision == COMMIT
    assert lock.find("panx", Split.TEST, "de").sources == ("hub:some/names/de/test.tsv",)
    rows = DataRoot(tmp_path / "data").load(get_task("panx"), Split.TEST, "de")
    assert [row.words for row in rows] == [("Haus", "am", "See", "de", "test"), ("Anna",)]

    # The repository moves on; what the lock file pins is what is fetched from then on.
    publish_names(site, NEWER, ("another", "text"))
    (tmp_path / "data/panx/arrow/test/de/data-00000-of-00001.arrow").unlink()
    offline = run([*arguments, "--offline"], HF_ENDPOINT="http://127.0.0.1:9")
    output = offline.communicate(timeout=100)
    assert offline.returncode == 0, output
    assert DataRoot(tmp_path / "data").load(get_task("panx"), Split.TEST, "de") == rows


def test_fetch_says_in_one_line_when_the_hub_has_no_such_repository(published, site, tmp_path):
    manifest = tmp_path / "manifest.yaml"
    manifest.write_text(published.replace("some/names", "some/nowhere"))
    process = run(["panx", "--root", str(tmp_path / "data"), "--manifest", str(manifest)], HF_ENDPOINT=site.address)
    _, errors = process.communicate(timeout=100)
    assert process.returncode == 2
    assert len(errors.strip().splitlines()) == 1
    assert "some/nowhere cannot be downloaded from the hub: RepositoryNotFoundError" in errors


def test_command_tells_which_training_data_is_missing(published, site, tmp_path, capsys):
    site.files["/xquad.de.json"] = squad("xquad", 5)
    manifest = tmp_path / "manifest.yaml"
    extra = '  xq: {url: "ADDRESS/xquad.{language}.json"}\ntasks:\n'.replace("ADDRESS", site.address)
    task = '  xquad: {parts: [{source: xq, languages: {test: de}, place: {"xquad.{language}.json": xquad/}}]}\n'
    manifest.write_text(published.replace("tasks:\n", extra + task))
    root = tmp_path / "data"
    assert main(["data", "fetch", "xquad", "--root", str(root), "--manifest", str(manifest)]) == 0
    output = capsys.readouterr()
    assert output.out == f"{root}: 1 split fetched, 0 were there\n"
    assert f"training data not fetched yet: adaptstilts data fetch squad1 --root {root}" in output.err
    assert "downloaded xquad.de.json" in output.err
