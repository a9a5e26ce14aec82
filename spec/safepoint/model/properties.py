"""What must hold: each property has a name, a sentence, and a place where it is decided.

*Always*: in every state that can be reached.  Those of the first table are decided here; those of the second are claims that
the roles of `environment` make where they can see it best.  *Sometimes*: some state must be like that, or the rest is vacuous.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from safepoint.model.graph import Step
from safepoint.model.system import Model, Mover

ALWAYS: dict[str, str] = {
    "world-stopped": "While the world is stopped, no thread runs guest code.",
    "owed-is-pending": "A request that was posted and not answered is pending: it is never in nobody's hands.",
    "pending-is-poisoned": "A thread in guest code with a pending request fails its next check, whichever that is.",
    "awaited-is-poisoned": "A thread in guest code that a coordinator waits for fails its next check, whichever that is.",
    "no-fake-overflow": "RecursionError is raised only where the stack is really full.",
    "no-missed-overflow": "No frame is pushed where the stack is really full.",
    "no-deadlock": "Somebody can always move.",
    "declared-bound": "A request is seen within the number of checks that the policy declares.",
}

SOMETIMES: dict[str, str] = {
    "stopped-while-native": "The world is stopped while a thread is in native code.",
    "half-poisoned": "A thread runs guest code with some of its trigger words poisoned and others not.",
    "posted-in-slow-path": "A request arrives at a thread that is in its slow path and has already taken others.",
    "full-and-poisoned": "A thread whose stack is really full is asked for something.",
}


@dataclass(frozen=True)
class Place:
    """Where a requester is: whom it is posting to, whom it awaits (-1: nobody), and whether the world is stopped."""

    posting: int = -1
    awaiting: int = -1
    stopped: bool = False


def place(step: Step) -> Place:
    owner = step.cell.owner if step.cell and isinstance(step.cell.owner, int) else -1
    posting = owner if "post" in step.where else -1
    awaiting = owner if step.where[-1] == "stop_world" and step.op == "load" else -1
    return Place(posting, awaiting, step.where[-1] == "critical")


class Properties:
    """The always-properties of a model, as one judgement of a state."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.guest = [(m.pc.shift, m.pc.mask, _guest_steps(m)) for m in model.mutators]
        self.requesters = [(m.pc.shift, m.pc.mask, [place(s) for s in m.graph.steps]) for m in model.requesters]
        words = [
            [c for c in model.cells if c.owner == m.me and c.word.split("[")[0] in model.reals] for m in model.mutators
        ]
        self.triggers = [[(model.cells[c].shift, model.cells[c].mask) for c in row] for row in words]
        self.pending = [
            next(f for c, f in model.cells.items() if c.owner == m.me and c.word == "pending") for m in model.mutators
        ]

    def places(self, state: int) -> list[Place]:
        return [table[state >> shift & mask] for shift, mask, table in self.requesters]

    def in_guest(self, state: int, thread: int) -> bool:
        shift, mask, steps = self.guest[thread]
        return (state >> shift & mask) in steps

    def poisoned(self, state: int, thread: int) -> list[bool]:
        return [state >> shift & mask == 0 for shift, mask in self.triggers[thread]]

    def judge(self, state: int) -> str:
        """The first always-property that the state breaks, as "name: detail", or ""."""
        places: list[Place] | None = None
        for thread in range(len(self.guest)):
            if not self.in_guest(state, thread):
                continue
            places = places or self.places(state)
            if any(p.stopped for p in places):
                return f"world-stopped: T{thread} runs guest code while the world is stopped"
            if any(p.posting == thread for p in places):
                continue  # a post is on its way: what it has not done yet is not owed
            pending = self.pending[thread].get(state)
            if self.model.owed[thread].get(state) & ~pending:
                return f"owed-is-pending: T{thread} was sent a request that nobody holds any more"
            if all(self.poisoned(state, thread)):
                continue
            if pending:
                return f"pending-is-poisoned: T{thread} has a pending request, and a check that will not see it"
            if any(p.awaiting == thread for p in places):
                return f"awaited-is-poisoned: a coordinator waits for T{thread}, which has a check that will not see it"
        return ""

    def sometimes(self) -> dict[str, Callable[[int], bool]]:
        """The interesting states, as predicates."""
        full = self.model.scope.depth

        def stopped_while_native(state: int) -> bool:
            native = any(m.at(state).where[-1] == "reenter" for m in self.model.mutators)
            return native and any(p.stopped for p in self.places(state))

        def half_poisoned(state: int) -> bool:
            return any(
                self.in_guest(state, t) and len(set(self.poisoned(state, t))) == 2 for t in range(len(self.guest))
            )

        def posted_in_slow_path(state: int) -> bool:
            parked = (m.me for m in self.model.mutators if m.at(state).where[-1] == "park")
            return any(self.model.value(state, t, "pending") for t in parked)

        def full_and_poisoned(state: int) -> bool:
            return any(
                m.privates["end"].get(state) == full and self.in_guest(state, i) and all(self.poisoned(state, i))
                for i, m in enumerate(self.model.mutators)
            )

        return {
            "stopped-while-native": stopped_while_native,
            "half-poisoned": half_poisoned,
            "posted-in-slow-path": posted_in_slow_path,
            "full-and-poisoned": full_and_poisoned,
        }


def _guest_steps(mutator: Mover) -> frozenset[int]:
    """Where a mutator chooses what to do next: it is in guest code there, and nowhere else."""
    return frozenset(s.number for s in mutator.graph.steps if s.op == "choose")
