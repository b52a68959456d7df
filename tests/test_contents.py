import os
import pickle
from pathlib import Path

import pytest

from adaptstilts import contents
from adaptstilts.contents import Pins, content_hash, held_still, move_hashes
from adaptstilts.errors import ChangedError


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "file"
    path.write_text("one")
    return path


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the files that are opened."""
    found: list[str] = []
    opened = Path.open
    monkeypatch.setattr(
        Path, "open", lambda path, *rest, **more: (found.append(path.name), opened(path, *rest, **more))[1]
    )
    return found


def settle(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let ten seconds pass."""
    now = contents.time.time_ns
    monkeypatch.setattr(contents.time, "time_ns", lambda: now() + 10_000_000_000)


def test_a_file_is_read_once_as_long_as_it_stays_the_same(file, reads, monkeypatch):
    settle(monkeypatch)
    first = content_hash(file)
    assert [content_hash(file), content_hash(file, certain=True)] == [first, first]
    assert reads == ["file"]
    content_hash(file, again=True)
    assert reads == ["file", "file"]


def test_a_file_of_the_same_size_and_time_is_read_again(file, monkeypatch):
    settle(monkeypatch)
    before, times = content_hash(file), file.stat()
    with file.open("r+") as handle:
        handle.write("two")
    os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert content_hash(file) != before


def test_a_file_that_had_just_been_written_is_read_again_where_certainty_is_asked_for(file, reads):
    first = content_hash(file)
    assert content_hash(file) == first
    assert reads == ["file"]
    assert content_hash(file, certain=True) == first
    assert reads == ["file", "file"]


def test_a_file_that_changes_while_it_is_hashed_is_not_remembered(file, reads):
    content_hash(file, on_bytes=lambda _: os.truncate(file, 1))
    content_hash(file)
    assert reads == ["file", "file"]


def test_hashes_move_with_their_folder(tmp_path, reads):
    (tmp_path / "before").mkdir()
    (tmp_path / "before" / "file").write_text("one")
    content_hash(tmp_path / "before" / "file")
    reads.clear()
    (tmp_path / "before").replace(tmp_path / "after")
    move_hashes(tmp_path / "before", tmp_path / "after", ["file", "unknown"])
    content_hash(tmp_path / "after" / "file")
    assert reads == []


def change(path: Path) -> None:
    path.write_text("other")


def put_back(path: Path) -> None:
    path.write_text("other")
    path.write_text("one")


def replace(path: Path) -> None:
    path.with_name("new").write_text("one")
    path.with_name("new").replace(path)


@pytest.mark.parametrize("act", [change, put_back, replace, Path.unlink])
def test_a_file_that_changes_while_it_is_read_is_an_error(file, act):
    said = r"file: has changed while it was read\. Nothing was stored .* Run again"
    with pytest.raises(ChangedError, match=said), held_still([file]):
        act(file)


def test_another_error_is_replaced_only_if_a_file_has_changed(file):
    with pytest.raises(ValueError, match="broken"), held_still([file]):
        raise ValueError("broken")
    with pytest.raises(ChangedError) as caught, held_still([file]):
        change(file)
        raise ValueError("broken")
    assert str(caught.value.__cause__) == "broken"


def test_pinned_files_are_held_to_their_content(file, tmp_path):
    pins = Pins()
    pins.pin([file])
    other = tmp_path / "other"
    other.write_text("x")
    with pins.reading([file, other]):
        pass
    put_back(file)
    with pins.reading([file]):
        pass
    change(file)
    with pytest.raises(ChangedError, match="file: has changed while it was in use"), pins.reading([file]):
        pass
    with pytest.raises(ChangedError, match="file: is new"):
        pins.check([file], "is new")
    pins.check([other])
    file.unlink()
    with pytest.raises(ChangedError):
        pins.check([file])


def test_pins_take_their_hashes_along_to_another_process(file, reads, monkeypatch):
    pins = Pins()
    pins.pin([file])
    sent = pickle.dumps(pins)
    monkeypatch.setattr(contents, "_hashes", {})
    arrived = pickle.loads(sent)
    reads.clear()
    assert arrived.state([file]) == ((file, content_hash(file)),)
    assert reads == []
