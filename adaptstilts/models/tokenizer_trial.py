"""A script that reads a tokenizer.json and cuts a few texts; `tokenizer_probe` runs it in a process of its own.

It imports nothing of this package, so that it runs with `python -I`. What the tokenizers library does with a broken
file (endless work, gigabytes of memory, a panic of its Rust code) ends this process and no other.
"""

from __future__ import annotations

import json
import sys
from contextlib import suppress
from typing import Any

TEXTS = (
    "",
    " ",
    "The doctor did not sleep: 3 trains, 1987 & 4,500 dollars (or so)!",
    "Учитель открыл старую библиотеку. नदी कहाँ है? 老师早上打开了图书馆。 فتح المعلم المكتبة",
    "é é ß İ ﬁ １２ \u200b\u200d\ufeff \U0001f469\u200d\U0001f393 \U0001f1e9\U0001f1ea",
    "".join(map(chr, range(32, 127))),
    "a" * 300 + "!",
    "ab " * 300,
)


def main() -> None:
    """Read the request, do the work, and answer with a line of JSON."""
    request = json.loads(sys.argv[1])
    _limit(request)
    sys.path[:0] = request["path"]
    try:
        answer = _tried(request["file"])
    except BaseException as error:  # noqa: BLE001 - panics of Rust are no ordinary exceptions
        answer = {"fault": str(error) or type(error).__name__}
    sys.stdout.write(json.dumps(answer) + "\n")


def _limit(request: dict[str, Any]) -> None:
    with suppress(ImportError, ValueError, OSError):  # not on every system
        import resource  # noqa: PLC0415

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_CPU, (request["seconds"], request["seconds"] + 1))
        if sys.platform == "linux":
            resource.setrlimit(resource.RLIMIT_AS, (request["bytes"], request["bytes"]))


def _tried(file: str) -> dict[str, Any]:
    """Return the largest id, and the added tokens that the library reads under another id than the file gives."""
    from tokenizers import Tokenizer  # type: ignore[import-untyped]  # noqa: PLC0415

    tokenizer = Tokenizer.from_file(file)
    tokenizer.no_truncation()
    tokenizer.no_padding()
    if not tokenizer.get_vocab_size():
        return {"fault": "its vocabulary is empty"}
    largest = max(tokenizer.get_vocab(with_added_tokens=True).values())
    for text in TEXTS:
        for encoding in (tokenizer.encode(text), tokenizer.encode(text, TEXTS[2])):
            largest = max([largest, *encoding.ids])
    with open(file, encoding="utf-8") as opened:  # noqa: PTH123 - no more imports than needed
        added = json.load(opened).get("added_tokens") or []
    others = [
        [index, entry["id"], tokenizer.token_to_id(entry["content"])]
        for index, entry in enumerate(added)
        if tokenizer.token_to_id(entry["content"]) != entry["id"]
    ]
    return {"largest": largest, "others": others[:1]}


if __name__ == "__main__":
    main()
