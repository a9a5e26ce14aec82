"""The invariant of the core rules, written by hand: what is true between any two steps, of the world and of every thread.

It is the protocol's argument as one would give it in prose, place by place; `induction` has a solver check that it holds at first,
that no step of the text leads out of it, and that the always-properties follow.  Each part names the rules that it rests on:
a text that breaks one of them loses that part.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import z3

from safepoint.graph.execute import POISON
from safepoint.graph.ir import Step
from safepoint.proof.guarded import DUE, HELD, OWED
from safepoint.proof.places import LOCALS, Core, hands, post_of, posts
from safepoint.proof.symbolic import LARGE, THREADS, Role, State, real, word


@dataclass(frozen=True)
class Part:
    """A conjunct of the invariant.  `sentence` is printed when a step breaks it."""

    sentence: str
    term: z3.ExprRef


class Invariant(Core):
    """What is always true, said over the words and the places of the core."""

    def world(self, s: State) -> Iterator[Part]:
        """What is true of the world and of the requesters."""
        c = self.coordinator
        for role in (c, self.interrupter):
            yield Part(f"the {role.name} stands at one of its steps", role.stands(s, role.rests.values()))
            for name in hands(role):
                yield Part(f"the {role.name} knows of no other kinds", role.get(s, name) & self.others == word(0))
        stopping = [*self.posting, *self.awaiting, *self.critical, *self.starting]
        yield Part(  # STOP-BEFORE-POST
            "`stop` is set from before the first post until the world starts, and at no other time",
            s["world", "stop"] == z3.If(c.stands(s, stopping), word(1), word(0)),
        )
        yield Part(  # one coordinator at a time
            "`lock` is held by the coordinator while it is at work",
            s["world", "lock"] == z3.If(c.stands(s, self.first), word(0), word(1)),
        )
        for step in (*self.posting, *self.awaiting):
            k = self.target(c, step, s)
            there = z3.Implies(c.stands(s, [step]), z3.And(k >= 0, k < THREADS))
            yield Part("the coordinator's loops stay among the threads that there are", there)

    def thread(self, s: State, i: z3.ExprRef) -> Iterator[Part]:
        """What is true of every thread i."""
        m, end, limit = self.mutator, self.of(s, "end", i), real("limit", i)
        pending = self.of(s, "pending", i)
        running = z3.Not(m.stands(s, self.yielding, i))
        yield Part("a thread stands at one of its steps", m.stands(s, m.rests.values(), i))
        for w in self.triggers:  # every check fails on poison, and no check fails on a real word that should not
            r, now = real(w.split("[")[0], i), self.of(s, w, i)
            yield Part(
                f"{w} is real or poisoned", z3.And(r > POISON, r < word(LARGE), z3.Or(now == r, now == word(POISON)))
            )
        yield Part("the newest frame ends within the real limit", z3.And(end >= 0, end <= limit))
        for n, step in m.rests.items():  # the push that is retried after the slow path is the push that failed
            for name in m.graph.live[n] & m.called(LOCALS["end of the new frame"]):
                same = z3.Implies(m.stands(s, [step], i), m.get(s, name, i) == end + 1)
                yield Part("a push under way asks for one frame more", same)
        yield Part(  # so that the coordinator, which reads the word, knows what the thread may do
            "`state` says whether the thread is in guest code or its slow path, or neither",
            (self.of(s, "state", i) == self.managed) == z3.Not(m.stands(s, self.away, i)),
        )
        # POST-IS-LOCKED, TAKE-IS-LOCKED, TAKEN-IS-SERVED: nothing falls between the word and the thread's hands
        yield Part("what is owed is what is pending", self.of(s, OWED, i) == pending)
        yield Part("what a thread holds is in its own hands", self.of(s, HELD, i) == self.held(s, i))
        yield Part("what is served is raised in the same step", self.of(s, DUE, i) == word(0))
        yield Part("requesters ask for STOP and INTERRUPT only, and nothing is masked", self.kinds(s, i))
        for w in self.triggers:  # POST-BEFORE-POISON, POISON-EVERY-WORD, RESTORE-BEFORE-TAKE
            known = pending & ~self.in_flight(s, i, w) != word(0)
            yield Part(
                f"outside restore and take, what is pending has poisoned {w}, unless its post is just about to",
                z3.Implies(z3.And(known, z3.Not(m.stands(s, self.taking, i))), self.of(s, w, i) == word(POISON)),
            )
        yield Part(  # STOP-BEFORE-POST, STOP-PARKS, REENTER-LOOKS-AGAIN: else it runs on, and is waited for
            "a thread that was asked to stop, and may come to run without a look at `stop`, has the STOP pending or in its hands",
            z3.Implies(z3.And(self.asked(s, i), running), (pending | self.held(s, i)) & word(self.stop) != word(0)),
        )
        yield Part(  # the stop word stays set, so each way back to guest code leads to the park
            "a thread that the coordinator has passed will look at `stop` before it runs",
            z3.Implies(self.passed(s, i), z3.Not(running)),
        )

    def held(self, s: State, i: z3.ExprRef) -> z3.ExprRef:
        """The requests that thread i has taken and not yet served: its local `bits`, where that is alive, and STOP is served first."""
        held = word(0)
        for n, step in self.mutator.rests.items():
            for name in hands(self.mutator) & self.mutator.graph.live[n]:
                unserved = self.mutator.get(s, name, i) & word(~self.stop)
                held |= z3.If(self.mutator.stands(s, [step], i), unserved, word(0))
        return held

    def in_flight(self, s: State, i: z3.ExprRef, w: str) -> z3.ExprRef:
        """The kinds that a requester has just posted to i and has not yet poisoned w for."""

        def just_said(role: Role, step: Step) -> bool:
            post = post_of(role)
            return post.said < step.number <= post.poisons.get(w, 0)

        return self._kinds_at(s, i, just_said)

    def under_way(self, s: State, i: z3.ExprRef) -> z3.ExprRef:
        """The kinds whose post to i is under way."""
        return self._kinds_at(s, i, lambda _, step: posts(step))

    def _kinds_at(self, s: State, i: z3.ExprRef, at: Callable[[Role, Step], bool]) -> z3.ExprRef:
        """What requesters ask that stand at such a step of a post to i."""
        bits = word(0)
        for role, kind in ((self.coordinator, self.stop), (self.interrupter, self.interrupt)):
            for step in (t for t in role.rests.values() if at(role, t)):
                here = z3.And(role.stands(s, [step]), self.target(role, step, s) == i)
                bits |= z3.If(here, word(kind), word(0))
        return bits

    def asked(self, s: State, i: z3.ExprRef) -> z3.ExprRef:
        """Whether the coordinator has set i's STOP bit for the stop under way."""
        c = self.coordinator
        said = post_of(c).said
        before = [z3.And(c.stands(s, [t]), i < self.target(c, t, s)) for t in self.posting]
        this = [z3.And(c.stands(s, [t]), i == self.target(c, t, s)) for t in self.posting if t.number > said]
        return z3.Or(c.stands(s, [*self.awaiting, *self.critical, *self.starting]), *before, *this)

    def passed(self, s: State, i: z3.ExprRef) -> z3.ExprRef:
        """Whether the coordinator has seen that i does not run."""
        c = self.coordinator
        turns = [z3.And(c.stands(s, [t]), i < self.target(c, t, s)) for t in self.awaiting]
        return z3.Or(c.stands(s, [*self.critical, *self.starting]), *turns)

    def properties(self, s: State, i: z3.ExprRef) -> Iterator[Part]:
        """What the invariant is for: the always-properties of `properties.py` that speak of states."""
        runs = self.mutator.stands(s, self.guest, i)
        pending, owed, under_way = self.of(s, "pending", i), self.of(s, OWED, i), self.under_way(s, i)
        poisoned = z3.And([self.of(s, w, i) == word(POISON) for w in self.triggers])
        awaited = z3.Or(
            [z3.And(self.coordinator.stands(s, [t]), self.target(self.coordinator, t, s) == i) for t in self.awaiting]
        )
        yield Part("world-stopped", z3.Not(z3.And(runs, self.coordinator.stands(s, self.critical))))
        yield Part("taken-is-served", z3.Implies(runs, self.of(s, HELD, i) == word(0)))
        yield Part("owed-is-pending", z3.Implies(runs, owed & ~pending == word(0)))
        yield Part("pending-was-posted", z3.Implies(runs, pending & ~owed == word(0)))
        yield Part("pending-is-poisoned", z3.Implies(z3.And(runs, pending & ~under_way != word(0)), poisoned))
        yield Part("awaited-is-poisoned", z3.Implies(z3.And(runs, awaited), poisoned))


def conjunction(parts: Iterable[Part]) -> z3.ExprRef:
    return z3.And([p.term for p in parts])
