"""Where steps that are no event may lead, whatever the words hold; and where an event leads, if it is made at a place."""

from __future__ import annotations

from collections.abc import Iterable

from safepoint.protocol.words import EVERYTHING
from safepoint.trace.observe import PASSED, SLOW, Said
from safepoint.trace.places import Outcome, Place, Places

MOST_VALUES = 4 * (EVERYTHING + 1)
"""Of a word that holds bits, a limit among them.  A ticker's may be more."""


class Hidden:
    """Each worked out once."""

    def __init__(self, places: Places) -> None:
        self.places, self.layout = places, places.layout
        self._after: dict[int, tuple[Place, ...]] = {}
        self._made: dict[tuple[int, Said], tuple[bool, tuple[Place, ...]]] = {}

    def clear(self) -> None:
        """What was worked out is void."""
        self._after.clear()
        self._made.clear()

    def hides(self, place: Place) -> bool:
        """May its access be no event?"""
        return bool(self.after(place))

    def after(self, place: Place) -> tuple[Place, ...]:
        """Where its access may lead that is no event, whatever the word holds."""
        found = self._after.get(place.number)
        if found is None:
            hidden = [outcome for outcome in self._any(place) if outcome.event is None]
            after = {then.number: then for outcome in hidden for then in outcome.then}
            found = self._after[place.number] = tuple(after.values())
        return found

    def _any(self, place: Place) -> list[Outcome]:
        """The outcomes of its access that may be hidden, whatever the word holds."""
        step = place.activation.at
        assert step is not None
        passed = PASSED.get(step.where[-1], "")
        if passed and SLOW not in step.where and not {passed, "entered"} & self.layout.silent:
            return []  # a check, each way
        assert place.cell is not None
        values = self.sample(place.cell)
        return [outcome for value in values if (outcome := self.places.outcome(place, value)) is not None]

    def ways(self, places: Iterable[Place]) -> list[Place]:
        """These places, and all that hidden steps may lead to, whatever they find."""
        seen: dict[int, Place] = {}
        todo = [*places]
        while todo:
            place = self.places.know(todo.pop())
            if place.number not in seen:
                seen[place.number] = place
                todo += place.silent
                if place.cell is not None:
                    todo += self.after(place)
        return [*seen.values()]

    def made(self, place: Place, said: Said) -> tuple[bool, tuple[Place, ...]]:
        """May the event change the word, if the access there is this event; and where it leads: nowhere if it never is."""
        key = place.number, said
        found = self._made.get(key)
        if found is None:
            assert place.cell is not None
            made = [(value, self.places.outcome(place, value)) for value in self.sample(place.cell)]
            such = [(value, outcome) for value, outcome in made if outcome is not None and outcome.event == said]
            then = {after.number: after for _, outcome in such for after in outcome.then}
            found = any(outcome.new != value for value, outcome in such), tuple(then.values())
            self._made[key] = found
        return found

    def sample(self, cell: int) -> Iterable[int]:
        """What a word may hold; of a number that is only counted, the values that the text tells apart."""
        domain = self.layout.domain(self.layout.word(cell))
        return domain if len(domain) <= MOST_VALUES else (domain[0], domain[1], domain[-1])
