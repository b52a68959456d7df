"""The quickstart, cut down to seconds and run once from Python."""

from __future__ import annotations

from pathlib import Path

import pytest
from small_quickstart import CUT, QUICKSTART

import adaptstilts


@pytest.fixture(scope="session")
def python_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("from_python")


@pytest.fixture(scope="session")
def study(python_folder: Path) -> adaptstilts.Study:
    """The study that is run from Python; its results lie in a folder of their own."""
    places = (f"store={python_folder / 'store'}", f"results={python_folder / 'results'}")
    return adaptstilts.load_study(QUICKSTART, *CUT, *places)


@pytest.fixture(scope="session")
def before(study: adaptstilts.Study) -> tuple[object, ...]:
    """What the study answers before anything was run."""
    with pytest.raises(adaptstilts.StoreError) as results:
        study.results()
    with pytest.raises(adaptstilts.StoreError) as network:
        study.network("xnli", method="direct")
    return study.plan("cpu"), study.status(), results.value, network.value


@pytest.fixture(scope="session")
def ran(study: adaptstilts.Study, before: tuple[object, ...]):
    """The result of the run; ``before`` comes before it."""
    return study.run(progress=False)


@pytest.fixture(scope="session")
def finished(study: adaptstilts.Study, ran: object) -> adaptstilts.Study:
    """The study, carried out."""
    return study
