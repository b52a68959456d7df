"""Files that transformers makes a tokenizer from where there is no tokenizer.json, checked before it does.

Of a file that is missing or broken the library gives no reason.
"""

from __future__ import annotations

from pathlib import Path

from adaptstilts.errors import CheckpointError
from adaptstilts.files import BEGINNING, cause_of, read_bytes
from adaptstilts.models.library_errors import library_errors
from adaptstilts.models.model_files import VOCABULARIES
from adaptstilts.models.strict_json import read_json
from adaptstilts.models.tokenizer_files import MOST_JSON_BYTES, SAVE_AGAIN

_SENTENCEPIECE = tuple(name for name in VOCABULARIES if name.endswith(".model"))


def check_vocabulary(folder: Path) -> None:
    """Check the files of a tokenizer in a folder without a tokenizer.json; its settings have been checked.

    Raises:
        CheckpointError: If a file that its class reads is missing, or a SentencePiece model is none.
    """
    if (folder / "tokenizer.json").is_file():
        return
    _check_class(folder)
    path = next((folder / name for name in _SENTENCEPIECE if (folder / name).is_file()), None)
    if path is not None:
        _check_sentencepiece(path)


def _check_class(folder: Path) -> None:
    """Check that the files of the class that the settings name, or else that of the model's type, are there."""
    import transformers  # noqa: PLC0415
    from transformers.models.auto.tokenization_auto import TOKENIZER_MAPPING_NAMES  # noqa: PLC0415

    path, key = folder / "tokenizer_config.json", "tokenizer_class"
    config = read_json(folder / "config.json")
    name = (read_json(path).get(key) if path.is_file() else None) or config.get(key)
    if name is None:
        path, key = folder / "config.json", "model_type"
        name = next(filter(None, TOKENIZER_MAPPING_NAMES.get(str(config.get(key)), (None, None))), None)
    files = () if name is None else getattr(transformers, name).vocab_files_names.values()
    for file in files:
        if file != "tokenizer.json" and not (folder / file).is_file():
            hint = "Copy that file as well, or name the class that reads the file which is there as tokenizer_class."
            problem = f"'{name}' reads {file}, which is not there"
            raise CheckpointError(problem, path=path, key=key, value=name, hint=hint)


def _check_sentencepiece(path: Path) -> None:
    content = read_bytes(path, MOST_JSON_BYTES, CheckpointError, SAVE_AGAIN)
    cause = cause_of(content[:BEGINNING], has_lines=False, is_text=False)
    if cause is not None:
        raise CheckpointError(cause, path=path)
    with library_errors("is not a SentencePiece model", path, SAVE_AGAIN):
        from sentencepiece import SentencePieceProcessor  # noqa: PLC0415

        if not SentencePieceProcessor(model_proto=content).get_piece_size():
            raise CheckpointError("is not a SentencePiece model: it has no pieces", path=path, hint=SAVE_AGAIN)
