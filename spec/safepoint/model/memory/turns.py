"""AArch64: where LDAR, STLR and the pairs of LDAXR and STLXR keep their order, so that the machine of views may take them in the order in
which it executes them.

The machine executes a thread in the text's order, and AArch64 does not.  Those accesses that acquire or release, and keep their turn, are
taken as one sequence, each at the moment when it is made: a pair at that of its store.  That is right as long as what the machine executes in
between cannot have come to others first:

* A load that acquires comes behind whatever releases before it.  But a relaxed load before it may be made later than it, and a plain
  store of the same word may be read by it before others see that.
* A store that releases comes behind all that precedes it.  But a plain store that follows it may be seen first; and what a pair has loaded is
  older than its store, which a load that follows may pass, unless it keeps its turn, too.

Where such an access stands on some way, and nothing on that way keeps it in its place, the one that acquires or releases is taken for
acquire or release, and no more: more executions, never fewer.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import NamedTuple

from safepoint.graph.ir import Graph, Step
from safepoint.graph.orders import ACQ_REL, ACQUIRE, RELEASE, SEQ_CST, acquires, releases
from safepoint.model.memory.instructions import Compiled, Effect


class Place(NamedTuple):
    """An access at its place in a thread; `compiled` None: a full barrier."""

    word: str
    op: str
    compiled: Compiled | None

    def reads_relaxed(self) -> bool:
        return self.compiled is not None and self.op != "store" and not all(acquires(e.order) for e in self.compiled)

    def reads_out_of_turn(self) -> bool:
        return self.compiled is not None and self.op != "store" and any(e.order != SEQ_CST for e in self.compiled)

    def writes_plainly(self) -> bool:
        return self.compiled is not None and self.op != "load" and not releases(self.compiled.made.order)

    def holds_back(self) -> bool:
        """Is all that precedes it made before any acquiring load that follows it?"""
        if self.compiled is None:
            return True
        made = self.compiled.made
        return self.op not in ("load", "cas") and (releases(made.order) or made.behind)

    def holds_up(self) -> bool:
        """Is all that follows it made behind any releasing store that precedes it?"""
        if self.compiled is None:
            return True
        if self.op == "cas":
            return all(effect.order == SEQ_CST for effect in self.compiled)
        return self.op != "store" and (self.compiled.made.order == SEQ_CST or self.compiled.made.before)


def settled(
    places: Mapping[int, Place], following: Mapping[int, Collection[int]], others: Iterable[Place] = ()
) -> dict[int, Compiled]:
    """Of each access what the machine may take it for.  `others`: accesses that come in at any place, of handlers on the same thread."""
    preceding: dict[int, set[int]] = {number: set() for number in following}
    for number, after in following.items():
        for each in after:
            preceding[each].add(number)
    anywhere = list(others)

    def loads_in_turn(number: int, place: Place) -> bool:
        before = [*anywhere, *_between(number, preceding, places, Place.holds_back)]
        return not any(p.reads_relaxed() or (p.writes_plainly() and p.word == place.word) for p in before)

    def stores_in_turn(number: int, place: Place, made: Effect) -> bool:
        behind = [*anywhere, *_between(number, following, places, Place.holds_up)]
        is_pair = place.op != "store" and not made.behind
        return not any(p.writes_plainly() or (is_pair and p.reads_out_of_turn()) for p in behind)

    def taken_for(number: int, place: Place, made: Effect, failed: Effect) -> Compiled:
        order = {"load": ACQUIRE, "store": RELEASE}.get(place.op, ACQ_REL)
        is_right = loads_in_turn(number, place) if place.op == "load" else stores_in_turn(number, place, made)
        if made.order == SEQ_CST and not is_right:
            made = made._replace(order=order)
        if place.op != "cas":
            return Compiled(made, made)
        if failed.order == SEQ_CST and not loads_in_turn(number, place):
            failed = failed._replace(order=ACQUIRE)
        return Compiled(made, failed)

    return {
        number: taken_for(number, place, *place.compiled)
        if any(effect.order == SEQ_CST for effect in place.compiled)
        else place.compiled
        for number, place in places.items()
        if place.compiled is not None
    }


def following_of(graph: Graph) -> dict[int, set[int]]:
    """The steps that may come next, round each loop, too."""
    found: dict[int, set[int]] = {}
    for step in graph.steps:
        ends = [end for tree in step.then for end in (tree, *graph.local(tree))]
        after = [each for end in ends for each in ([end] if isinstance(end, Step) else graph.following(end))]
        found[step.number] = {each.number for each in after if isinstance(each, Step)}
    return found


def _between(
    number: int,
    edges: Mapping[int, Collection[int]],
    places: Mapping[int, Place],
    is_barrier: Callable[[Place], bool],
) -> Iterator[Place]:
    """The accesses that come on some way from here, before anything that keeps them in their place."""
    todo, seen = [*edges[number]], set[int]()
    while todo:
        at = todo.pop()
        if at in seen:
            continue
        seen.add(at)
        place = places.get(at)
        if place is None or not is_barrier(place):
            todo += edges[at]
            if place is not None:
                yield place
