"""Compiled code, judged by the measures of the bytecode that it was made of.

A VM says what it would install (`Installed`): for each function where control goes on from each of its instructions, as its machine code
says, and whether a request changes where that leads.  What says so must have it from the machine code, not from the bytecode, for here the two are
compared:

* every cycle of compiled code passes a check (`cycles`): by the ways that do not look alone, without the other analysis;
* its longest ways are found as those of the bytecode are, with the ways of compiled code in their place (`InstalledWays`); none may be longer.

A back-edge is a check if each way to it looks.  If one does not, the back-edge counts as none at all, which makes lengths too long rather than
too short; in the same way all frame pushes do if one does not look.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import NamedTuple

from safepoint.guest.code import BACK_EDGES, Code, Program
from safepoint.guest.distance.flow import Flow, Point
from safepoint.guest.distance.longest import ZERO, Edges, components
from safepoint.guest.distance.measure import MOST_CALLS, Distance, Measured, Reason, declared, distance_of
from safepoint.guest.distance.ways import NAMES, Ways
from safepoint.guest.verifier import successors
from safepoint.protocol.policy import Policy

UNCHECKED_CYCLE = "compiled code goes round without a check"


class Goes(NamedTuple):
    """One way on.  to: the number of an instruction of the same function.  how: in words.

    checks: while a request is pending it leads to the slow path instead, which then knows that it stands at `to`.
    """

    to: int
    checks: bool
    how: str


@dataclass(frozen=True)
class InstalledCode:
    """The machine code of a function.  size: in bytes, with its cold code.

    goes: each instruction that can be reached, to where control goes on from it without an exception.
    comes: how control may come to back-edges from outside: from the interpreter, by a return, to an exception's handler.
    pushes: the calls whose frame push checks.
    left: instructions that stay with the interpreter, to why.
    wrong: what is not as it should be: the number of an instruction, and what.
    """

    size: int
    goes: Mapping[int, tuple[Goes, ...]]
    comes: tuple[Goes, ...] = ()
    pushes: frozenset[int] = frozenset()
    left: Mapping[int, str] = field(default_factory=dict)
    wrong: tuple[tuple[int, str], ...] = ()

    def arrivals(self) -> Iterator[tuple[int | None, Goes]]:
        """All ways to instructions; first, from which they lead.  None: from outside."""
        yield from ((None, each) for each in self.comes)
        yield from ((number, each) for number, ways in self.goes.items() for each in ways)


@dataclass(frozen=True)
class Installed:
    """What a VM would install of a program.  Functions by their numbers: codes; left: why one stays with the interpreter.

    why_not: of a program of which nothing is compiled, or nothing can be said: why; "": no such thing.
    """

    codes: Mapping[int, InstalledCode] = field(default_factory=dict)
    left: Mapping[int, str] = field(default_factory=dict)
    why_not: str = ""

    def is_alike(self, other: Installed) -> bool:
        """Is all that is judged of it the same?  That is all but the sizes."""
        mine, others = ({n: replace(code, size=0) for n, code in each.codes.items()} for each in (self, other))
        return mine == others and self.left == other.left


@dataclass(frozen=True)
class Judged:
    """distance: of the program with this compiled code; None: there is none.  differences: how it is less than the bytecode."""

    program: Program
    installed: Installed
    distance: Distance | None = None
    differences: tuple[Reason, ...] = ()

    @property
    def holds(self) -> bool:
        return not self.differences

    def as_json(self) -> dict[str, object]:
        """The documented form: `docs/distance.md`."""
        found = self.distance
        return {
            "judged": found is not None,
            "why_not": self.installed.why_not,
            "functions": [self._function(number, code) for number, code in enumerate(self.program.codes)],
            "distance": {name: asdict(measured) for name, measured in found.measures.items()} if found else None,
            "counted_units": asdict(found.counted) if found else None,
            "differences": [asdict(each) for each in self.differences],
        }

    def _function(self, number: int, code: Code) -> dict[str, object]:
        made, lines = self.installed.codes.get(number), [each.line for each in code.instructions]
        named: dict[str, object] = {"function": code.name, "line": code.line, "compiled": made is not None}
        if made is None:
            return {**named, "why_not": self.installed.left.get(number, self.installed.why_not)}
        return {
            **named,
            "bytes": made.size,
            "frame_pushes": sorted(lines[at] for at in made.pushes),
            "back_edges": [
                {
                    "line": lines[at],
                    "opcode": code.instructions[at].op,
                    "ways": sorted({f"{each.how}" for each in ways}),
                }
                for at, ways in sorted(back_edges(code, made).items())
            ],
            "interpreted": [
                {"line": lines[at], "opcode": code.instructions[at].op, "why": why}
                for at, why in sorted(made.left.items())
            ],
        }


def back_edges(code: Code, made: InstalledCode) -> dict[int, list[Goes]]:
    """The back-edges that compiled code may come to, each with the ways from inside the function."""
    found: dict[int, list[Goes]] = {}
    for number, each in made.arrivals():
        if code.instructions[each.to].op in BACK_EDGES and number is not None:
            found.setdefault(each.to, []).append(each)
    return found


class InstalledWays(Ways):
    """The ways of a program of which this is compiled; what is not has those of its bytecode."""

    def __init__(self, flow: Flow, frames: bool, back_edges: bool, elsewhere: str, installed: Installed) -> None:
        codes = flow.program.codes
        self._goes: dict[Point, list[Point]] = {}
        self._unchecked: set[Point] = set()
        for code, made in installed.codes.items():
            for number, ways in made.goes.items():
                self._goes[code, number] = list(dict.fromkeys((code, each.to) for each in ways))
            self._unchecked.update((code, each.to) for _, each in made.arrivals() if not each.checks)
        every = all(n in made.pushes for code, made in installed.codes.items() for n in calls(codes[code], made))
        super().__init__(flow, frames and every, back_edges, elsewhere)

    def is_check(self, point: Point) -> bool:
        if self.flow.instruction(point).op in BACK_EDGES and point in self._unchecked:
            return False
        return super().is_check(point)

    def next(self, point: Point) -> list[Point]:
        if point in self._goes:
            return [to for to in self._goes[point] if self.known(to)]
        return super().next(point)


def calls(code: Code, made: InstalledCode) -> Iterator[int]:
    """The calls that are compiled."""
    return (at for at in made.goes if code.instructions[at].op == "CALL" and at not in made.left)


def judge(flow: Flow, policy: Policy, installed: Installed, bytecode: Distance, most_calls: int = MOST_CALLS) -> Judged:
    """bytecode: as `measure.distance_of` has found it for the same flow and policy."""
    if not installed.codes:
        return Judged(flow.program, installed)

    def ways(flow: Flow, frames: bool, back_edges: bool, elsewhere: str) -> Ways:
        return InstalledWays(flow, frames, back_edges, elsewhere, installed)

    found = distance_of(flow, policy, most_calls, ways)
    differences = {*_wrong(flow.program, installed), *cycles(flow.program, installed)}
    lengths = {name: (measured, bytecode.measures[name]) for name, measured in found.measures.items()}
    said = {NAMES[name]: both for name, both in lengths.items()}
    for name, (compiled, its) in {**said, "counted units of bulk work": (found.counted, bytecode.counted)}.items():
        differences.update(_longer(name, compiled, its))
    usual = declared(found, policy).measures
    measures = {
        name: usual[name] if compiled.length == its.length else compiled for name, (compiled, its) in lengths.items()
    }
    return Judged(flow.program, installed, replace(found, measures=measures), tuple(sorted(differences)))


def _wrong(program: Program, installed: Installed) -> Iterator[Reason]:
    """What the machine code of each function is not, one way after the other."""
    for function, made in installed.codes.items():
        code = program.codes[function]
        lines = [each.line for each in code.instructions]
        yield from (Reason(lines[number], what) for number, what in made.wrong)
        unchecked = [call for call in calls(code, made) if call not in made.pushes]
        yield from (Reason(lines[call], "a frame push does not check") for call in unchecked)
        for at, each in made.arrivals():
            begins = "from outside the function" if at is None else f"from line {lines[at]}"
            if code.instructions[each.to].op in BACK_EDGES and not each.checks:
                yield Reason(lines[each.to], f"a way to a back-edge does not check: {begins}, {each.how}")
            if at is not None and each.to not in successors(code, at):
                yield Reason(
                    lines[at],
                    f"compiled code goes on at line {lines[each.to]}, where the bytecode does not: {each.how}",
                )


def cycles(program: Program, installed: Installed) -> Iterator[Reason]:
    """The back-edges of the cycles of compiled code that pass no check.  (Of an exception's ways nothing is compiled.)"""
    for number, made in installed.codes.items():
        unchecked: dict[int, Edges[int]] = {
            at: [] if at in made.pushes else [(ZERO, each.to) for each in ways if not each.checks]
            for at, ways in made.goes.items()
        }
        for part in components(unchecked):
            if len(part) > 1 or any(to == part[0] for _, to in unchecked[part[0]]):
                instructions = program.codes[number].instructions
                backward = [each for each in part if instructions[each].op in BACK_EDGES] or part
                yield from (Reason(instructions[each].line, UNCHECKED_CYCLE) for each in backward)


def _longer(name: str, compiled: Measured, bytecode: Measured) -> Iterator[Reason]:
    """Why a length is more than the bytecode's: lines that are named for it alone."""
    if _key(compiled) <= _key(bytecode):
        return
    what = f"{name} {_said(compiled)} as compiled, {_said(bytecode)} as bytecode"
    more = sorted({*compiled.reasons} - {*bytecode.reasons})
    lines = (
        {reason.line: f": {reason.what}" for reason in more} or {step.line: "" for step in compiled.way[:1]} or {0: ""}
    )
    yield from (Reason(line, f"{what}{why}") for line, why in lines.items())


def _key(measured: Measured) -> tuple[int, int]:
    """In the order of lengths: numbers, those that the stack bounds, none."""
    if measured.length is None:
        return 2, 0
    return (1, measured.per_frame) if isinstance(measured.length, str) else (0, measured.length)


def _said(measured: Measured) -> str:
    match _key(measured):
        case 2, _:
            return "unbounded"
        case 1, each:
            return f"as deep as the stack, {each:,} a frame"
        case _, number:
            return f"{number:,}"
    raise AssertionError(measured)
