"""Lets events happen in all the ways that are kept.

An event concerns the actors and words that its footprint meets, and the doubts about these.  What it leads to depends on nothing
else: so it is worked out once for each such neighbourhood, and then looked up.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from safepoint.trace.candidate import Candidate, Made, Near
from safepoint.trace.crowd import NOT_MET, Crowd, Told
from safepoint.trace.doubt import Doubt
from safepoint.trace.orders import MOST_CANDIDATES, TOO_MANY, Undecided, least, orders
from safepoint.trace.steps import NEW, Step, Value
from safepoint.trace.ways import Ways


class World(Ways):
    """Between two events each actor stands where the hidden steps that the words allow may have led it."""

    def at_once(self, told: Told) -> bool:
        """Let an event happen now, if that is the same as later: it can, changes no word, and no hidden step comes before it."""
        actor = told.actor
        stand = self.stands[actor]
        if isinstance(stand, Doubt):
            return self._in_each_way(told, stand)
        if stand.reads:
            return False
        word = told.word
        value = self.memory[word] if word >= 0 else 0
        found = stand.quick.get((told, value)) or self._only(stand, told, value)
        if found is None or (word >= 0 and found[0] != value):
            return False
        then = found[1]
        if then.reads or actor in self.active:
            return self.stand_at(actor, then)
        self.stands[actor] = then
        return True

    def close(self, told: Told, alone: bool) -> bool:
        """The interval of an event has ended: keep the candidates in which it has happened.  False: there is none.

        alone: no other is open.  Raises Undecided.
        """
        actor = told.actor
        if actor in self.done:
            self.done.discard(actor)
            return True
        stand = self.stands[actor]
        if (not alone or self.doubts) and (isinstance(stand, Doubt) or not self._is_apart(actor)):
            return self._among_others(told)
        assert not isinstance(stand, Doubt)
        word = told.word
        value = self.memory[word] if word >= 0 else 0
        found = stand.quick.get((told, value)) or self._only(stand, told, value)
        if found is None:
            return self._among_others(told)
        new, then = found
        if word >= 0 and new != value:
            self.memory[word] = new
            if alone and self.active:
                self._look(word, actor)
        self.opened[actor] = None
        if alone:
            self.stale.clear()
        if then.reads:
            return self.stand_at(actor, then)
        self.stands[actor] = then
        if actor in self.active:
            self.active.remove(actor)
            self.touched[actor] = self.felt[actor] = 0
        return True

    def _look(self, word: int, actor: int) -> None:
        """A word has changed, and nothing is open or in doubt: the hidden steps of others may read it."""
        for other in [each for each in self.active if self.touched[each] >> word & 1 and each != actor]:
            stand = self.stands[other]
            assert isinstance(stand, Crowd)
            self.stand_at(other, stand)

    def _is_apart(self, actor: int) -> bool:
        """Does nothing that is open, in doubt or hidden meet its footprint?"""
        if self.stale:
            self._refresh()
        mine, felt = self.touched[actor], self.felt
        for other in self.active:
            if mine & felt[other] and other != actor:
                return False
        return not self.doubtful & mine

    def _refresh(self) -> None:
        for actor in self.stale:
            told = self.opened[actor]
            foot = None if told is None else self.stands[actor].feet.get(told)
            if foot is None:
                self.foot(actor)
            else:
                self.touched[actor], self.felt[actor] = foot
                self.active.add(actor)
        self.stale.clear()

    def _only(self, crowd: Crowd, told: Told, value: Value) -> tuple[int, Crowd] | None:
        """What the event leads to, if only to one thing: what its word holds then, and the crowd."""
        return None if isinstance(value, Doubt) else self.rules.only(crowd, told, value)

    def _in_each_way(self, told: Told, doubt: Doubt) -> bool:
        """As `at_once`, where a doubt decides where the actor stands."""
        if told.word == NOT_MET:
            return False
        value = 0 if told.word < 0 else self.memory[told.word]
        if isinstance(value, Doubt) and value is not doubt:
            return False
        key = told, doubt, value, *[self.opened[actor] for actor in doubt.actors]
        step = self.steps.known.get(key, NEW)
        if step is NEW:
            step = self.steps.keep(key, self._each_way(told, doubt, value))
        if step is not None:
            self.take(step, [doubt])
        return step is not None

    def _each_way(self, told: Told, doubt: Doubt, value: Value) -> Step | None:
        at, row = doubt.actors.index(told.actor), doubt.words.index(told.word) if value is doubt else None
        after: list[Candidate] = []
        for crowds, values, done in doubt.candidates():
            crowd = crowds[at]
            held = values[row] if row is not None else value
            assert isinstance(held, int)
            found = None if crowd.reads or crowd.is_idle else self.rules.only(crowd, told, held)
            if found is None or found[1].reads or (told.word >= 0 and found[0] != held):
                return None
            after.append(((*crowds[:at], found[1], *crowds[at + 1 :]), values, done))
        return self.step(doubt.actors, doubt.words, after)

    def _among_others(self, told: Told) -> bool:
        """As `close`, where others meet the footprint."""
        if self.stale:
            self._refresh()
        near, joined = self._neighbourhood(told.actor)
        stands, opened, held = near.of_actors(self.stands), near.of_actors(self.opened), near.of_words(self.memory)
        key = told, near, *stands, *opened, *held
        step = self.steps.known.get(key, NEW)
        if step is NEW:
            others = [near.made(other) for other in opened if other is not None and other is not told]
            step = self.steps.keep(key, self._work_out(near, near.made(told), others, joined))
        if step is None:
            return False
        self.take(step, joined)
        return True

    def _neighbourhood(self, actor: int) -> tuple[Near, list[Doubt]]:
        """The actors, words and doubts on which what it leads to may depend: all that its footprint meets, and theirs, and so on."""
        touched, felt, higher = self.touched, self.felt, self.rules.memory
        ours, actors, joined = touched[actor], 1 << actor, list[Doubt]()
        grown = True
        while grown:
            grown = False
            met, there = ours, actors
            for doubt in self.doubts:
                if (doubt.mask & met or doubt.group & there) and doubt not in joined:
                    grown = True
                    joined.append(doubt)
                    actors |= doubt.group
                    ours |= doubt.mask | doubt.mask << higher
                    for each in doubt.actors:
                        ours |= touched[each]
            met = ours
            for each in self.active:
                if met & felt[each] and not actors >> each & 1:
                    grown = True
                    actors |= 1 << each
                    ours |= touched[each]
        return self.steps.near(self.rules, actors, ours & ~(-1 << higher)), joined

    def _work_out(self, near: Near, made: Made, others: Sequence[Made], doubts: Sequence[Doubt]) -> Step | None:
        """What the event leads to; others: that are open.  None: it cannot have happened."""
        if doubts and prod([len(doubt.ways) for doubt in doubts]) > MOST_CANDIDATES:
            raise Undecided(TOO_MANY)
        after, mine = list[Candidate](), made[2]
        for candidate in self.candidates(near, doubts):
            after += [candidate] if candidate[2] & mine else orders(near, candidate, made, others)
        kept = least(near, [(crowds, values, done & ~mine) for crowds, values, done in after], others)
        if not kept:
            return None
        if len(kept) > MOST_CANDIDATES:
            raise Undecided(TOO_MANY)
        return self.step(near.actors, near.words, kept, closed=made[0])
