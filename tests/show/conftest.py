"""The counterexample of each mutant, and its picture: searched and drawn once."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest

from safepoint.graph.text import Text
from safepoint.model.explore import Result
from safepoint.model.path import Path, path_of
from tests.model.counterexamples import counterexample
from tests.show.layout import drawn


@pytest.fixture(scope="session")
def results() -> dict[str, Result]:
    return {name: counterexample(name) for name in Text().mutants}


@pytest.fixture(scope="session")
def pictures(results: dict[str, Result]) -> dict[str, tuple[Path, ET.Element]]:
    """To be looked at, not to be changed."""
    paths = {name: path_of(result) for name, result in results.items()}
    return {name: (path, drawn(path)) for name, path in paths.items()}
