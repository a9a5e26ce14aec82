"""The rows of a campaign in a file, one JSON array a line, so that a campaign that was ended goes on from there."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import safepoint
from safepoint.protocol import equivalents
from safepoint.protocol.equivalents.entry import Key
from safepoint.verify.mutation import KILLED, MutationRow, key_of


@dataclass
class Kept:
    """`rows`: policy and number of a mutation -> what became of it.  `file`: where to add further ones."""

    file: Path | None = None
    rows: dict[tuple[str, int], MutationRow] = field(default_factory=dict)

    @classmethod
    def read(cls, file: Path) -> Kept:
        """The first line tells of which program the rows are.  Raises ValueError for a file that is not ours, or of another; OSError."""
        kept, head = cls(file), json.dumps({"mutate": _program()})
        lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else [head]
        if lines[:1] != [head]:
            raise ValueError(f"{file}: no rows of this version of the program (give another file, or delete this one)")
        for number, row in _rows(file, lines):
            now = replace(row, reason=equivalents.reason(key_of(row), row.policy))
            if now.reason or not row.reason:  # one that has lost its reason is to be explored further
                kept.rows[row.policy, number] = now
        if len(lines) == 1:
            file.write_text(f"{head}\n", encoding="utf-8")
        return kept

    def add(self, number: int, row: MutationRow) -> None:
        if self.file:
            with self.file.open("a", encoding="utf-8") as out:
                out.write(json.dumps([number, asdict(row)]) + "\n")


def where_killed(file: Path) -> dict[tuple[str, Key], str]:
    """Of the rows of any version of the program: policy and mutation, to the memory model and scope that killed it.

    Raises ValueError for a file that is not ours; OSError.
    """
    lines = file.read_text(encoding="utf-8").splitlines()
    if not lines or not lines[0].startswith('{"mutate": '):
        raise ValueError(f"{file}: no rows of a campaign (give a file that --rows has made)")
    rows = (row for _, row in _rows(file, lines))
    return {(row.policy, key_of(row)): f"{row.memory} {row.scope}" for row in rows if row.verdict == KILLED}


def _rows(file: Path, lines: list[str]) -> Iterator[tuple[int, MutationRow]]:
    """Number of a mutation, and what became of it.  The first line is no row.  Raises ValueError."""
    for n, line in enumerate(lines[1:], 2):
        try:
            number, said = json.loads(line)
            fields: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in said.items()}
            yield number, MutationRow(**fields)
        except (ValueError, TypeError, AttributeError):
            raise ValueError(f"{file}:{n}: not a row (delete the line)") from None


def _program() -> str:
    """A hash of all that decides what becomes of a mutation; the reasons do not."""
    root = Path(safepoint.__file__).parent
    reasons = Path(equivalents.__file__).parent
    files = sorted(path for path in root.rglob("*.py") if reasons not in path.parents)
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()
