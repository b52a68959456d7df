"""A script that loads hostile folders and reports what happened; it runs in a process of its own.

Beside it on the path stands a stand-in `kernels` package. What is recorded: repositories that the stand-in was asked
for, files of pickles that were opened, globals that a pickle looked up, and connections to other machines.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

asked: list[str] = []
opened: list[str] = []


def watch(event: str, arguments: tuple[object, ...]) -> None:
    if event == "open" and str(arguments[0]).endswith((".bin", ".pt", ".pkl")):
        opened.append(Path(str(arguments[0])).name)
    if event in {"pickle.find_class", "socket.connect", "socket.getaddrinfo"}:
        opened.append(f"{event} {arguments[1:]}")


def loaders(folder: Path, kind: str) -> dict[str, Callable[[], object]]:
    from adaptstilts.models import backbone
    from adaptstilts.models.adapters import AdapterHost
    from adaptstilts.models.heads import load_head

    if kind == "backbone":
        return {
            "locate_backbone": lambda: backbone.locate_backbone(str(folder)),
            "load_config": lambda: backbone.load_config(str(folder)),
            "load_encoder": lambda: backbone.load_encoder(str(folder)),
            "load_tokenizer": lambda: backbone.load_tokenizer(str(folder)),
        }
    if kind == "head":
        return {"load_head": lambda: load_head(folder, 16, 0.0)}
    host = AdapterHost(backbone.load_encoder(sys.argv[2]))
    if kind == "adapter":
        return {"load": lambda: host.load(folder, "one")}
    for name in ("one", "two"):
        host.load(Path(sys.argv[3]), name)
    return {"load_fusion": lambda: host.load_fusion(folder, "fusion_both", ["one", "two"])}


def attempt(load: Callable[[], object]) -> dict[str, str]:
    try:
        load()
    except BaseException as error:  # noqa: BLE001 - any kind is reported
        return {"type": type(error).__name__, "text": str(error)}
    return {"type": "", "text": ""}


def main() -> None:
    import kernels  # the stand-in

    kernels.asked = asked
    import adapters
    import torch  # noqa: F401
    import transformers

    transformers.logging.set_verbosity_error()
    report: dict[str, object] = {}
    cases = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    for name, case in cases.items():
        attempts = loaders(Path(case["folder"]), case["kind"])
        if not report:
            sys.addaudithook(watch)
        asked.clear(), opened.clear()
        found = {function: attempt(load) for function, load in attempts.items()}
        report[name] = {"found": found, "asked": list(asked), "opened": list(opened)}
    opened.clear()
    folders = {name: case["folder"] for name, case in cases.items() if case["kind"] == "backbone"}
    plain = {name: asks(adapters, folders[name]) for name in folders if "kernel" in name or name == "other-config"}
    told = [asks(adapters, folders[name], attn_implementation="sdpa") for name in plain]
    attempt(lambda: transformers.XLMRobertaModel.from_pretrained(folders["pickle"]))
    sys.stdout.write(json.dumps({"cases": report, "plain": plain, "told": told, "opened": opened}))


def asks(adapters: Any, folder: str, **options: str) -> bool:
    """Whether the plain library asks the stand-in for a kernel."""
    asked.clear()
    attempt(lambda: adapters.XLMRobertaAdapterModel.from_pretrained(folder, **options))
    return bool(asked)


main()
