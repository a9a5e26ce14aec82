"""The pinned counts, made anew: `python -m tests.model.pinning` after a change of the text, whose reason the commit tells; with
`missing` only what is not pinned yet, after a new policy or scope.

What is pinned is what our explorer counts; that it counts right is for `test_spin` to say, where Spin counts the same, and for
`test_arrays`, where two engines do.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from safepoint.graph.text import Text
from safepoint.model.engines import engine
from safepoint.model.properties import Properties
from safepoint.model.scopes import SCOPES, late
from safepoint.model.system import Model
from safepoint.protocol.policies import FOLDED, POLICIES
from safepoint.verify.text import plan

DATA = Path(__file__).parent / "data"
COUNTS, NIGHTLY = DATA / "counts.json", DATA / "counts_nightly.json"


def planned() -> list[str]:
    """What `verify` explores."""
    return ["/".join(job) for job in plan()]


def planned_nightly() -> list[str]:
    return [f"{FOLDED.name}/{memory}/{scope.name}" for memory, scope in late()]


def counts(key: str) -> list[int]:
    """States and transitions of policy/memory/scope.  Raises AssertionError if a property is broken."""
    policy, memory, name = key.split("/")
    model = Model(Text(), SCOPES[name], "", POLICIES[policy], memory)
    began = time.process_time()
    result = engine()(model, Properties(model).judge)
    print(f"{key}: {result.states:,} states, {time.process_time() - began:.1f} s", flush=True)
    assert not result.broken, f"{key}: {result.broken}: {result.detail}"
    return [result.states, result.transitions]


def write(file: Path, keys: list[str], *, known: bool) -> None:
    """known: keep what the file has of these."""
    before = json.loads(file.read_text(encoding="utf-8")) if known else {}
    lines = [f' "{key}": {json.dumps(before.get(key) or counts(key))}' for key in keys]
    file.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    missing = sys.argv[1:] == ["missing"]
    write(COUNTS, planned(), known=missing)
    write(NIGHTLY, planned_nightly(), known=missing)
