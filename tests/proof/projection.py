"""The states of a world of N threads and of one alone, as each thread sees them."""

from __future__ import annotations

from dataclasses import dataclass

from safepoint.model.explore import Result
from safepoint.model.process import Process


@dataclass(frozen=True)
class Projection:
    """Seen from one thread: `common` states, and how many only one of the two worlds shows."""

    thread: int
    common: int
    only_many: int
    only_one: int

    @property
    def equal(self) -> bool:
        return not self.only_many and not self.only_one


def projection(many: Result, one: Result) -> tuple[Projection, ...]:
    """Compare what each thread of `many` sees, its own bits and the words it touches, with what the thread of `one` sees."""
    alone = _seen(one, one.model.mutators[0])
    seen = [_seen(many, m) for m in many.model.mutators]
    return tuple(Projection(i, len(s & alone), len(s - alone), len(alone - s)) for i, s in enumerate(seen))


def _seen(result: Result, process: Process) -> set[str]:
    """The distinct values of its footprint, its bits put together: in a model of any size they lie in the same order."""
    shifts = [n for n in range(process.footprint.bit_length()) if process.footprint >> n & 1]
    return {
        "".join(str(key >> n & 1) for n in shifts) for key in {state & process.footprint for state in result.reached}
    }
