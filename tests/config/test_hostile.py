"""What strangers hand in as settings: each ends at once with one line, wherever it is written."""

from __future__ import annotations

import gzip
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from special_files import SPECIAL

from adaptstilts.config.load import load, load_study
from adaptstilts.config.pretrain import PretrainSection
from adaptstilts.data.sources import read_manifest
from adaptstilts.errors import AdaptstiltsError, ConfigError
from adaptstilts.shipped import find_config
from adaptstilts.tasks.outside import register_from_file

HEAD = "name: demo\ntarget:\n  tasks: [xnli]\nmethods: [direct]\n"
MOST_SECONDS = 5.0


def in_file(tmp_path: Path, key: str, text: str) -> None:
    path = tmp_path / "study.yaml"
    path.write_text(f"{HEAD}{key}: {text}\n", encoding="utf-8", errors="surrogatepass")
    load_study(path)


def in_override(tmp_path: Path, key: str, text: str) -> None:
    load_study({"name": "demo", "target": {"tasks": ["xnli"]}, "methods": ["direct"]}, [f"{key}={text}"])


def in_pretraining(tmp_path: Path, key: str, text: str) -> None:
    path = tmp_path / "study.yaml"
    path.write_text(f"name: demo\noutput: out\n{key}: {text}\n", encoding="utf-8", errors="surrogatepass")
    load(path, (), PretrainSection)


def in_manifest(tmp_path: Path, key: str, text: str) -> None:
    path = tmp_path / "study.yaml"
    path.write_text(f"sources: {{}}\ntasks: {{}}\n{key}: {text}\n", encoding="utf-8", errors="surrogatepass")
    read_manifest(path)


Place = Callable[[Path, str, str], None]


def short(value: object) -> str:
    return ascii(value)[1:16] if isinstance(value, str) else getattr(value, "__name__", type(value).__name__)


PLACES: list[Place] = [in_file, in_override, in_pretraining, in_manifest]
BOMB = "[&a [x,x,x,x,x,x,x,x,x,x]" + "".join(
    f",&{new} [{','.join([f'*{old}'] * 10)}]" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
) + "]"  # fmt: skip
MERGES = "[&a {x: 1}" + "".join(
    f",&{new} {{<<: [{','.join([f'*{old}'] * 10)}]}}" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
) + "]"  # fmt: skip


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (BOMB, "stands for more than 100,000 values"),
        (MERGES, "stands for more than 100,000 values"),
        ("[" * 20_000, "nested more than 40 levels deep"),
        ("{a: " * 5_000, "nested more than 40 levels deep"),
        ("[" * 50 + "]" * 50, "nested more than 40 levels deep"),
        ("[" + ("[" * 99 + "]" * 99 + ",") * 1_000 + "]", "nested more than 40 levels deep"),
        ("[" + "1," * 100_000 + "]", r"has more than 30,000 keys and values\. Shorten it"),
        ("{" + "a:," * 60_000 + "}", r"has more than 30,000 keys and values\. Shorten it"),
        ("[&a {b: 1}" + ",{<<: *a}" * 20_000 + "]", r"has more than 30,000 keys and values\. Shorten it"),
        ("&x [*x]", "a value contains itself"),
        ("&x {a: {b: *x}}", "a value contains itself"),
        ("9" * 5_000, "a whole number of 5,000 digits is too large"),
        ("[-" + "9" * 5_000 + "]", "digits is too large"),
        ("99999999999999999999", r"this whole number is too large\. Allowed: at most 9,223,372,036,854,775,807"),
        (r'"a\ud83d b"', r"'a\\ud83d b' holds half a character \(an unpaired surrogate\), which no file can hold"),
        (r'["a\udc00"]', "holds half a character"),
        (r'"a\0b"', r"holds the character U\+0000, which no file can hold"),
        ("!!int x", "the tag !!int cannot stand here"),
        ("!!bool maybe", "the tag !!bool cannot stand here"),
        ("!!timestamp x", "the tag !!timestamp cannot stand here"),
        ("!!set {a, b}", "the tag !!set cannot stand here"),
        ("!!python/object/apply:os.getcwd []", "the tag !!python/object/apply:os.getcwd cannot stand here"),
    ],
    ids=short,
)
def test_value_without_bound_or_meaning_is_refused_at_once(tmp_path: Path, place: Place, text: str, problem: str):
    begin = time.process_time()
    with pytest.raises(ConfigError, match=problem) as caught:
        place(tmp_path, "title", text)
    assert time.process_time() - begin < MOST_SECONDS
    assert str(caught.value).count("\n") == 0
    assert len(str(caught.value)) < 600
    is_named = "title" in str(caught.value) or "study.yaml:" in str(caught.value) or "study.yaml" in str(caught.value)
    assert is_named


def test_chain_of_aliases_is_as_deep_as_brackets(tmp_path: Path):
    chain = "".join(f"\n  - &a{number} [*a{number - 1}]" for number in range(1, 3000))
    with pytest.raises(ConfigError, match=r"study\.yaml:\d+: title\[\d+\]: sections and lists are nested more than 40"):
        in_file(tmp_path, "title", f"\n  - &a0 [x]{chain}")


def nested(levels: int) -> Any:
    value: Any = "x"
    for _ in range(levels):
        value = [value]
    return value


def shared(levels: int) -> Any:
    value: Any = "x"
    for _ in range(levels):
        value = [value] * 10
    return value


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        (nested(5_000), "nested more than 40 levels deep"),
        (shared(12), "stands for more than 100,000 values"),
        (10**5000, r"this whole number is too large\. Allowed: at most"),
        (-(2**63), "this whole number is too large"),
        ("a\ud800", "holds half a character"),
        ("a\0", r"U\+0000"),
        ({1: "a", "1": "b"}, r"\.1: is given twice"),
    ],
    ids=short,
)
def test_mapping_from_python_has_the_same_bounds(value: Any, problem: str):
    with pytest.raises(ConfigError, match=rf"^<dict>: title.*{problem}"):
        load_study({"name": "demo", "target": {"tasks": ["xnli"]}, "title": value})


def test_surrogates_in_pairs_are_the_character_that_json_means(tmp_path: Path):
    path = tmp_path / "study.yaml"
    path.write_text(HEAD + 'title: "\\ud83d\\ude00 yes"\n', encoding="utf-8")
    assert load_study(path)[0].title == "\U0001f600 yes"


def test_whole_numbers_of_numpy_are_whole_numbers():
    given = {"name": "demo", "target": {"tasks": ["xnli"]}, "seeds": [np.int64(3)]}
    assert load_study(given)[0].seeds == (3,)


@pytest.mark.parametrize("text", ["a\udcffb", "a\x1b[31m", "a\0b"], ids=short)
def test_character_that_yaml_has_not_is_named_in_an_override(text: str):
    with pytest.raises(
        ConfigError, match=r"^title: .*the character U\+\w{4} cannot stand in it\. Remove it\.$"
    ) as caught:
        load_study({"name": "demo", "target": {"tasks": ["xnli"]}}, [f"title={text}"])
    assert str(caught.value).isprintable()


# ---- Booleans and numbers


FLAGS = ["1", "0", "yes", "no", "on", "off", "y", "2", "1.0", "'true'", "TRUE", "{}", "null"]


@pytest.mark.parametrize("place", [in_file, in_override])
@pytest.mark.parametrize("text", FLAGS)
def test_what_is_neither_true_nor_false_is_refused_where_one_of_them_belongs(tmp_path: Path, place: Place, text: str):
    with pytest.raises(ConfigError, match=r"submission: .* is neither true nor false|has no value") as caught:
        place(tmp_path, "evaluation", f"{{submission: {text}}}")
    meant = {"1": "true", "yes": "true", "on": "true", "y": "true", "TRUE": "true", "'true'": "true"}
    meant |= {"0": "false", "no": "false", "off": "false"}
    if text in meant:
        assert str(caught.value).endswith(f"Write {meant[text]}.")


@pytest.mark.parametrize("value", [1, 0, "yes", np.int64(1)])
def test_python_values_that_are_no_booleans_are_refused(value: Any):
    given = {"name": "demo", "target": {"tasks": ["xnli"]}, "evaluation": {"submission": value}}
    with pytest.raises(ConfigError, match=r"<dict>: evaluation\.submission: .* is neither true nor false"):
        load_study(given)


@pytest.mark.parametrize("place", [in_file, in_override])
@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("seeds", "[true]"),
        ("workers", "true"),
        ("adapter", "{dropout: false}"),
        ("adapter", "{reduction_factor: [4, true]}"),
        ("sweep", "{adapter.reduction_factor: [4, true]}"),
        ("intermediate", "{tasks: [mnli], full: {epochs: true}}"),
        ("intermediate", "{tasks: [mnli], overrides: {mnli: {batch_size: true}}}"),
        ("retrieval", "{layer: true}"),
        ("engine", "{gpus_per_stage: true}"),
        ("resume", "{every_minutes: true}"),
    ],
)
def test_true_is_no_number(tmp_path: Path, place: Place, key: str, text: str):
    with pytest.raises(ConfigError, match=r"(true|false) is not a number|true is not a (layer|number of GPUs)"):
        place(tmp_path, key, text)


def test_true_is_no_number_of_rows_in_a_manifest(tmp_path: Path):
    with pytest.raises(ConfigError, match=r"mine\.yaml:2: tasks\.mine\.rows\.train: true is not a whole number"):
        path = tmp_path / "mine.yaml"
        path.write_text("sources: {}\ntasks: {mine: {rows: {train: true}}}\n", encoding="utf-8")
        read_manifest(path)


@pytest.mark.parametrize("text", ["5e-4", "5.0e-4", "0.0005", "5E-4", "+5e-4"])
@pytest.mark.parametrize("place", ["file", "override"])
def test_every_way_of_writing_a_number_is_a_number(tmp_path: Path, place: str, text: str):
    path = tmp_path / "study.yaml"
    path.write_text(HEAD + (f"adapter: {{dropout: {text}}}\n" if place == "file" else ""), encoding="utf-8")
    assert load_study(path, [f"adapter.dropout={text}"] if place == "override" else [])[0].adapter.dropout == 0.0005


# ---- Files that are none


READERS: list[Callable[[Path], Any]] = [
    lambda path: load_study(Path(find_config(path))),
    lambda path: load(Path(find_config(path, "pretrain")), (), PretrainSection),
    read_manifest,
    register_from_file,
]


@pytest.mark.parametrize("read", READERS, ids=["study", "pretraining", "manifest", "tasks"])
@pytest.mark.parametrize(("make", "kind"), SPECIAL)
def test_file_of_settings_that_is_none_is_refused_at_once(
    tmp_path: Path, read: Callable[[Path], Any], make: Callable[[Path], None], kind: str
):
    path = tmp_path / "given.yaml"
    make(path)
    with pytest.raises(ConfigError, match=rf"given\.yaml: is {kind}, not a file\. Give a (YAML|Python) file"):
        read(path)


@pytest.mark.parametrize("read", READERS, ids=["study", "pretraining", "manifest", "tasks"])
@pytest.mark.parametrize("name", ["a\0b.yaml", "a" * 300 + ".yaml", "none/there.yaml"], ids=short)
def test_name_at_which_no_file_can_be_is_one_clear_error(tmp_path: Path, read: Callable[[Path], Any], name: str):
    with pytest.raises(ConfigError) as caught:
        read(tmp_path / name)
    assert str(caught.value).count("\n") == 0
    assert "\0" not in str(caught.value)


@pytest.mark.parametrize("read", READERS[:3], ids=["study", "pretraining", "manifest"])
@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("name: a\n".encode("utf-16"), r"given\.yaml: is UTF-16 text: convert it to UTF-8\.$"),
        (gzip.compress(b"name: a\n", mtime=0), r"given\.yaml: is compressed \(gzip\): unpack it\.$"),
        (b"\n<!DOCTYPE html>\n<html><body class=x: y>", r"is a web page \(HTML\): download the file again\.$"),
        (b"<html>no keys</html>", r"is a web page \(HTML\): download the file again\.$"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", r"is a pointer of Git LFS: fetch the file"),
        (b"../.git/annex/objects/xX/yY/SHA256E-s10--0.yaml", r"is a pointer of git-annex: fetch the file"),
        ("name: a\ntitle: caf\xe9\n".encode("latin-1"), r"given\.yaml:2: not UTF-8 text: byte 0xe9"),
        (b"name: a\ntitle: a\0b\n", r"given\.yaml:2: not valid YAML: the character U\+0000 cannot stand in it"),
        (b"name: a\ntitle: a\x1b[31m\n", r"given\.yaml:2: not valid YAML: the character U\+001B"),
        (b"name: a\n" + b"# x\n" * 100_000, r"is longer than 262 kB, the most that is read"),
        (b"name: a\nname: b\n", r"given\.yaml:2: name: is given twice"),
        (b"name: [\n", r"given\.yaml:2: not valid YAML: expected the node content|given\.yaml:2: not valid YAML"),
        (b"name: a\n---\nname: b\n", r"not valid YAML: but found another document"),
    ],
)
def test_text_that_is_no_yaml_is_named_by_its_cause(
    tmp_path: Path, read: Callable[[Path], Any], content: bytes, problem: str
):
    path = tmp_path / "given.yaml"
    path.write_bytes(content)
    with pytest.raises(AdaptstiltsError, match=problem) as caught:
        read(path)
    assert str(caught.value).count("\n") == 0


def test_byte_order_mark_of_utf8_is_no_part_of_the_first_key(tmp_path: Path):
    path = tmp_path / "study.yaml"
    path.write_text(HEAD, encoding="utf-8-sig")
    assert load_study(path)[0].name == "demo"


# ---- Sweeps without bound


@pytest.mark.parametrize("place", [in_file, in_override])
@pytest.mark.parametrize(
    ("key", "text", "problem"),
    [
        ("data", f"{{max_train: {list(range(1, 2002))}}}", r"data\.max_train: 2,001 variants are more than the limit"),
        ("sweep", f"{{adapter.dropout: [0, 0.1, 0.2], data.max_train: {list(range(1, 1001))}}}", "3,000 variants"),
        ("sweep", f"[{', '.join(f'{{data.max_train: {n}}}' for n in range(1, 2002))}]", "2,001 variants"),
        ("seeds", str(list(range(2001))), "2,001 seeds are more than the limit of 2,000"),
    ],
    ids=short,
)
def test_sweep_beyond_the_limit_is_refused_before_it_is_built(
    tmp_path: Path, place: Place, key: str, text: str, problem: str
):
    begin = time.process_time()
    with pytest.raises(ConfigError, match=problem) as caught:
        place(tmp_path, key, text)
    assert time.process_time() - begin < MOST_SECONDS
    assert "ADAPTSTILTS_MOST_VARIANTS" in str(caught.value)
    assert str(caught.value).count("\n") == 0


def test_limit_of_variants_is_a_setting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    given = {"name": "demo", "target": {"tasks": ["xnli"]}, "adapter": {"reduction_factor": [2, 4, 8]}}
    monkeypatch.setenv("ADAPTSTILTS_MOST_VARIANTS", "2")
    with pytest.raises(ConfigError, match=r"3 variants are more than the limit of 2\. .*ADAPTSTILTS_MOST_VARIANTS=3"):
        load_study(given)
    monkeypatch.setenv("ADAPTSTILTS_MOST_VARIANTS", "3")
    assert len(load_study(given)[0].sweep) == 3


def test_key_of_an_override_is_no_deeper_than_a_configuration():
    with pytest.raises(ConfigError, match="nested more than 40 levels deep"):
        load_study({"name": "demo", "target": {"tasks": ["xnli"]}}, [f"sweep{'.a' * 5000}=1"])
