"""Fetches of what strangers hand over: nothing lands outside the root, and nothing bad stands in the way of good."""

import io
import json
import zipfile

import pytest
import yaml
from special_files import device, folder, pipe

from adaptstilts.cli.main import main
from adaptstilts.data.download import RetryPolicy
from adaptstilts.data.fetch import FetchOptions, fetch
from adaptstilts.data.lock import LOCK_NAME, read_lock
from adaptstilts.data.sources import Manifest, read_manifest
from adaptstilts.errors import AdaptstiltsError, ConfigError, DataError
from adaptstilts.limits import LIMITS
from adaptstilts.tasks.spec import Split

HASTY = RetryPolicy(tries=2, first_delay=0.0, longest_delay=0.0, timeout=10.0)
COMMIT = "0123456789" * 4
MANIFEST = """
sources:
  questions: {{url: "{address}/qqp.zip{query}"}}
  names: {{hub: some/names, files: ["{{language}}/*.tsv"]}}
tasks:
  qqp:
    parts:
      - {{source: questions, languages: {{train: en, dev: en}}, place: {{"QQP/{{part}}.tsv": "qqp/{{part}}.tsv"}}}}
  panx:
    parts: [{{source: names, languages: {{test: de}}, place: {{"{{language}}/test.tsv": panx/test-de.tsv}}}}]
"""


class Notes:
    def __init__(self):
        self.lines = []

    def line(self, text):
        self.lines.append(text)

    def arrived(self, name, done, total):
        pass

    def converted(self, name, done, total):
        pass


def qqp(rows, odd=""):
    body = "".join(f"{row}\t1\t2\tWho is {row}?\tWho is number {row}?\t{row % 2}\n" for row in range(rows))
    return f"id\tqid1\tqid2\tquestion1\tquestion2\tis_duplicate\n{body}{odd}".encode()


def zipped(**files):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, body in files.items():
            archive.writestr(f"QQP/{name}.tsv", body)
    return buffer.getvalue()


GOOD = zipped(train=qqp(40), dev=qqp(6))


@pytest.fixture
def fetched(site, tmp_path, monkeypatch):
    """Fetch tasks from the site into a root of this test; give what was said."""
    site.files["/qqp.zip"] = GOOD
    monkeypatch.setenv("HF_ENDPOINT", site.address)

    def run(*tasks, query="", change=lambda text: text, root=tmp_path / "data", **options):
        text = change(MANIFEST.format(address=site.address, query=query))
        notes = Notes()
        manifest = Manifest.model_validate(yaml.safe_load(text))
        fetch(root, tasks or ["qqp"], notes, FetchOptions(manifest=manifest, retry=HASTY, **options))
        return notes.lines

    return run


def outside(tmp_path):
    return sorted(path.name for path in tmp_path.iterdir() if path.name != "data")


BAD = {
    "no archive": b"this is no archive",
    "cut short": GOOD[:-200],
    "a file is missing": zipped(train=qqp(40)),
    "a row is broken": zipped(train=qqp(40, "x\ty\n"), dev=qqp(6)),
    "one of two files is broken": zipped(train=qqp(40), dev=b"\xff\xfe\x00"),
    "a bomb": zipped(train=qqp(40), dev=b"\0" * 4_000_000),
    "nothing": b"",
}


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_download_never_blocks_a_good_one(fetched, site, tmp_path, kind):
    site.files["/qqp.zip"] = BAD[kind]
    with pytest.raises(AdaptstiltsError):
        fetched()
    lock = read_lock(tmp_path / "data")
    assert lock is None or not lock.downloads, "the checksum of a file that could not be read"
    site.files["/qqp.zip"] = GOOD
    fetched()
    assert read_lock(tmp_path / "data").rows("qqp", Split.DEV, "en") == 6


def test_a_download_that_only_breaks_a_limit_is_kept_for_a_larger_one(fetched, tmp_path, monkeypatch):
    monkeypatch.setenv("ADAPTSTILTS_MOST_MEMBERS", "1")
    with pytest.raises(DataError, match="ADAPTSTILTS_MOST_MEMBERS"):
        fetched()
    assert (tmp_path / "data/.downloads/questions/qqp.zip").read_bytes() == GOOD
    monkeypatch.delenv("ADAPTSTILTS_MOST_MEMBERS")
    fetched(offline=True)
    assert read_lock(tmp_path / "data").rows("qqp", Split.DEV, "en") == 6


def test_a_bad_row_is_named_by_the_address_of_its_file(fetched, site):
    site.files["/qqp.zip"] = BAD["a row is broken"]
    with pytest.raises(
        DataError, match=rf"^{site.address}/qqp\.zip \(QQP/train\.tsv\):42: expected 6 columns, found 2"
    ):
        fetched()
    site.repositories["some/names"] = COMMIT
    site.files[f"/datasets/some/names/resolve/{COMMIT}/de/test.tsv"] = b"Haus\tO\nAnna\tPERSON\n"
    with pytest.raises(DataError, match=r"^hub:some/names/de/test\.tsv:2: tag: 'PERSON' is not a tag"):
        fetched("panx")


def test_a_bad_file_that_lay_there_is_downloaded_anew_at_once(fetched, tmp_path):
    path = tmp_path / "data/.downloads/questions/qqp.zip"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"left by something else")
    assert "qqp: could not be read and was deleted, is downloaded anew: qqp.zip" in fetched()
    assert path.read_bytes() == GOOD


def test_a_bad_commit_of_the_hub_is_not_pinned(fetched, site, tmp_path):
    site.repositories["some/names"] = COMMIT
    site.files[f"/datasets/some/names/resolve/{COMMIT}/de/test.tsv"] = b"\xff\xfeHaus"
    with pytest.raises(AdaptstiltsError):
        fetched("panx")
    good = COMMIT.replace("0", "a")
    site.repositories["some/names"] = good
    site.files[f"/datasets/some/names/resolve/{good}/de/test.tsv"] = b"Haus\tO\n\nAnna\tB-PER\n"
    fetched("panx")
    assert read_lock(tmp_path / "data").revisions == {"some/names": good}


def test_a_wrong_checksum_of_the_lock_file_names_the_lock_file_and_costs_no_file(fetched, tmp_path):
    fetched()
    lock, archive = tmp_path / "data" / LOCK_NAME, tmp_path / "data/.downloads/questions/qqp.zip"
    values = json.loads(lock.read_text())
    values["downloads"] = dict.fromkeys(values["downloads"], "0" * 64)
    values["splits"].pop("qqp/dev/en")
    lock.write_text(json.dumps(values))
    with pytest.raises(DataError, match=r"expected 0{64}.*To take it as it is now: .*: Delete it and fetch"):
        fetched()
    assert archive.read_bytes() == GOOD
    lock.unlink()
    fetched()


def test_wrong_rows_in_the_lock_file_say_what_to_do(fetched, tmp_path):
    fetched()
    lock = tmp_path / "data" / LOCK_NAME
    lock.write_text(lock.read_text().replace('"rows": 40', '"rows": 39'))
    (tmp_path / "data/qqp/arrow/train/en/data-00000-of-00001.arrow").unlink()
    with pytest.raises(DataError, match=r"expected 39 rows as fetched, found 40\. .*delete the lock file and fetch"):
        fetched()
    lock.unlink()
    fetched()


@pytest.mark.parametrize(
    "name", ["../evil.tsv", "/tmp/evil.tsv", "de/../../../evil.tsv", "..\\evil.tsv", "de/" + "x" * 300]
)
def test_names_of_a_hub_stay_below_the_root(fetched, site, tmp_path, name):
    site.repositories["some/names"] = COMMIT
    site.files[f"/datasets/some/names/resolve/{COMMIT}/{name}"] = b"Haus\tO\n"
    with pytest.raises(
        DataError, match=r"some/names: the hub lists a file '.*', which (would be placed outside|is too l)"
    ):
        fetched("panx")
    assert outside(tmp_path) == []


@pytest.mark.parametrize("commit", ["../../evil", "main", "", "0" * 6, "é" * 40, "A" * 40])
def test_commits_of_a_hub_are_commits(fetched, site, tmp_path, commit):
    site.repositories["some/names"] = commit
    with pytest.raises(DataError, match=r"some/names.*: the hub states|the hub states no commit|cannot be downloaded"):
        fetched("panx")
    assert outside(tmp_path) == []


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("  questions:", "  ../evil:", r"own\.yaml: sources\.\.\./evil: '\.\./evil' cannot name a folder of downloads"),
        ("  questions:", "  unpacked-qqp:", "'unpacked-qqp' cannot name a folder of downloads"),
        (
            '"qqp/{part}.tsv"',
            '"../evil.tsv"',
            r"tasks\.qqp\.parts\.0: '\.\./evil\.tsv' is not a path below the data",
        ),
        ('"qqp/{part}.tsv"', "/etc/evil", "'/etc/evil' is not a path below the data"),
        (
            '"qqp/{part}.tsv"',
            '"qqp/{part.__class__}"',
            r"has braces that are none of \{language\}, \{lang",
        ),
        ('"qqp/{part}.tsv"', '"qqp/{0}"', "has braces that are none of"),
        ('"qqp/{part}.tsv"', '"qqp/{part:>1000000000}"', "has braces that are none of"),
        ("/qqp.zip", "/{word}.zip", "has braces that are none of"),
        ('url: "http', 'url: "file', r"sources.*|'file://.* does not begin with http:// or https://"),
        ('url: "http', 'url: "http://[::1', r"'http://\[::1.*' is not an address \(Invalid IPv6 URL\)"),
        ("/qqp.zip", "/", r"tasks\.qqp\.parts\.0: 'http://[^/]+/' names no file"),
        ("train: en", "train: xx", r"tasks\.qqp\.parts\.0\.languages: 'xx' is not a known language code"),
        ("train: en", "trial: en", r"own\.yaml:\d+: tasks\.qqp.*\.languages\.trial: 'trial' is not allowed\. .*train"),
        ("hub: some/names", "hub: ../names", r"sources\.names\.hub: '\.\./names' is not OWNER/NAME"),
        ("hub: some/names", "hub: ../../names", r"sources\.names\.hub: '\.\./\.\./names' is not OWNER/NAME"),
        (
            "hub: some/names",
            "hub: some/names, revision: ../../x",
            r"sources\.names\.revision: '.*x' is not a commit",
        ),
        (
            '/qqp.zip"',
            '/qqp.zip", sha256: abc',
            r"sources\.questions\.sha256: 'abc' is not a SHA-256 of 64 hex",
        ),
        (
            "hub: some/names",
            'hub: some/names, url: "http://x/y"',
            "names both an address and a hub repository",
        ),
    ],
)
def test_a_list_of_sources_is_checked_before_anything_is_asked(site, tmp_path, capsys, old, new, said):
    path = tmp_path / "own.yaml"
    text = MANIFEST.format(address=site.address, query="").replace(old, new)
    path.write_text(
        text.replace("source: questions", f"source: {new.strip().rstrip(':')}") if old == "  questions:" else text
    )
    with pytest.raises(ConfigError, match=said):
        read_manifest(path)
    assert main(["data", "fetch", "qqp", "--root", str(tmp_path / "data"), "--manifest", str(path)]) == 2
    assert len(capsys.readouterr().err.strip().splitlines()) == 1
    assert site.requests == [] and outside(tmp_path) == ["own.yaml"]


@pytest.mark.parametrize("limit", LIMITS, ids=lambda limit: limit.name)
def test_a_limit_that_cannot_be_used_costs_no_download(fetched, site, tmp_path, monkeypatch, limit):
    monkeypatch.setenv(limit.variable, "many")
    with pytest.raises(ConfigError, match=rf"{limit.variable}: 'many' is not a number above 0\. Give a number of "):
        fetched()
    assert site.requests == [] and outside(tmp_path) == []


@pytest.mark.parametrize("place", [".downloads", ".downloads/questions", "qqp", "qqp/arrow", "qqp/arrow/dev"])
def test_links_in_the_root_that_lead_out_of_it_are_refused(fetched, tmp_path, place):
    (tmp_path / "else").mkdir()
    (tmp_path / "data" / place).parent.mkdir(parents=True)
    (tmp_path / "data" / place).symlink_to(tmp_path / "else")
    with pytest.raises(DataError, match=rf"data/{place}: is a link that leads out of .*data.*, where .* belongs"):
        fetched()
    assert list((tmp_path / "else").iterdir()) == []


STANDING = (
    f"{LOCK_NAME}.partial", ".downloads/unpacked-qqp", ".downloads/fetch.lock", ".downloads/questions/qqp.zip",
    ".downloads/questions/qqp.zip.part", "qqp/PROVENANCE.md.partial", "qqp/arrow/dev/en", "qqp/arrow/dev/en.partial",
    "qqp/arrow/dev/en.old",
)  # fmt: skip


@pytest.mark.parametrize("kind", ["file", "folder", "link", "loop", "pipe"])
@pytest.mark.parametrize("place", STANDING)
def test_what_an_interrupted_or_hostile_hand_has_left_is_replaced(fetched, tmp_path, place, kind):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/a").write_text("mine")
    path = tmp_path / "data" / place
    path.parent.mkdir(parents=True)
    if kind == "file":
        path.write_bytes(GOOD if place.endswith("qqp.zip") else b"left")
    elif kind == "folder":
        (path / "x").mkdir(parents=True)
    elif kind == "pipe":
        pipe(path)
    else:
        path.symlink_to(tmp_path / ("mine/a" if kind == "link" else f"data/{place}"))
    fetched()
    assert read_lock(tmp_path / "data").rows("qqp", Split.DEV, "en") == 6
    assert (tmp_path / "mine/a").read_text() == "mine" and outside(tmp_path) == ["mine"]
    fetched()


LOCKS = {
    "empty": "",
    "binary": "\udcff",
    "deep": "[" * 100_000,
    "a number": "5",
    "long number": '{"format": ' + "9" * 5000 + "}",
    "true": '{"format": true, "splits": {}, "downloads": {}, "revisions": {}}',
    "newer": '{"format": 2, "splits": {}, "downloads": {}, "revisions": {}}',
    "null": '{"format": 1, "splits": null, "downloads": {}, "revisions": {}}',
    "list": '{"format": 1, "splits": [], "downloads": {}, "revisions": {}}',
    "sum": '{"format": 1, "splits": {}, "downloads": {"http://x": "abc"}, "revisions": {}}',
    "commit": '{"format": 1, "splits": {}, "downloads": {}, "revisions": {"a/b": "../../x"}}',
    "surrogate": '{"format": 1, "splits": {}, "downloads": {"\\ud800": "' + "0" * 64 + '"}, "revisions": {}}',
}
SPLIT = {"rows": 6, "files": {"a": "0" * 64}, "sources": ["u"], "revision": None, "date": "2026-01-31", "notes": []}
FAULTS = {
    "rows": (-1, True, "6", 6.0, None, 10**13),
    "files": ({}, [], {"../a": "0" * 64}, {"/a": "0" * 64}, {"a": "0"}, {"a": 1}, {"a\n": "0" * 64}),
    "sources": ("u", [1], None),
    "revision": (5, []),
    "date": (None, 5, "\x1b[2J"),
    "notes": ("n", [None]),
}


@pytest.mark.parametrize("kind", LOCKS)
def test_a_lock_file_of_any_content_is_one_line(tmp_path, kind):
    (tmp_path / LOCK_NAME).write_bytes(LOCKS[kind].encode("utf-8", "surrogateescape"))
    with pytest.raises(DataError, match=rf"^{tmp_path / LOCK_NAME}:(1:)? .*Delete it and fetch again\.$"):
        read_lock(tmp_path)


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in FAULTS.items() for value in values])
def test_every_value_of_a_lock_file_is_checked(tmp_path, name, value):
    splits = {"qqp/dev/en": {**SPLIT, name: value}}
    (tmp_path / LOCK_NAME).write_text(json.dumps({"format": 1, "splits": splits, "downloads": {}, "revisions": {}}))
    with pytest.raises(DataError, match=rf"{LOCK_NAME}: splits\.qqp/dev/en\.{name}.*: .*Delete it and fetch again\.$"):
        read_lock(tmp_path)


@pytest.mark.parametrize("key", ["qqp", "qqp/dev", "qqp/dev/..", "qqp/dev/EN", "qqp/all/en", "qqp/dev/en/x", "/dev/en"])
def test_keys_of_a_lock_file_are_checked(tmp_path, key):
    values = {"format": 1, "splits": {key: SPLIT}, "downloads": {}, "revisions": {}}
    (tmp_path / LOCK_NAME).write_text(json.dumps(values))
    with pytest.raises(DataError, match=rf"splits: '{key}' is not task/split/language\. Delete it"):
        read_lock(tmp_path)


@pytest.mark.parametrize("make", [pipe, folder, device])
@pytest.mark.parametrize("command", ["fetch", "check"])
def test_what_is_no_file_is_no_lock_file(site, tmp_path, capsys, make, command):
    (tmp_path / "data").mkdir()
    make(tmp_path / "data" / LOCK_NAME)
    words = {"fetch": ["data", "fetch", "qqp", "--root"], "check": ["data", "check"]}[command]
    assert main([*words, str(tmp_path / "data")]) == 2
    assert f"{LOCK_NAME}: is a" in capsys.readouterr().err and site.requests == []
