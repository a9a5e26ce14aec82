"""The ways of a program between two checks, as a graph for `longest`.

A node is an instruction, or one of two for each function: RETURNED, where its result goes to any of its callers, and RAISED, where
an exception that it does not catch goes to any of them.  Both leave a frame.  A way begins where a thread does, or just behind a
check; it ends with the next check, which is counted, or with the thread.  So an instruction that is a check is an end, and whatever
control may reach behind it is a start: the callee's first instruction, a successor, the handler of what the check raises.

Where frame pushes are no checks, a way goes through calls.  A callee then is three lengths (`Through`): to its return, to an
exception that leaves it, to an end inside.  So no way returns to another call than the one it came by.  Recursion that no check
interrupts is taken as unbounded.

But where returns are checks, and no frame of a recursion catches what a call inside it raises, a way only descends: the first return ends it,
and an exception leaves all frames at once, in which nothing is executed.  Such a recursion is as deep as the stack (`descents`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from safepoint.guest.code import BACK_EDGES, OPCODES
from safepoint.guest.distance.flow import Flow, Point
from safepoint.guest.distance.longest import DEPTH, END, FINITE, UNBOUNDED, ZERO, Edges, Length, Longest, components
from safepoint.guest.distance.raises import Raises
from safepoint.guest.distance.work import Work, work_of
from safepoint.guest.verifier import successors

FRAMES, BACK_EDGES_OF, INSTRUCTIONS, UNITS = MEASURES = ("frames", "back_edges", "instructions", "units")
NAMES = {
    "frames": "frame pushes",
    "back_edges": "back-edges",
    "instructions": "instructions",
    "units": "units of bulk work",
}
"""Each measure in words."""
RETURNED, RAISED = -1, -2
"""In place of an instruction's number."""
ENDLESS = Length(UNBOUNDED)
ONE = Length(FINITE, 1)


class Through(NamedTuple):
    """The longest ways through a function from its first instruction on; None: there is none.  end: to a check or the thread's end."""

    end: Length | None
    returned: Length | None
    raised: Length | None


ANY_LENGTH = Through(ENDLESS, ENDLESS, ENDLESS)


class Ways:
    """frames, back_edges: whether these are checks.  elsewhere: the kind of site that is one, too: "return", "allocation", or ""."""

    def __init__(self, flow: Flow, frames: bool, back_edges: bool, elsewhere: str = "") -> None:
        self.flow, self.frames, self.back_edges, self.elsewhere = flow, frames, back_edges, elsewhere
        self.works: dict[Point, Work] = {point: work_of(flow, point) for point in flow.reached}
        self.raises = Raises(flow)
        self.roots = frozenset(flow.roots)
        self.callers: dict[int, list[Point]] = {
            number: [] for number in sorted({*flow.roots, *(code for code, _ in flow.reached)})
        }
        self.calls: dict[Point, list[int]] = {}
        for point in flow.reached:
            if flow.instruction(point).op == "CALL":
                self.calls[point] = flow.callees(point)
                for callee in self.calls[point]:
                    self.callers.setdefault(callee, []).append(point)
        module = flow.program.codes[0].instructions
        self.halt = 0, next(n for n, instruction in enumerate(module) if instruction.op == "HALT")
        self.called: dict[int, list[tuple[Length, int | None]]] = {number: [] for number in self.callers}
        for (code, _), callees in self.calls.items():
            self.called[code] += [(ZERO, callee) for callee in callees]
        self.recursive: dict[int, frozenset[int]] = {} if frames else dict(self._recursive())
        self.descents: dict[str, dict[int, Length]] = {}
        self._after: dict[Point, list[Point]] = {}
        self._parts: list[list[Point]] = []

    def _recursive(self) -> Iterator[tuple[int, frozenset[int]]]:
        """Each function that may call itself, with all that it does so through."""
        for part in components(self.called):
            if len(part) > 1 or any(to == part[0] for _, to in self.called[part[0]]):
                yield from dict.fromkeys(part, frozenset(part)).items()

    # -- the graph

    def is_check(self, point: Point) -> bool:
        op = self.flow.instruction(point).op
        if op == "CALL":
            return self.frames
        return (self.back_edges and op in BACK_EDGES) or OPCODES[op].site == self.elsewhere != ""

    def gain(self, measure: str, point: Point) -> Length:
        """What executing the instruction adds; of one that is a check, up to that check."""
        op = self.flow.instruction(point).op
        if measure == INSTRUCTIONS:
            return ONE
        if measure == FRAMES:
            return ONE if op == "CALL" else ZERO
        work = self.works.get(point, Work())
        if work.polls and not self.back_edges:
            return ENDLESS
        if measure == UNITS:
            return ZERO if self.is_check(point) else Length(FINITE, work.units)
        return ONE if op in BACK_EDGES else ZERO

    def graph(self, measure: str) -> dict[Point, Edges[Point]]:
        through = {} if self.frames else self.through(measure)
        graph = {point: self.edges(measure, point, through) for point in self.flow.reached}
        graph.setdefault(self.halt, [(self.gain(measure, self.halt), END)])
        for number, callers in self.callers.items():
            left = self._left(number, callers)
            graph[number, RETURNED], graph[number, RAISED] = ([(ZERO, to) for to in targets] for targets in left)
        return graph

    def _left(self, number: int, callers: list[Point]) -> tuple[list[Point | None], list[Point | None]]:
        """Where control may go that leaves a function, by a return and by an exception."""
        returned: list[Point | None] = [to for code, n in callers if self.known(to := (code, n + 1))]
        raised: list[Point | None] = [self.handler(point) for point in callers]
        if number in self.roots:
            returned.append(self.halt)
            raised.append(END)
        return returned, raised

    def known(self, point: Point) -> bool:
        return point in self.works

    def handler(self, point: Point) -> Point:
        """Where what the instruction raises goes."""
        code, number = point
        handler = self.flow.handlers[code][number]
        return (code, handler.target) if handler else (code, RAISED)

    def catches(self, point: Point) -> bool:
        """Does the frame itself go on, if the instruction raises?"""
        return self.handler(point)[1] != RAISED

    def edges(self, measure: str, point: Point, through: dict[int, Through]) -> Edges[Point]:
        op, gain = self.flow.instruction(point).op, self.gain(measure, point)
        if op == "CALL":
            return list(self._call(measure, point, gain, through))
        if self.is_check(point) or op == "HALT":
            return [(gain, END)]
        if op == "RETURN":
            return [(gain, (point[0], RETURNED))]
        edges: list[tuple[Length, Point | None]] = [(gain, to) for to in self.after(point)]
        if self.works[point].polls and self.back_edges:
            edges.append((gain.plus(Length(FINITE, int(measure == BACK_EDGES_OF))), END))
        return edges

    def after(self, point: Point) -> list[Point]:
        """Where control may go from an instruction that is no call: the same in each measure."""
        if point not in self._after:
            raised = [self.handler(point)] if self.raises.may(point) else []
            self._after[point] = self.next(point) + raised
        return self._after[point]

    def parts(self, graph: dict[Point, Edges[Point]]) -> list[list[Point]]:
        """The graph's components.  Where calls are ends, its edges go to the same nodes in each measure."""
        if self.frames and self._parts:
            return self._parts
        self._parts = list(components(graph))
        return self._parts

    def next(self, point: Point) -> list[Point]:
        """The instructions that may follow, without an exception."""
        code, number = point
        after = ((code, n) for n in successors(self.flow.program.codes[code], number))
        return [to for to in after if self.known(to)]

    def _call(
        self, measure: str, point: Point, gain: Length, through: dict[int, Through]
    ) -> Iterator[tuple[Length, Point | None]]:
        handler = self.handler(point)
        if self.flow.may_fail(point):  # it raises before its check
            yield ZERO if measure == FRAMES else gain, handler
        if not self.calls[point]:
            return
        if self.frames:
            yield gain, END
            return
        yield gain, handler  # an overflow
        for callee in self.calls[point]:
            lengths = through.get(callee, ANY_LENGTH)
            for length, to in zip(lengths, (END, (point[0], point[1] + 1), handler), strict=True):
                if length is not None and (to is END or to[1] < 0 or self.known(to)):
                    yield gain.plus(length), to

    # -- calls that are no checks

    def through(self, measure: str) -> dict[int, Through]:
        """Function -> the ways through it, for those that are not recursive, and for those that only descend."""
        found: dict[int, Through] = {}
        self.descents[measure] = {}
        by_code: dict[int, list[Point]] = {}
        for point in self.flow.reached:
            by_code.setdefault(point[0], []).append(point)
        for number, *_ in components(self.called):
            if number not in self.recursive:
                graph = {point: self.edges(measure, point, found) for point in by_code[number]}
                found[number] = Through(*(_to(graph, number, sink) for sink in (END, RETURNED, RAISED)))
            elif self.elsewhere == "return" and (
                deep := self._descent(measure, self.recursive[number], by_code, found)
            ):
                found |= dict.fromkeys(self.recursive[number], Through(deep, None, deep))
                self.descents[measure] |= dict.fromkeys(self.recursive[number], deep)
        return found

    def _descent(
        self, measure: str, part: frozenset[int], by_code: dict[int, list[Point]], through: dict[int, Through]
    ) -> Length | None:
        """The longest way through functions that call each other: down, and out of all of them; None: it may go down again and again."""
        points = [point for number in part for point in by_code[number]]
        deep = [p for p in points if any(_is_deep(callee, part, through) for callee in self.calls.get(p, ()))]
        if any(map(self.catches, deep)):
            return None
        inside = through | dict.fromkeys(
            part, Through(ZERO, None, None)
        )  # a call inside ends a frame's part of the way
        graph: dict[Point, Edges[Point]] = {
            p: [(w, END if to is END or to[1] < 0 else to) for w, to in self.edges(measure, p, inside)] for p in points
        }
        found = Longest(graph)
        longest = max(found.ways[number, 0].length for number in part)
        if longest.rank == UNBOUNDED:
            return None
        return Length(DEPTH, 0, longest.number + longest.per_frame) if longest > ZERO else ZERO

    # -- where ways begin

    def starts(self, measure: str) -> Iterator[tuple[Length, Point, Point | None]]:
        """Each place just behind a check, or (None) where a thread begins; first, what the check's instruction still does."""
        for number in self.flow.roots:
            yield ZERO, (number, 0), None
        for point in self.flow.reached:
            if not self.is_check(point):
                continue
            if point in self.calls:
                targets = [(callee, 0) for callee in self.calls[point]]
            elif self.flow.instruction(point).op == "RETURN":
                targets = [(point[0], RETURNED)]
            else:
                targets = self.next(point)
            rest = Length(FINITE, self.works[point].units) if measure == UNITS else ZERO
            for target in (*targets, self.handler(point)):
                yield rest, target, point


def _is_deep(callee: int, part: frozenset[int], through: dict[int, Through]) -> bool:
    """May a call go down as deep as the stack: into the recursion itself, or into another?"""
    lengths = through.get(callee, ANY_LENGTH)
    return callee in part or any(length is not None and length.rank != FINITE for length in lengths)


def _to(graph: dict[Point, Edges[Point]], number: int, sink: int | None) -> Length | None:
    """The longest way from a function's first instruction on to one of its three sinks."""
    ends = END if sink is END else (number, sink)
    inside: dict[Point, Edges[Point]] = {
        point: [
            (weight, END if to == ends else to) for weight, to in edges if to == ends or (to is not END and to[1] >= 0)
        ]
        for point, edges in graph.items()
    }
    way = Longest(inside, endless=sink is END).ways.get((number, 0))
    return way.length if way else None
