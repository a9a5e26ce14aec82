"""Which instructions may raise, beside what a check makes them raise.

Most opcodes may: an operator on values that it does not take, a result beyond 63 bits, an allocation without room.  Three cannot where
values say so: a comparison of numbers, a local variable that surely has a value, and a global that has been assigned on every way to
where it is read.  The last holds for globals that nothing makes UNSET again: what was set when a function was called, or a thread made, is
set in it.
"""

from __future__ import annotations

from safepoint.guest.distance.flow import MOST, Flow, Point
from safepoint.guest.distance.kinds import NUMBER, UNSET
from safepoint.guest.operations.comparison import ORDER
from safepoint.guest.verifier import successors

NEVER_RAISE = ("LOADK", "CONSTANT", "MOVE", "SET_GLOBAL", "NOT", "IS", "IS_NOT", "JUMP", "FALSE_JUMP", "TRUE_JUMP", "MATCHES", "MASK",
               "JUMP_BACK", "TRUE_JUMP_BACK", "FOR_RANGE", "POLL", "RETURN", "HALT")  # fmt: skip
"""Opcodes whose effect raises nothing.  (A check may raise: what is behind it begins a way.)"""
COMPARISONS = (*ORDER, "EQUAL", "NOT_EQUAL")


class Raises:
    """Of one program.  most: steps of the search for globals that are set; beyond them, none is known to be."""

    def __init__(self, flow: Flow, most: int = MOST) -> None:
        self.flow = flow
        self._set: dict[Point, int] = {}  # the globals that surely have a value before the instruction, as bits
        self._fickle = 0
        if not flow.coarse and not self._find(most):
            self._set.clear()

    def may(self, point: Point) -> bool:
        """Whether the instruction may raise."""
        instruction = self.flow.instruction(point)
        op, o = instruction.op, instruction.operands
        if op in NEVER_RAISE:
            return False
        if op in COMPARISONS:
            return bool((self.flow.kinds(point, o[1]) | self.flow.kinds(point, o[2])) & ~NUMBER)
        if op == "BOUND":
            return bool(self.flow.kinds(point, o[0]) & UNSET)
        return op != "GLOBAL" or not self._set.get(point, 0) & self._bit(o[1])

    def _bit(self, name: int) -> int:
        return 1 << name & ~self._fickle

    def _find(self, most: int) -> bool:
        for point in self.flow.reached:
            instruction = self.flow.instruction(point)
            if instruction.op == "SET_GLOBAL" and self.flow.kinds(point, instruction.operands[0]) & UNSET:
                self._fickle |= 1 << instruction.operands[1]
        todo: list[tuple[Point, int]] = [((0, 0), 0)]
        while todo:
            point, there = todo.pop()
            now = self._set.get(point, there) & there
            if self._set.get(point) == now or point not in self.flow.reached:
                continue
            if (most := most - 1) < 0:
                return False
            self._set[point] = now
            todo += self._after(point, now)
        return True

    def _after(self, point: Point, now: int) -> list[tuple[Point, int]]:
        code, number = point
        instruction = self.flow.instruction(point)
        op, o = instruction.op, instruction.operands
        later = now | self._bit(o[1]) if op in ("SET_GLOBAL", "GLOBAL") else now
        after = [((code, n), later) for n in successors(self.flow.program.codes[code], number)]
        if handler := self.flow.handlers[code][number]:
            after.append(((code, handler.target), now))
        if op == "CALL":
            after += [((callee, 0), now) for callee in self.flow.callees(point)]
        elif op == "THREAD":
            after += [((callee, 0), now) for callee in self.flow.targets(point)]
        return after
