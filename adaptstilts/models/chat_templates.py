"""Templates of chats beside a tokenizer: this package does not use them, but the library reads them. Free of torch."""

from __future__ import annotations

from pathlib import Path

from adaptstilts.errors import CheckpointError
from adaptstilts.files import read_bytes
from adaptstilts.models.strict_json import refuse

_HINT = "Remove it; templates of chats are not used."
_MOST_BYTES = 16 * 2**20


def check_template_files(folder: Path) -> None:
    """Check that the files of templates in a backbone's folder hold text, as far as there are any.

    Raises:
        CheckpointError: If one is no ordinary file, or not UTF-8.
    """
    for path in (folder / "chat_template.jinja", *sorted(folder.glob("additional_chat_templates/*.jinja"))):
        if path.is_dir():  # the library passes it over
            continue
        try:
            read_bytes(path, _MOST_BYTES, CheckpointError, _HINT).decode("utf-8")
        except FileNotFoundError:
            continue
        except UnicodeDecodeError as error:
            raise CheckpointError(f"is not UTF-8 text: {error.reason}", path=path, hint=_HINT) from error


def check_template_setting(path: Path, value: object) -> None:
    """Check the templates in a tokenizer_config.json, if they are a list: each has a name.

    Raises:
        CheckpointError: If one has none.
    """
    for index, entry in enumerate(value if isinstance(value, list) else ()):
        if not isinstance(entry, dict) or not all(isinstance(entry.get(key), str) for key in ("name", "template")):
            refuse(
                path, f"chat_template[{index}]", entry, "it must be an object with a name and a template", hint=_HINT
            )
