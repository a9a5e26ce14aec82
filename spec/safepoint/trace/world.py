"""Lets events happen in all the ways that are kept.

An event concerns the actors and words that its footprint meets, and the doubts about these.  What it leads to depends on nothing
else: so it is worked out once for each such neighbourhood, and then looked up.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from safepoint.trace.candidate import Candidate
from safepoint.trace.crowd import NOT_MET, Crowd, Told
from safepoint.trace.doubt import Doubt, Way
from safepoint.trace.orders import MOST_CANDIDATES, TOO_MANY, Undecided, least, orders
from safepoint.trace.steps import Key, Step, Value
from safepoint.trace.ways import Ways


class World(Ways):
    """Between two events each actor stands where the hidden steps that the words allow may have led it."""

    def begin(self, told: Told) -> None:
        """The interval of an event has begun.  Its actor has no other that is open."""
        self.opened[told.actor] = told
        self.stale.append(told.actor)

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

    def close(self, told: Told, *, alone: bool) -> bool:
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
            self.reads[actor] = self.writes[actor] = 0
        return True

    def _look(self, word: int, actor: int) -> None:
        """A word has changed, and nothing is open or in doubt: the hidden steps of others may read it."""
        for other in [each for each in self.active if self.reads[each] >> word & 1 and each != actor]:
            stand = self.stands[other]
            assert isinstance(stand, Crowd)
            self.stand_at(other, stand)

    def _is_apart(self, actor: int) -> bool:
        """Does nothing that is open, in doubt or hidden meet its footprint?"""
        if self.stale:
            self._refresh()
        all_reads, all_writes = self.reads, self.writes
        reads, writes = all_reads[actor], all_writes[actor]
        both = reads | writes
        for other in self.active:
            if (both & all_writes[other] or writes & all_reads[other]) and other != actor:
                return False
        return not self.doubtful & both

    def _refresh(self) -> None:
        for actor in self.stale:
            told = self.opened[actor]
            foot = None if told is None else self.stands[actor].feet.get(told)
            if foot is None:
                self.foot(actor)
            else:
                self.reads[actor], self.writes[actor] = foot
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
        if key in self.steps.known:
            step = self.steps.known[key]
        else:
            step = self.steps.keep(key, self._each_way(told, doubt, value))
        if step is not None:
            self.take(step, [doubt])
        return step is not None

    def _each_way(self, told: Told, doubt: Doubt, value: Value) -> Step | None:
        actors, words = doubt.actors, doubt.words
        at = actors.index(told.actor)
        ways: list[Way] = []
        for way in doubt.ways:
            stand = way[at]
            held = value if isinstance(value, int) else way[len(actors) + words.index(told.word)]
            assert isinstance(stand, tuple)
            assert isinstance(held, int)
            found = None if stand[0].reads or stand[0].is_idle else self.rules.only(stand[0], told, held)
            if found is None or found[1].reads or (told.word >= 0 and found[0] != held):
                return None
            ways.append((*way[:at], (found[1], False), *way[at + 1 :]))
        return self.step(actors, words, ways)

    def _among_others(self, told: Told) -> bool:
        """As `close`, where others meet the footprint."""
        self._refresh()
        actors, mask, joined = self._neighbourhood(told.actor)
        words, read = self.steps.words(mask)
        parts: list[object] = [told]
        for actor in actors:
            parts += actor, self.stands[actor], self.opened[actor]
        key: Key = *parts, read(self.memory)
        if key in self.steps.known:
            step = self.steps.known[key]
        else:
            step = self.steps.keep(key, self._work_out(told, actors, words, joined))
        if step is None:
            return False
        self.take(step, joined)
        return True

    def _neighbourhood(self, actor: int) -> tuple[list[int], int, list[Doubt]]:
        """The actors, words and doubts on which what it leads to may depend: all that its footprint meets, and theirs, and so on."""
        all_reads, all_writes = self.reads, self.writes
        reads, writes = all_reads[actor], all_writes[actor]
        near, left, doubts, joined = {actor}, {*self.active}, [*self.doubts], list[Doubt]()
        left.discard(actor)
        grown = True
        while grown:
            grown = False
            both = reads | writes
            for doubt in [d for d in doubts if d.mask & both or not near.isdisjoint(d.actors)]:
                grown = True
                doubts.remove(doubt)
                joined.append(doubt)
                writes |= doubt.mask
                for each in doubt.actors:
                    near.add(each)
                    left.discard(each)
                    reads |= all_reads[each]
                    writes |= all_writes[each]
            both = reads | writes
            for each in [n for n in left if writes & all_reads[n] or both & all_writes[n]]:
                grown = True
                near.add(each)
                left.discard(each)
                reads |= all_reads[each]
                writes |= all_writes[each]
        return sorted(near), reads | writes, joined

    def _work_out(self, told: Told, actors: Sequence[int], words: Sequence[int], doubts: list[Doubt]) -> Step | None:
        """What the event leads to; None: it cannot have happened."""
        others = [each for actor in actors if (each := self.opened[actor]) is not None and each is not told]
        after: list[Candidate] = []
        if prod([len(doubt.ways) for doubt in doubts]) > MOST_CANDIDATES:
            raise Undecided(TOO_MANY)
        for candidate in self.candidates(actors, words, doubts):
            after += [candidate] if told in candidate.done else orders(candidate, told, others)
        for candidate in after:
            candidate.done.discard(told)
        after = least(after, others)
        if not after:
            return None
        if len(after) > MOST_CANDIDATES:
            raise Undecided(TOO_MANY)
        self.opened[told.actor] = None
        ways: list[Way] = [
            (
                *[(candidate.crowds[actor], self.opened[actor] in candidate.done) for actor in actors],
                *[candidate.memory[word] for word in words],
            )
            for candidate in after
        ]
        return self.step(actors, words, ways)
