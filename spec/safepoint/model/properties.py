"""What must hold: each property has a name, a sentence, and a place where it is decided.

*Always*: in every state that can be reached.  Those of the first table are decided here; those of the second are claims that
the roles of `environment` make where they can see it best.  *Sometimes*: some state must be like that, or the rest is vacuous.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from safepoint.graph.ir import SELF, Step
from safepoint.model.process import Mover
from safepoint.model.system import Model

ALWAYS: dict[str, str] = {
    "world-stopped": "While the world is stopped, no thread runs guest code.",
    "owed-is-pending": "A request that was posted and not answered is pending: it is never in nobody's hands.",
    "pending-is-poisoned": "A thread in guest code with a pending request fails its next check, whichever that is.",
    "awaited-is-poisoned": "A thread in guest code that a coordinator waits for fails its next check, whichever that is.",
    "no-fake-overflow": "RecursionError is raised only where the stack is really full.",
    "no-missed-overflow": "No frame is pushed where the stack is really full.",
    "no-deadlock": "Somebody can always move.",
    "served-once": "An operation runs only if it was asked for and has not run yet: exactly once.",
    "handshake-alone": "While somebody runs an operation for a thread, that thread runs no guest code.",
    "sleeper-is-woken": "A thread that sleeps has no request that it could answer.",
    "terminate-once": "A thread that unwinds after TERMINATE is not terminated again.",
    "declared-bound": "A request is seen within the number of checks that the policy declares.",
}

SOMETIMES: dict[str, str] = {
    "stopped-while-native": "The world is stopped while a thread is in native code.",
    "half-poisoned": "A thread runs guest code with some of its trigger words poisoned and others not.",
    "posted-in-slow-path": "A request arrives at a thread that is in its slow path and has already taken others.",
    "full-and-poisoned": "A thread whose stack is really full is asked for something.",
}


POSTING = {"post", "give_back", "add_to_limit"}
"""Procedures in the middle of which a request is on its way; one that was taken and given back is on its way again."""

HANDSHAKE, ASKED = 2, 1
"""The one kind that somebody else may answer: its bit is a hint, and `operation` says whether it is still asked for."""


@dataclass(frozen=True)
class Place:
    """Where a thread is: whom it posts to, awaits or operates on (-1: nobody), whether it has stopped the world, or sleeps."""

    posting: int = -1
    awaiting: int = -1
    operating: int = -1
    stopped: bool = False
    asleep: bool = False


def place(mover: Mover, step: Step) -> Place:
    owner = _owner(mover, step)
    return Place(
        posting=owner if POSTING & set(step.where) else -1,
        awaiting=owner if step.where[-1] == "stop_world" and step.op == "load" else -1,
        operating=owner if step.where[-1] == "operate" else -1,
        stopped=step.where[-1] == "critical",
        asleep=step.where[-1] == "block" and step.guard is not None,
    )


def _owner(mover: Mover, step: Step) -> int:
    if step.cell is None:
        return -1
    owner = mover.me if step.cell.owner == SELF else step.cell.owner
    return owner if isinstance(owner, int) else -1


class Properties:
    """The always-properties of a model, as one judgement of a state."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.guest = [(m.pc.shift, m.pc.mask, _guest_steps(m)) for m in model.mutators]
        self.all = [(m.pc.shift, m.pc.mask, [place(m, s) for s in m.graph.steps]) for m in model.movers]
        rows = [
            [c for c in model.cells if c.owner == m.me and c.word.split("[")[0] in model.policy.triggers]
            for m in model.mutators
        ]
        self.triggers = [[(model.cells[c].shift, model.cells[c].mask) for c in row] for row in rows]
        self.fills = [m.fill for m in model.movers if m.fill]
        self.waived = frozenset(model.policy.waives)

    def places(self, state: int) -> list[Place]:
        return [table[state >> shift & mask] for shift, mask, table in self.all]

    def in_guest(self, state: int, thread: int) -> bool:
        shift, mask, steps = self.guest[thread]
        return (state >> shift & mask) in steps

    def poisoned(self, state: int, thread: int) -> list[bool]:
        """For each trigger word whether its check fails: it is 0, or, with bits inside the limit, below the base."""
        most = max(self.model.policy.base - 1, 0)
        return [state >> shift & mask <= most for shift, mask in self.triggers[thread]]

    def pending(self, state: int, thread: int) -> int:
        if base := self.model.policy.base:
            limit = self.model.value(state, thread, "limit")
            return limit if limit < base else 0
        return self.model.value(state, thread, "pending")

    def deliverable(self, state: int, thread: int) -> int:
        """Pending bits that the thread does not keep for later."""
        privates = self.model.mutators[thread].privates
        kept = sum(privates[word].get(state) for word in ("masked", "ending") if word in privates)
        return self.pending(state, thread) & ~kept

    def visible(self, state: int) -> bool:
        """Has every store reached memory?"""
        return not any(fill.get(state) for fill in self.fills)

    def judge(self, state: int) -> str:
        """The first always-property that the state breaks, as "name: detail", or ""."""
        places = self.places(state)
        for thread in range(len(self.guest)):
            if self.in_guest(state, thread):
                if any(p.stopped for p in places):
                    return f"world-stopped: T{thread} runs guest code while the world is stopped"
                if any(p.operating == thread for p in places):
                    return f"handshake-alone: T{thread} runs guest code while an operation is run for it"
                bad = self._quiet(state, thread, places)
            elif places[thread].asleep:
                bad = self._asleep(state, thread, places)
            else:
                bad = ""
            if bad and bad.partition(":")[0] not in self.waived:
                return bad
        return ""

    def _quiet(self, state: int, thread: int, places: list[Place]) -> str:
        """Of a thread in guest code to which no post is on its way: what a post has not done yet is not owed."""
        if any(p.posting == thread for p in places) or not self.visible(state):
            return ""
        lost = self.model.owed[thread].get(state) & ~self.pending(state, thread)
        if lost & ~HANDSHAKE or (lost and self.model.value(state, thread, "operation") == ASKED):
            return f"owed-is-pending: T{thread} was sent a request that nobody holds any more"
        if self.is_alert(state, thread):
            return ""
        if self.deliverable(state, thread):
            return f"pending-is-poisoned: T{thread} has a pending request, and a check that will not see it"
        if any(p.awaiting == thread for p in places):
            return f"awaited-is-poisoned: a coordinator waits for T{thread}, which has a check that will not see it"
        return ""

    def is_alert(self, state: int, thread: int) -> bool:
        """Does every check of the thread fail?  Where no trigger word is beside the bits, the bits decide."""
        words = self.poisoned(state, thread)
        return all(words) if words else bool(self.deliverable(state, thread))

    def _asleep(self, state: int, thread: int, places: list[Place]) -> str:
        if (
            any(p.posting == thread for p in places)
            or not self.visible(state)
            or self.model.value(state, thread, "wake")
        ):
            return ""
        if self.deliverable(state, thread):
            return f"sleeper-is-woken: T{thread} sleeps, with a request pending that it could answer"
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
            parked = (i for i, m in enumerate(self.model.mutators) if m.at(state).where[-1] == "park")
            return any(self.pending(state, i) for i in parked)

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
