import pytest

from adaptstilts.study.stages.match import pool_note
from adaptstilts.tasks.registry import get_task


@pytest.mark.parametrize(
    ("name", "languages", "note"),
    [
        ("lareqa", ["en"], "pool of 1,180 candidates in 1 of 11 languages"),
        ("lareqa", ["en", "de"], "pool of 1,180 candidates in 2 of 11 languages"),
        ("mewslix", ["en"], "pool of 1,180 candidates"),
    ],
)
def test_pool_note_says_how_many_languages_are_there_where_each_has_a_file(name, languages, note):
    assert pool_note(get_task(name), languages, 1180) == note
