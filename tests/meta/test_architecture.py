"""The parts of the architecture that import-linter cannot state."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SPEC = ROOT / "spec" / "safepoint"
IMPL = ROOT / "impl" / "safepoint_vm"
STANDARD_LIBRARY_ONLY = ("protocol", "graph", "model", "guest")
CEILING = 300  # lines of one file: what is read in one sitting


def files(*parts: str) -> list[Path]:
    paths = [SPEC / part for part in parts]
    return sorted(f for p in paths for f in (p.rglob("*.py") if p.is_dir() else [p]) if f.exists())


def imported(file: Path) -> Iterator[tuple[int, str]]:
    """Line and top-level package of each import, wherever in the file it stands."""
    for node in ast.walk(ast.parse(file.read_text())):
        match node:
            case ast.Import(names=names):
                yield from ((node.lineno, alias.name.partition(".")[0]) for alias in names)
            case ast.ImportFrom(module=str(module), level=0):
                yield node.lineno, module.partition(".")[0]


@pytest.mark.parametrize("file", files(*STANDARD_LIBRARY_ONLY), ids=lambda f: str(f.relative_to(SPEC)))
def test_the_specification_proper_imports_the_standard_library_only(file: Path) -> None:
    optional = OPTIONAL.get(str(file.relative_to(SPEC)), set())
    foreign = [f"{file}:{line}: {name}" for line, name in imported(file) if name not in ALLOWED | optional]
    assert not foreign


ALLOWED = sys.stdlib_module_names | {"safepoint"}
OPTIONAL = {
    "model/fast/search.py": {"numpy"},  # the second engine: the extra `fast`
    "model/fast/backward.py": {"numpy"},
    "model/fast/table.py": {"numpy"},
}
"""Files that are left out where their library is missing; nothing else imports them at its start."""


@pytest.mark.parametrize("root", [SPEC, IMPL], ids=lambda root: root.name)
def test_a_file_is_read_in_one_sitting(root: Path) -> None:
    lines = {str(file): len(file.read_text().splitlines()) for file in root.rglob("*.py")}
    assert len(lines) > 100
    assert {file: count for file, count in lines.items() if count > CEILING} == {}, "is there a seam?"


def test_imports_are_found_where_they_are(tmp_path: Path) -> None:
    file = tmp_path / "some.py"
    file.write_text("import os.path\nfrom . import near\ndef f():\n    from numpy.linalg import det\n")
    assert list(imported(file)) == [(1, "os"), (4, "numpy")]
