"""What must hold: each property has a name, a sentence, and a place where it is decided.

*Always*: in every state that can be reached.  Those of the first table are decided here; those of the second are claims that
the roles make where they can see it best.  *Sometimes*: some state must be like that, or the rest is vacuous.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from safepoint.graph.execute import private_value
from safepoint.graph.lower import compile_helper
from safepoint.model.activity import NO_THREAD, Doing, doing, is_at
from safepoint.model.explore import Violation
from safepoint.model.required import require
from safepoint.model.system import Model
from safepoint.protocol.activities import GUEST
from safepoint.protocol.names import REQUESTS
from safepoint.protocol.words import ASKED, HANDSHAKE, NOTHING

ALWAYS: dict[str, str] = {
    "world-stopped": "While the world is stopped, no thread runs guest code.",
    "owed-is-pending": "No request is lost: a posted request that has not been taken is pending.",
    "pending-was-posted": "No request comes from nowhere: what is pending was posted, and has not been taken.",
    "taken-is-served": "Guest code runs only when its thread has served, or given back, all that it took.",
    "raises-what-is-due": "A site raises exactly what was served there: no request is swallowed, and nothing is raised for nothing.",
    "mask-holds": "No interrupt is raised in a critical section, and the beginning of one says whether it is nested.",
    "pending-is-poisoned": "A thread in guest code with a pending request fails its next check, whichever that is.",
    "awaited-is-poisoned": "A thread in guest code that a coordinator waits for fails its next check, whichever that is.",
    "no-fake-overflow": "RecursionError is raised only where the stack is really full.",
    "no-missed-overflow": "No frame is pushed where the stack is really full.",
    "no-deadlock": "Some thread can always move.",
    "served-once": "What is served was taken, and what is run was asked for and has not run yet: exactly once.",
    "done-was-run": "An operation that is marked done was run, and its requester returns only after that.",
    "stop-is-exclusive": "Where a scope says so, no operation is run while the world is stopped.",
    "handshake-alone": "While a requester runs an operation for a thread, that thread runs no guest code.",
    "sleeper-is-woken": "A sleeping thread has no deliverable request.",
    "terminate-once": "A thread that unwinds after TERMINATE is not terminated again.",
    "born-clean": "A thread begins with nothing masked, deferred or unwinding.",
    "runs-between-stops": "Where a scope says so, at most two stops in a row hold a thread.",
    "sleep-raises": "A sleep that guest code asked for raises what was pending when it ended.",
    "posts-reach-their-thread": "A post reaches the thread that its requester saw alive, not the next one in its record.",
    "declared-bound": "A request is seen within the number of checks that the policy declares; so is a stop that a coordinator waits with.",
}

SOMETIMES: dict[str, str] = {
    "stopped-while-native": "The world is stopped while a thread is in native code.",
    "half-poisoned": "A thread runs guest code with some of its trigger words poisoned and others not.",
    "posted-in-slow-path": "A request arrives at a thread that is in its slow path and has already taken others.",
    "full-and-poisoned": "A thread whose stack is really full is asked for something.",
}


class Properties:
    """The always-properties of a model, as one judgement of a state.  Raises ProtocolError for a text that they do not know."""

    def __init__(self, model: Model) -> None:
        require(model)
        self.model = model
        self.guest = [
            (m.pc.shift, m.pc.mask, frozenset(s.number for s in m.graph.steps if is_at(m.graph, s, GUEST)))
            for m in model.mutators
        ]
        self.all = [(m.pc.shift, m.pc.mask, [doing(m, s) for s in m.graph.steps]) for m in model.processes]
        self._deliverable = compile_helper(model.text, "deliverable")
        self._kinds: list[dict[int, int]] = [{} for _ in model.mutators]  # private bits -> kinds that may be delivered
        self._privates = [sum(f.mask << f.shift for f in m.privates.values()) for m in model.mutators]
        rows = [
            [c for c in model.cells if c.owner == m.me and c.word.split("[")[0] in model.policy.words]
            for m in model.mutators
        ]
        self.triggers = [[(model.cells[c].shift, model.cells[c].mask) for c in row] for row in rows]
        self.shared = [(model.cells[c].shift, model.cells[c].mask, model.initial_of(c)) for c in model.checked_by_all]
        self.fills = [m.fill for m in model.processes if m.fill]
        self.exclusive = "exclusive" in model.scope.slices
        self.waived = frozenset(model.policy.waives)

    def doings(self, state: int) -> list[Doing]:
        """What each thread and requester does."""
        return [table[state >> shift & mask] for shift, mask, table in self.all]

    def in_guest(self, state: int, thread: int) -> bool:
        shift, mask, steps = self.guest[thread]
        return (state >> shift & mask) in steps

    def poisoned(self, state: int, thread: int) -> list[bool]:
        """For each trigger word whether its check fails: it is 0, or, with bits inside the limit, below the base.

        One that all threads check is not real: it may hold who is about to make it so.
        """
        most = max(self.model.policy.base - 1, 0)
        own = [state >> shift & mask <= most for shift, mask in self.triggers[thread]]
        return own + [state >> shift & mask != real for shift, mask, real in self.shared]

    def pending(self, state: int, thread: int) -> int:
        if base := self.model.policy.base:
            limit = self.model.value(state, thread, "limit")
            deferred = self.model.mutators[thread].privates.get("deferred")
            return (limit if limit < base else 0) | (deferred.get(state) if deferred else 0)
        return self.model.value(state, thread, "pending")

    def kinds(self, state: int, thread: int) -> int:
        """The kinds of request that may be delivered to the thread now, as the text says."""
        key = state & self._privates[thread]
        kinds = self._kinds[thread].get(key)
        if kinds is None:
            values = {word: f.get(state) for word, f in self.model.mutators[thread].privates.items()}
            kinds = self._kinds[thread][key] = private_value(self._deliverable, values)
        return kinds

    def deliverable(self, state: int, thread: int) -> int:
        """Pending requests that may be delivered."""
        return self.pending(state, thread) & self.kinds(state, thread)

    def visible(self, state: int) -> bool:
        """Has every store reached memory?"""
        return not any(fill.get(state) for fill in self.fills)

    def judge(self, state: int) -> Violation | None:
        """The first always-property that the state breaks."""
        return next(self.violations(state), None)

    def violations(self, state: int) -> Iterator[Violation]:
        """Every always-property that the state breaks, unless the policy waives it."""
        doings: list[Doing] = []
        if self.exclusive:
            doings = self.doings(state)
            if any(d.stopped for d in doings) and any(d.operating != NO_THREAD for d in doings):
                yield Violation("stop-is-exclusive", "an operation is run while the world is stopped")
        for thread in range(len(self.guest)):
            if self._done_unrun(state, thread):
                yield Violation("done-was-run", f"the operation on T{thread} is marked done, and was not run")
            in_guest = self.in_guest(state, thread)
            if not in_guest and not self.is_asleep(state, thread):
                continue  # most states of a thread: it is in its slow path, in native code, or parked
            doings = doings or self.doings(state)
            for bad in self._in_guest(state, thread, doings) if in_guest else self._asleep(state, thread, doings):
                if bad.property not in self.waived:
                    yield bad

    def _in_guest(self, state: int, thread: int, doings: list[Doing]) -> Iterator[Violation]:
        if any(d.stopped for d in doings):
            yield Violation("world-stopped", f"T{thread} runs guest code while the world is stopped")
        if any(d.operating == thread for d in doings):
            yield Violation("handshake-alone", f"T{thread} runs guest code while an operation is run for it")
        yield from self._quiet(state, thread, doings)

    def _done_unrun(self, state: int, thread: int) -> bool:
        owed = self.model.owed[thread].get(state) & HANDSHAKE
        return owed != 0 and self.model.value(state, thread, "operation") == NOTHING

    def _quiet(self, state: int, thread: int, doings: list[Doing]) -> Iterator[Violation]:
        """Of a thread in guest code.  A request whose post is under way need not be seen yet; others of other kinds must be."""
        if self.model.held[thread].get(state):
            yield Violation("taken-is-served", f"T{thread} runs guest code, and holds a request that it took")
        if not self.visible(state):
            return
        under_way = self.under_way(doings, thread)
        pending, owed = self.pending(state, thread), self.model.owed[thread].get(state)
        lost = owed & ~pending
        if lost & HANDSHAKE and (under_way & HANDSHAKE or self.model.value(state, thread, "operation") != ASKED):
            lost &= ~HANDSHAKE  # its bit is a hint: it is yet to come, or a requester has claimed the operation
        if lost:
            yield Violation(
                "owed-is-pending", f"{_names(lost)} was posted to T{thread}, is not pending, and was not taken"
            )
        if false := pending & ~owed & ~HANDSHAKE:
            yield Violation("pending-was-posted", f"{_names(false)} is pending for T{thread}, and was not posted")
        if self.is_alert(state, thread):
            return
        if unseen := self.deliverable(state, thread) & ~under_way:
            yield Violation(
                "pending-is-poisoned", f"T{thread} has {_names(unseen)} pending, and a check that will not see it"
            )
        if any(d.awaiting == thread for d in doings):
            yield Violation(
                "awaited-is-poisoned", f"a coordinator waits for T{thread}, which has a check that will not see it"
            )

    def under_way(self, doings: list[Doing], thread: int) -> int:
        """The kinds of request whose post to the thread has begun and not ended."""
        kinds = 0
        for d in doings:
            if d.posting == thread:
                kinds |= d.kinds
        return kinds

    def is_asleep(self, state: int, thread: int) -> bool:
        shift, mask, table = self.all[thread]
        return table[state >> shift & mask].asleep

    def is_alert(self, state: int, thread: int) -> bool:
        """Does every check of the thread fail?  Where no trigger word is beside the bits, the bits decide."""
        words = self.poisoned(state, thread)
        return all(words) if words else bool(self.deliverable(state, thread))

    def is_at_ease(self, state: int, thread: int) -> bool:
        """Does every check of the thread pass?"""
        words = self.poisoned(state, thread)
        return not (any(words) if words else self.deliverable(state, thread))

    def _asleep(self, state: int, thread: int, doings: list[Doing]) -> Iterator[Violation]:
        if not self.visible(state) or self.model.value(state, thread, "wake"):
            return
        if unseen := self.deliverable(state, thread) & ~self.under_way(doings, thread):
            yield Violation(
                "sleeper-is-woken", f"T{thread} sleeps, with {_names(unseen)} pending, which it could answer"
            )

    def sometimes(self) -> dict[str, Callable[[int], bool]]:
        """The interesting states, as predicates."""
        full = self.model.scope.depth

        def stopped_while_native(state: int) -> bool:
            native = any(m.at(state).where[-1] == "reenter" for m in self.model.mutators)
            return native and any(d.stopped for d in self.doings(state))

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


def _names(kinds: int) -> str:
    """Of request kinds, for people."""
    return " and ".join(name for kind, name in REQUESTS.items() if kinds & kind)
