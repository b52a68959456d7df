import pytest

from adaptstilts.readers.json_positions import line_of

DOCUMENT = """\
{
  "version": "1 \\" } ]",
  "data": [
    {"title": "a", "paragraphs": []},
    {
      "paragraphs": [
        {"context": "[{", "qas": [{"id": "0"},
          {"id": "1"}]}
      ]
    }
  ]
}
"""


@pytest.mark.parametrize(
    ("steps", "line"),
    [
        ((), 1),
        (("version",), 2),
        (("data",), 3),
        (("data", 0), 4),
        (("data", 1), 5),
        (("data", 1, "paragraphs", 0), 7),
        (("data", 1, "paragraphs", 0, "qas", 0), 7),
        (("data", 1, "paragraphs", 0, "qas", 1), 8),
        (("data", 1, "paragraphs", 0, "qas", 1, "id"), 8),
        (("data", 1, "nothing", 0), 5),
        (("data", 2), 3),
        (("version", 0), 2),
    ],
)
def test_line_of_value_is_where_it_begins_or_where_it_should_be(tmp_path, steps, line):
    path = tmp_path / "document.json"
    path.write_text(DOCUMENT, encoding="utf-8")
    assert line_of(path, *steps) == line


def test_line_of_value_after_a_byte_order_mark(tmp_path):
    path = tmp_path / "document.json"
    path.write_text('\ufeff\n{"a":\n1}', encoding="utf-8")
    assert line_of(path, "a") == 3
