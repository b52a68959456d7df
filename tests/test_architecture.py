"""The rules that keep the package readable: imports go one way, light parts stay light, only CLI and progress write."""

import ast
import functools
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from repository import ROOT

PACKAGE = ROOT / "adaptstilts"

# A module imports from its own layer or from lower ones. Folders stand for all modules in them.
LAYERS: tuple[tuple[str, ...], ...] = (
    (
        "errors",
        "addresses",
        "arguments",
        "contents",
        "files",
        "formatting",
        "json_text",
        "languages",
        "limits",
        "runtime",
        "shipped",
        "suggestions",
        "tar_headers",
        "waiting",
    ),
    ("config",),
    ("store",),
    ("engine",),
    ("tasks", "mini"),
    ("readers",),
    ("encoding", "models"),
    ("data", "train"),
    ("evaluate", "pretrain"),
    ("results", "submission"),
    ("study/plan",),
    ("study/layout", "study/eta"),
    ("study/stages",),
    ("study/pricing",),
    ("study",),
    ("predictions", "progress"),
    ("api",),
    ("cli",),
)
RANK = {name: rank for rank, names in enumerate(LAYERS) for name in names}
# The build system: it may know configuration, and nothing of tasks or models.
BUILD_SYSTEM = ("store", "engine")
BELOW_BUILD_SYSTEM = {
    "addresses",
    "contents",
    "errors",
    "files",
    "formatting",
    "json_text",
    "languages",
    "limits",
    "runtime",
    "suggestions",
    "tar_headers",
    "config",
}
LARGEST_SHARE = 0.2

HEAVY = ("torch", "transformers", "adapters", "matplotlib", "pandas")
LIGHT = (
    "[a-z]*.py",
    "api/**/*.py",
    "cli/**/*.py",
    "config/**/*.py",
    "data/**/*.py",
    "engine/**/*.py",
    "evaluate/metrics.py",
    "evaluate/chunks.py",
    "evaluate/qa.py",
    "evaluate/checklist.py",
    "evaluate/decode.py",
    "evaluate/retrieval.py",
    "evaluate/benchmark.py",
    "mini/**/*.py",
    "models/architecture.py",
    "models/attachments.py",
    "models/backbone.py",
    "models/bottlenecks.py",
    "models/convert.py",
    "models/hub_models.py",
    "models/library_errors.py",
    "models/model_files.py",
    "models/safetensors_files.py",
    "models/strict_json.py",
    "models/unpickle.py",
    "models/weight_files.py",
    "models/tokenizer_core.py",
    "models/tokenizer_files.py",
    "models/tokenizer_probe.py",
    "models/tokenizer_trial.py",
    "predictions/**/*.py",
    "progress/**/*.py",
    "readers/**/*.py",
    "results/**/*.py",
    "shipped/**/*.py",
    "store/**/*.py",
    "study/*.py",
    "study/plan/**/*.py",
    "study/pricing/**/*.py",
    "submission/**/*.py",
    "tasks/**/*.py",
)
ADAPTERS_IMPORTERS = {"models/adapters.py"}
HOMELESS_NAMES = {"utils", "util", "helpers", "helper", "common", "misc"}
MOST_CODE_LINES = 300


@functools.cache
def modules() -> tuple[Path, ...]:
    return tuple(sorted(PACKAGE.rglob("*.py")))


@functools.cache
def names() -> frozenset[str]:
    return frozenset(map(name_of, modules()))


def name_of(path: Path) -> str:
    """`adaptstilts/tasks/spec.py` -> `adaptstilts.tasks.spec`; a package is named without `__init__`."""
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def shown(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


@functools.cache
def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def imported_names(nodes: Iterator[ast.AST] | list[ast.stmt], importer: Path) -> Iterator[tuple[str, int]]:
    """Full dotted name and line of every import among `nodes`; `from a import b` gives `a.b`."""
    package = name_of(importer) if importer.name == "__init__.py" else name_of(importer).rpartition(".")[0]
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*above, base] if base else above)
            yield from ((f"{base}.{alias.name}", node.lineno) for alias in node.names)


def at_module_level(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Statements that run on import: those under `if` and `try` too, not those under `if TYPE_CHECKING`."""
    for node in body:
        yield node
        if isinstance(node, ast.If):
            if "TYPE_CHECKING" not in ast.unparse(node.test):
                yield from at_module_level(node.body)
            yield from at_module_level(node.orelse)
        elif isinstance(node, ast.Try):
            handlers = [statement for handler in node.handlers for statement in handler.body]
            yield from at_module_level([*node.body, *handlers, *node.orelse, *node.finalbody])
        elif isinstance(node, ast.With | ast.ClassDef):
            yield from at_module_level(node.body)


def internal_imports(path: Path) -> list[tuple[str, int]]:
    """Modules of the package that `path` imports anywhere, functions and TYPE_CHECKING blocks included."""
    found = []
    for name, line in imported_names(ast.walk(parse(path)), path):
        if name.split(".")[0] == "adaptstilts":
            module = name if name in names() else name.rpartition(".")[0]
            found.append((module, line))
    return found


def part_of(module: str) -> str:
    """The name under which LAYERS holds a module, such as `study/plan` for `adaptstilts.study.plan.jobs`."""
    parts = module.split(".")[1:]
    return next((name for name in ("/".join(parts[:2]), *parts[:1]) if name in RANK), "/".join(parts[:1]))


def code_lines(path: Path) -> int:
    """Lines that hold code: no blank lines, comments or docstrings."""
    tree = parse(path)
    docstrings: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            docstrings.update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    lines = path.read_text(encoding="utf-8").splitlines()
    return sum(
        1
        for number, line in enumerate(lines, start=1)
        if line.strip() and not line.lstrip().startswith("#") and number not in docstrings
    )


def light_modules() -> list[Path]:
    return sorted({path for pattern in LIGHT for path in PACKAGE.glob(pattern)})


def test_package_has_only_parts_that_the_layers_name():
    found = {part_of(name_of(path)) for path in modules()} - {"", "__main__"}
    assert found <= set(RANK), f"add to LAYERS: {sorted(found - set(RANK))}"


def test_documentation_has_the_same_layers():
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    written: dict[str, int] = {}
    rank = -1
    for number, parts in re.findall(r"^\| (\d*) ?\| ([`\w/ ]+) \|", page, re.MULTILINE):
        rank = int(number) - 1 if number else rank
        written |= dict.fromkeys(re.findall(r"[\w/]+", parts), rank)
    assert written == RANK


def test_imports_go_from_higher_layers_to_lower_ones():
    wrong = []
    for path in modules():
        part = part_of(name_of(path))
        if part in {"", "__main__"}:
            continue
        for module, line in internal_imports(path):
            imported = part_of(module)
            if imported and RANK[imported] > RANK[part]:
                wrong.append(f"{shown(path)}:{line}: {part} imports {module}, of a higher layer")
    assert not wrong, "\n".join(wrong)


def test_build_system_knows_no_task_and_no_model():
    wrong = [
        f"{shown(path)}:{line}: imports {module}"
        for part in BUILD_SYSTEM
        for path in sorted((PACKAGE / part).rglob("*.py"))
        for module, line in internal_imports(path)
        if part_of(module) not in {*BELOW_BUILD_SYSTEM, "", part}
        and not (part == "engine" and part_of(module) == "store")
    ]
    assert not wrong, "\n".join(wrong)


def test_no_subpackage_holds_more_than_its_share_of_the_package():
    lines = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in modules()}
    sizes: dict[str, int] = {}
    for path, count in lines.items():
        part = path.relative_to(PACKAGE).parts[0]
        sizes[part] = sizes.get(part, 0) + count
    too_big = {part: count for part, count in sizes.items() if count > LARGEST_SHARE * sum(lines.values())}
    assert not too_big


def test_package_root_gives_other_modules_nothing_but_its_version():
    wrong = []
    for path in modules():
        for name, line in imported_names(ast.walk(parse(path)), path):
            module, _, last = name.rpartition(".")
            is_submodule = (PACKAGE / last).is_dir() or (PACKAGE / f"{last}.py").is_file()
            if module == "adaptstilts" and not is_submodule and last != "__version__":
                wrong.append(f"{shown(path)}:{line}: import '{last}' from the module that defines it")
    assert not wrong, "\n".join(wrong)


def test_command_line_calls_nothing_but_the_packages_public_functions():
    own = {"addresses", "cli", "api", "errors", "formatting", "progress", "__version__"}
    wrong = []
    for path in sorted((PACKAGE / "cli").glob("*.py")):
        for name, line in imported_names(ast.walk(parse(path)), path):
            top, *rest = name.split(".")
            is_own = top == "adaptstilts" and (not rest or rest[0] in own)
            if not (is_own or top in {"typer", "rich"} or top in sys.stdlib_module_names):
                wrong.append(f"{shown(path)}:{line}: imports {name}")
    assert not wrong, "\n".join(wrong)


def test_imports_form_no_cycle():
    graph = {
        name_of(path): {module for module, _ in internal_imports(path)} - {name_of(path), "adaptstilts"}
        for path in modules()
    }
    finished: set[str] = set()

    def visit(module: str, trail: list[str]) -> None:
        if module in trail:
            pytest.fail("import cycle: " + " -> ".join([*trail[trail.index(module) :], module]))
        if module not in finished:
            for imported in sorted(graph.get(module, ())):
                visit(imported, [*trail, module])
            finished.add(module)

    for module in sorted(graph):
        visit(module, [])


@pytest.mark.parametrize("pattern", LIGHT)
def test_light_list_names_modules_that_exist(pattern: str):
    assert list(PACKAGE.glob(pattern)), f"'{pattern}' matches no module; mend LIGHT"


def test_light_modules_import_nothing_heavy_at_module_level():
    wrong = []
    for path in light_modules():
        for name, line in imported_names(list(at_module_level(parse(path).body)), path):
            if name.split(".")[0] in HEAVY:
                wrong.append(f"{shown(path)}:{line}: imports {name}; import it inside the function that needs it")
    assert not wrong, "\n".join(wrong)


def test_light_modules_leave_heavy_libraries_unloaded_when_imported():
    names = [name_of(path) for path in light_modules()]
    assert names, "the light list matches no module"
    script = (
        "import importlib, sys\n"
        f"for name in {names!r}:\n"
        "    importlib.import_module(name)\n"
        f"    loaded = [heavy for heavy in {HEAVY!r} if heavy in sys.modules]\n"
        "    if loaded:\n"
        "        sys.exit(f'importing {name} loads {loaded}')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr


WRITERS = {"print", "typer.echo", "sys.stdout.write", "sys.stderr.write", "Console", "display"}
"""Calls that write to a terminal or below the cell of a notebook."""
MAY_WRITE = {"cli", "progress"}
ANSWERS_ON_STDOUT = {"models/tokenizer_trial.py", "models/unpickle.py"}
"""Programs of their own, whose output another module reads."""


@pytest.mark.parametrize("path", modules(), ids=shown)
def test_module_writes_nothing_unless_it_is_of_the_command_line_or_shows_progress(path: Path):
    calls = [
        node.lineno
        for node in ast.walk(parse(path))
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) in WRITERS
        and "file" not in {keyword.arg for keyword in node.keywords}
    ]
    may = path.relative_to(PACKAGE).parts[0] in MAY_WRITE or shown(path) in ANSWERS_ON_STDOUT
    assert not calls or may, f"writes in lines {calls}"


def test_only_the_wrappers_import_the_adapters_library():
    importers = {
        shown(path)
        for path in modules()
        for name, _ in imported_names(ast.walk(parse(path)), path)
        if name.split(".")[0] == "adapters"
    }
    assert importers == ADAPTERS_IMPORTERS


def test_modules_have_a_name_that_says_what_they_hold():
    wrong = [shown(path) for path in modules() if {path.stem, path.parent.name} & HOMELESS_NAMES]
    assert not wrong


@pytest.mark.parametrize("path", modules(), ids=shown)
def test_module_stays_below_the_ceiling_of_code_lines(path: Path):
    lines = code_lines(path)
    assert lines <= MOST_CODE_LINES, f"{shown(path)}: {lines} code lines, at most {MOST_CODE_LINES}"


@pytest.mark.parametrize("name", RANK)
def test_every_part_that_the_layers_name_exists(name: str):
    assert (PACKAGE / name).is_dir() or (PACKAGE / f"{name}.py").is_file()


@pytest.mark.parametrize("path", modules(), ids=shown)
def test_names_of_the_package_in_docstrings_exist(path: Path):
    known = names()
    for full in re.findall(r"`(adaptstilts(?:\.\w+)+)", path.read_text(encoding="utf-8")):
        module = max((name for name in known if full == name or full.startswith(f"{name}.")), key=len)
        rest = full[len(module) + 1 :].split(".")[0]
        defined = ast.unparse(parse(next(other for other in modules() if name_of(other) == module)))
        assert not rest or re.search(rf"\b{rest}\b", defined), f"{shown(path)}: there is no {full}"
