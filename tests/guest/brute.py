"""Every way of a program between two checks, walked with an explicit stack of frames: what the static distance must equal.

It shares with the analysis which functions a call may reach and which instructions raise; how ways are put together is its own.  For
programs without recursion and, between checks, without loops.
"""

from __future__ import annotations

from collections.abc import Iterator

from safepoint.guest.code import BACK_EDGES, Program
from safepoint.guest.distance.flow import Flow
from safepoint.guest.distance.raises import Raises
from safepoint.guest.distance.work import work_of
from safepoint.guest.verifier import successors

Stack = tuple[tuple[int, int], ...]
"""The instruction that each frame stands at, the innermost last: a caller's at its CALL."""
Gain = tuple[int, int, int]
"""Frame pushes, back-edges, instructions."""
Edge = tuple[Gain, Stack | None]
MEASURES = ("frames", "back_edges", "instructions")


class TooMany(Exception):
    """More stacks than the walk may visit."""


class Walk:
    """frames, back_edges: whether these are checks.  elsewhere: "return" or "allocation", if that is one, too."""

    def __init__(
        self, program: Program, frames: bool = True, back_edges: bool = True, elsewhere: str = "", most: int = 20_000
    ) -> None:
        self.flow, self.program = Flow(program), program
        self.raises = Raises(self.flow)
        self.frames, self.back_edges = frames, back_edges
        self.elsewhere = {"return": "RETURN", "allocation": "LIST"}.get(elsewhere)
        self.starts: set[Stack] = {((root, 0),) for root in self.flow.roots}
        self.edges: dict[Stack, list[Edge]] = {}
        todo = list(self.starts)
        while todo:
            stack = todo.pop()
            if stack in self.edges:
                continue
            if len(self.edges) == most:
                raise TooMany
            edges, behind = list(self._edges(stack)), list(self._behind(stack))
            self.edges[stack] = edges
            self.starts.update(behind)
            todo += [*behind, *(to for _, to in edges if to is not None)]

    def longest(self) -> dict[str, int]:
        """The longest way from any start, in each measure."""
        known: dict[Stack, Gain] = {}
        for start in self.starts:
            todo = [start]
            while todo:
                stack = todo[-1]
                later = [to for _, to in self.edges[stack] if to is not None and to not in known]
                if later and stack not in known:
                    todo += later
                    continue
                todo.pop()
                ways = [_sum(gain, known[to] if to else (0, 0, 0)) for gain, to in self.edges[stack]]
                known[stack] = _most(ways)
        most = zip(*(known[start] for start in self.starts), strict=True)
        return {measure: max(each) for measure, each in zip(MEASURES, most, strict=True)}

    def _edges(self, stack: Stack) -> Iterator[Edge]:
        *_, point = stack
        op = self.flow.instruction(point).op
        gain = (int(op == "CALL"), int(op in BACK_EDGES), 1)
        if op == "CALL":
            if self.flow.may_fail(point):
                yield (0, 0, 1), self._raised(stack)
            for callee in self.flow.callees(point):
                yield gain, None if self.frames else (*stack, (callee, 0))
            if self.flow.callees(point) and not self.frames:
                yield gain, self._raised(stack)
        elif op in ("HALT", self.elsewhere) or (op in BACK_EDGES and self.back_edges):
            yield gain, None
        elif op == "RETURN":
            yield gain, self._returned(stack)
        else:
            for to in self._next(stack):
                yield gain, to
            if self.raises.may(point):
                yield gain, self._raised(stack)
            if work_of(self.flow, point).polls:
                assert self.back_edges
                yield (0, 1, 1), None

    def _behind(self, stack: Stack) -> Iterator[Stack]:
        """Where control may be just behind the check of the innermost frame's instruction."""
        *_, point = stack
        op = self.flow.instruction(point).op
        if op == "CALL" and self.frames and self.flow.callees(point):
            yield from ((*stack, (callee, 0)) for callee in self.flow.callees(point))
        elif op == "RETURN" == self.elsewhere:
            if to := self._returned(stack):
                yield to
        elif op == self.elsewhere or (op in BACK_EDGES and self.back_edges):
            yield from self._next(stack)
        else:
            return
        if raised := self._raised(stack):
            yield raised

    def _next(self, stack: Stack) -> Iterator[Stack]:
        *below, (code, number) = stack
        for n in successors(self.program.codes[code], number):
            if (code, n) in self.flow.reached:
                yield (*below, (code, n))

    def _returned(self, stack: Stack) -> Stack | None:
        *below, _ = stack
        if not below:  # a thread's first function
            return ((0, next(n for n, i in enumerate(self.program.codes[0].instructions) if i.op == "HALT")),)
        *under, (code, number) = below
        return (*under, (code, number + 1))

    def _raised(self, stack: Stack) -> Stack | None:
        """Where the innermost handler is; None: the thread ends."""
        for depth in range(len(stack), 0, -1):
            code, number = stack[depth - 1]
            for handler in self.program.codes[code].handlers:
                if handler.start <= number < handler.end:
                    return (*stack[: depth - 1], (code, handler.target))
        return None


def _sum(one: Gain, other: Gain) -> Gain:
    return one[0] + other[0], one[1] + other[1], one[2] + other[2]


def _most(ways: list[Gain]) -> Gain:
    frames, back_edges, instructions = zip(*ways, strict=True)
    return max(frames), max(back_edges), max(instructions)
