import pytest

from adaptstilts.readers.listing import Listing


@pytest.fixture
def root(tmp_path):
    for name in ("b.txt", "x/a_1.txt", "x/a_2.txt", "y/a_1.txt", "y/deep/c.txt"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return tmp_path


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("b.txt", ["b.txt"]),
        ("x/a_2.txt", ["x/a_2.txt"]),
        ("x/a_*.txt", ["x/a_1.txt", "x/a_2.txt"]),
        ("*/a_*.txt", ["x/a_1.txt", "y/a_1.txt", "x/a_2.txt"]),
        ("*/deep/c.txt", ["y/deep/c.txt"]),
        ("x", ["x"]),
        ("y/deep", ["y/deep"]),
        ("y/d*", []),
        ("none/b.txt", []),
        ("b.txt/b.txt", []),
        ("z*/a_1.txt", []),
    ],
)
def test_matches_gives_what_has_a_name_and_the_files_of_a_pattern_in_their_order(root, pattern, expected):
    assert [path.relative_to(root).as_posix() for path in Listing(root).matches(pattern)] == expected


def test_matches_looks_into_a_folder_once(root):
    listing = Listing(root)
    assert len(listing.matches("x/a_*.txt")) == 2
    (root / "x" / "a_3.txt").touch()
    assert len(listing.matches("x/a_*.txt")) == 2
    assert len(Listing(root).matches("x/a_*.txt")) == 3


def test_doubled_slashes_name_the_same_folder(tmp_path):
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "c.tsv").touch()
    for pattern in ("a/b/c.tsv", "a//b/c.tsv", "a/b//c.tsv", "a//b//*.tsv"):
        assert [path.name for path in Listing(tmp_path).matches(pattern)] == ["c.tsv"]
    assert Listing(tmp_path).matches("a//c/c.tsv") == ()
