"""The package works without its repository: what its wheel contains, and, in `make slow`, a study run from it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from importlib import metadata
from pathlib import Path

import pytest
from repository import ROOT

MOST_BYTES = 8_000_000
SHIPPED = {
    "configs": (ROOT / "configs", ("*.yaml", "README.md")),
    "checkpoints/mini": (ROOT / "checkpoints" / "mini", ("*",)),
    "docs": (ROOT / "docs", ("*.md", "*.ipynb")),
}
TABLE = "Points above or below 'direct', mean over all languages"


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what is needed for building, so that nothing is written to the repository."""
    if int(metadata.version("setuptools").split(".")[0]) < 77:
        pytest.skip("builds a wheel with no network: needs setuptools 77 in this environment")
    copy = tmp_path_factory.mktemp("source")
    skipped = shutil.ignore_patterns("__pycache__")
    for name in ("adaptstilts", "configs", "docs"):
        shutil.copytree(ROOT / name, copy / name, ignore=skipped)
    shutil.copytree(ROOT / "checkpoints" / "mini", copy / "checkpoints" / "mini")
    for name in ("pyproject.toml", "setup.py", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy)
    return copy


@pytest.fixture(scope="module")
def wheel(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    pip(sys.executable, "wheel", str(source), "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder))
    (built,) = folder.glob("*.whl")
    return built


def pip(python: str | Path, *words: str) -> None:
    run([python, "-m", "pip", "--disable-pip-version-check", *words, "--quiet", "--no-index"])


def run(words: list[str | Path], cwd: Path | None = None) -> str:
    outside = {key: value for key, value in os.environ.items() if key not in {"PYTHONPATH", "VIRTUAL_ENV"}}
    done = subprocess.run(
        words, cwd=cwd, env=outside, capture_output=True, text=True, encoding="utf-8", check=False, timeout=3600
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def shipped_files() -> set[str]:
    """What a wheel should contain below adaptstilts/shipped, besides code."""
    return {
        f"adaptstilts/shipped/{name}/{path.name}"
        for name, (folder, patterns) in SHIPPED.items()
        for pattern in patterns
        for path in folder.glob(pattern)
        if path.is_file()
    }


def test_wheel_holds_configurations_backbone_documentation_and_licence(wheel: Path):
    names = set(zipfile.ZipFile(wheel).namelist())
    data = {name for name in names if name.startswith("adaptstilts/shipped/") and not name.endswith(".py")}
    assert data == shipped_files()
    assert len(data) > 20
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert "adaptstilts/py.typed" in names


def test_wheel_holds_every_module_and_data_file_of_the_package(wheel: Path):
    names = set(zipfile.ZipFile(wheel).namelist())
    package = [path for path in (ROOT / "adaptstilts").rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    assert [path for path in package if path.relative_to(ROOT).as_posix() not in names] == []


def test_wheel_is_small(wheel: Path):
    assert wheel.stat().st_size < MOST_BYTES


def test_wheel_holds_the_backbone_byte_by_byte(wheel: Path):
    with zipfile.ZipFile(wheel) as archive:
        for path in (ROOT / "checkpoints" / "mini").iterdir():
            assert archive.read(f"adaptstilts/shipped/checkpoints/mini/{path.name}") == path.read_bytes()


def test_source_distribution_holds_what_the_wheel_needs(source: Path, tmp_path: Path):
    script = f"import setuptools.build_meta as build; build.build_sdist({str(tmp_path)!r})"
    run([sys.executable, "-c", script], cwd=source)
    (built,) = tmp_path.glob("*.tar.gz")
    with tarfile.open(built) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    shipped = {name.removeprefix("adaptstilts/shipped/") for name in shipped_files()}
    assert shipped | {"setup.py", "pyproject.toml", "LICENSE"} <= names


@pytest.mark.slow
def test_installed_package_runs_the_quickstart_by_name_in_an_empty_folder(wheel: Path, tmp_path: Path):
    """The environment is new, except that it sees the libraries of this one: nothing is downloaded."""
    environment, work = tmp_path / "environment", tmp_path / "work"
    work.mkdir()
    run([sys.executable, "-m", "venv", environment])
    python = environment / "bin" / "python"
    (site,) = environment.glob("lib/python*/site-packages")
    pip(python, "install", "--no-deps", str(wheel))
    # A line of a .pth file adds a folder without running the .pth files in it, so that no editable install comes along.
    (site / "libraries.pth").write_text(sysconfig.get_paths()["purelib"] + "\n", encoding="utf-8")
    assert str(site) in run([python, "-c", "import adaptstilts; print(adaptstilts.__file__)"], cwd=work)

    printed = run([environment / "bin" / "adaptstilts", "run", "quickstart"], cwd=work)

    assert TABLE in printed
    assert [row.split()[0] for row in rows_of(printed)] == [row.split()[0] for row in rows_of(readme())]
    assert [path.name for path in work.iterdir()] == ["checkpoints"]
    assert (work / "checkpoints" / "studies" / "quickstart" / "report.md").is_file()


def readme() -> str:
    return (ROOT / "README.md").read_text(encoding="utf-8")


def rows_of(text: str) -> list[str]:
    """Lines of the first table, from its header to its first note."""
    table = text[text.index(TABLE) :]
    return re.findall(r"^ ?\s*(?:\w.*)$", table[table.index("─\n") : table.index(" ¹")], re.MULTILINE)
