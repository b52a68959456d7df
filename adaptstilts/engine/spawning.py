"""Starting processes that import the package and nothing of the program that starts them."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from types import ModuleType


@contextlib.contextmanager
def without_main_module() -> Iterator[None]:
    """Hide the program's main module, which a process that is spawned in the block would run again.

    Workers import all they need from the package, so a script that runs a study needs no ``__main__`` guard.
    """
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main
