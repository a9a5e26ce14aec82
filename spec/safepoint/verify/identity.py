"""Which program is it?  What it finds is kept under this name, and each worker of a cluster must bear it too."""

from __future__ import annotations

import hashlib
import platform
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, entry_points, version
from importlib.util import find_spec
from pathlib import Path

import safepoint
from safepoint.differential.corpus import PROGRAMS
from safepoint.protocol.policies import FOLDED

SILENT = ("cli", "show", "bench", "protocol/equivalents")
"""Rooms that decide nothing: how a result is shown; what takes how long; and why a mutation may survive, which is told of the result afterwards."""
LIBRARIES = ("llvmlite", "numpy", "z3-solver")
"""They compute: another version of one is another engine."""


@dataclass(frozen=True, kw_only=True)
class Identity:
    """`program`: a hash of the text, of all that decides about it, of the interpreter and of the guest programs."""

    program: str
    python: str
    machine: str
    libraries: str

    @property
    def digest(self) -> str:
        """The name of all of it together."""
        return hashlib.sha256(repr(self).encode()).hexdigest()[:16]

    def other(self, here: Identity) -> str:
        """What of it is not as it is `here`, for people; "" if all is."""
        mine, theirs = asdict(self), asdict(here)
        return "; ".join(
            f"{what} is {said[:40]}, and here {theirs[what][:40]}"
            for what, said in mine.items()
            if said != theirs[what]
        )


@cache
def identity() -> Identity:
    """Of this process."""
    return Identity(
        program=_program(),
        python=f"{platform.python_implementation()} {sys.version_info[0]}.{sys.version_info[1]}",
        machine=f"{platform.system()} {platform.machine()}",
        libraries=", ".join(f"{name} {_version(name)}" for name in LIBRARIES),
    )


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "missing"


def _program() -> str:
    digest = hashlib.sha256()
    for root in _roots():
        for path in sorted(root.rglob("*.py")):
            name = path.relative_to(root).as_posix()
            is_silent = name.startswith(tuple(f"{room}/" for room in SILENT))
            if not is_silent and (root == PROGRAMS or PROGRAMS not in path.parents):  # a wheel has them inside
                content = path.read_bytes()
                digest.update(f"{name} {len(content)}\n".encode() + content)
    return digest.hexdigest()


def _roots() -> Iterator[Path]:
    """The folders of the specification, of the guest programs, and of the interpreter, where there is one."""
    yield Path(safepoint.__file__).parent
    yield PROGRAMS
    for entry in entry_points(group="safepoint.targets", name=FOLDED.name):
        found = find_spec(entry.module.partition(".")[0])
        yield from map(Path, found.submodule_search_locations or () if found else ())
