"""The static distance of a program under a policy: the longest way between two checks, in each of four measures.

A way is measured as a request's distance is while a program runs (`conform.distances`): from just behind a check up to and
including the next one, or the end of the thread.

* frames, back_edges: the frame pushes and back-edges that are executed on it, whether the policy checks there or not; a poll counts
  as a back-edge;
* instructions: those executed, the last check's among them; one that polls counts once;
* units: of bulk work (see `work`).

A check is what the policy declares a number for: with no number of frames, say, frame pushes are executed and see nothing.  A
policy whose bound is more than one check (a ticker) may let as many ways pass as checks; the lengths are multiplied by that.

What is not a way: how long a request waits in a critical section after a check has seen it, what a native region takes, and the
unwinding of frames by an exception, which executes no instruction.  Checks at the end of native regions, of sleeps and of critical
sections come on top: they make ways shorter, never longer, and are not counted on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace

from safepoint.guest.code import BACK_EDGES, LINK, OPCODES, Program
from safepoint.guest.distance.flow import MOST, Flow, Point
from safepoint.guest.distance.longest import DEPTH, END, FINITE, ZERO, Edges, Length, Longest, Way
from safepoint.guest.distance.ways import BACK_EDGES_OF, FRAMES, INSTRUCTIONS, MEASURES, UNITS, Ways
from safepoint.protocol.policy import FURTHER, Checks, Policy

AFTER_EXCEPTIONS = "recursion that goes on after an exception: its frames are left without a check, again and again"
"""Why it has no bound where returns are checks."""
MOST_CALLS = 200_000
"""Calls of a program, each counted once for each function that it may reach, before the analysis gives up."""


@dataclass(frozen=True, order=True)
class Reason:
    """Why a length is not finite: `what`, at a line of the program."""

    line: int
    what: str


@dataclass(frozen=True)
class Step:
    """Instructions on a way that follow each other on one line of a function."""

    line: int
    function: str
    instructions: int


@dataclass(frozen=True)
class Measured:
    """length: "depth": `per_frame` for each frame, which takes `slots` of the stack or more; None: no bound.

    way: the longest one, or of one that is not finite a part; begins: where, in words.
    """

    length: Checks
    per_frame: int = 0
    slots: int = 0
    reasons: tuple[Reason, ...] = ()
    begins: str = ""
    way: tuple[Step, ...] = ()

    def at_most(self, stack: int) -> int | None:
        """As a number, on a stack of n slots: a part in each frame, one below them all and one at the thread's end.  None: no bound."""
        if self.length == "depth":
            return self.per_frame * (stack // self.slots + 2)
        return None if self.length is None else int(self.length)


@dataclass(frozen=True)
class Distance:
    """elsewhere: where else there are checks: "return", "allocation", or "".  checks: how many may pass before one sees a request.  coarse: values were not followed, as that takes too many steps.

    counted: units, as `measures["units"]` would be if every instruction could poll in the midst of its work.
    """

    file: str
    policy: str
    frames_are_checks: bool
    back_edges_are_checks: bool
    elsewhere: str
    checks: int
    coarse: bool
    measures: dict[str, Measured]
    counted: Measured

    def as_json(self) -> dict[str, object]:
        """The documented form: `docs/distance.md`."""
        return {
            "file": self.file,
            "policy": self.policy,
            "checks": {
                "frames": self.frames_are_checks,
                "back_edges": self.back_edges_are_checks,
                "elsewhere": self.elsewhere,
                "until_seen": self.checks,
            },
            "values_followed": not self.coarse,
            "distance": {name: asdict(measured) for name, measured in self.measures.items()},
            "counted_units": asdict(self.counted),
        }


def looks_at(policy: Policy) -> tuple[bool, bool, str]:
    """Whether frame pushes, and whether back-edges, are checks; and where else there are some."""
    declared = policy.declared
    elsewhere = next((site for kind, site in FURTHER.items() if isinstance(declared.of_kinds()[kind], int)), "")
    return isinstance(declared.frames, int), isinstance(declared.back_edges, int), elsewhere


def unseen(policy: Policy) -> int:
    """How many checks may pass from a post to the one that sees it, that one included.

    A bound of n of one kind lets n - 1 pass unseen; a ticker counts both kinds together.
    """
    numbers = [n for n in policy.declared.of_kinds().values() if isinstance(n, int)]
    if policy.period:
        return max(numbers, default=1)
    return 1 + sum(n - 1 for n in numbers)


def static_distance(program: Program, policy: Policy, most: int = MOST, most_calls: int = MOST_CALLS) -> Distance:
    """program: verified.  most: see `Flow`.  A program of more than `most_calls` is not analysed: nothing of it is bounded."""
    return declared(distance_of(Flow(program, most), policy, most_calls), policy)


def distance_of(flow: Flow, policy: Policy, most_calls: int = MOST_CALLS, make: Callable[..., Ways] = Ways) -> Distance:
    """As the ways are, whatever the policy declares.  make: of the flow and what `looks_at` says, the ways to measure."""
    program, sees, checks = flow.program, looks_at(policy), unseen(policy)
    if many := _too_many(flow, most_calls):
        nothing = Measured(None, reasons=(many,))
        return Distance(
            program.file, policy.name, *sees, checks, flow.coarse, dict.fromkeys(MEASURES, nothing), nothing
        )
    ways = make(flow, *sees)
    measured = {measure: _measured(ways, measure, checks) for measure in MEASURES}
    counted = measured[UNITS]
    if at_once := tuple(_at_once(ways)):
        measured[UNITS] = Measured(None, reasons=tuple(sorted({*counted.reasons, *at_once})))
    return Distance(program.file, policy.name, *sees, checks, flow.coarse, measured, counted)


def declared(distance: Distance, policy: Policy) -> Distance:
    """The same, where a policy declares less than its ways are long: it counts each kind of check for itself."""
    measures = dict(distance.measures)
    for kind, most in {FRAMES: policy.declared.frames, BACK_EDGES_OF: policy.declared.back_edges}.items():
        length = measures[kind].length
        if isinstance(most, int) and isinstance(length, int):
            measures[kind] = replace(measures[kind], length=min(length, most))
    return replace(distance, measures=measures)


def _too_many(flow: Flow, most: int) -> Reason | None:
    """The call where the number of calls, each counted once for each function that it may reach, exceeds the most."""
    for point in flow.reached:
        if flow.instruction(point).op == "CALL":
            most -= len(flow.callees(point))
            if most < 0:
                return Reason(flow.instruction(point).line, "not analysed: too many functions that calls may reach")
    return None


def _measured(ways: Ways, measure: str, checks: int) -> Measured:
    graph = ways.graph(measure)
    found = Longest(graph, _leaves, parts=ways.parts(graph))
    best: Way[Point] | None = None
    behind: Point | None = None
    length = Length(FINITE)
    for more, node, check in ways.starts(measure):
        way = found.ways.get(node)
        if way and (best is None or more.plus(way.length) > length):
            best, behind, length = way, check, more.plus(way.length)
    if length.rank == FINITE:
        found_length: Checks = checks * length.number
    else:
        found_length = "depth" if length.rank == DEPTH else None
    return Measured(
        found_length,
        *((checks * _per_frame(ways, measure, graph, found), _slots(ways)) if length.rank == DEPTH else (0, 0)),
        () if length.rank == FINITE else tuple(sorted(set(_reasons(ways, measure, found, graph)))),
        _begins(ways, behind),
        tuple(_steps(ways, best)) if measure == INSTRUCTIONS else (),
    )


def _begins(ways: Ways, check: Point | None) -> str:
    if check is None:
        return "where a thread begins"
    site = OPCODES[ways.flow.instruction(check).op].site
    kind = {"frame_push": "frame push", "back_edge": "back-edge"}.get(site, site)
    return f"behind the {kind} at line {ways.flow.instruction(check).line}"


def _leaves(node: Point) -> bool:
    return node[1] < 0


def _per_frame(ways: Ways, measure: str, graph: dict[Point, Edges[Point]], found: Longest[Point]) -> int:
    """So much, for each frame and twice more, is no less than any way: see `Measured.at_most`."""
    if not any(ways.descents.get(measure, {}).values()):
        return _part(ways, measure, graph)
    once = {node: [(Length(_rank(w), w.number), to) for w, to in edges] for node, edges in graph.items()}
    deep = {node: [(Length(FINITE, w.per_frame), to) for w, to in edges] for node, edges in graph.items()}
    descents = _from_starts(ways, measure, deep)
    if any(rank == DEPTH for rank, _ in found.cycles):
        return _part(ways, measure, once) + descents
    return max(descents, -(-_from_starts(ways, measure, once) // 2))  # what comes once is in the two beside the frames


def _rank(weight: Length) -> int:
    """Without what comes once for each frame."""
    return FINITE if weight.rank == DEPTH else weight.rank


def _from_starts(ways: Ways, measure: str, graph: Mapping[Point, Edges[Point]]) -> int:
    """The longest way, as a number."""
    found = Longest(graph, _leaves).ways
    return max(more.plus(found[node].length).number for more, node, _ in ways.starts(measure) if node in found)


def _part(ways: Ways, measure: str, graph: Mapping[Point, Edges[Point]]) -> int:
    """The longest part of a way that leaves no frame."""
    inside: dict[Point, Edges[Point]] = {
        node: [(weight, END if to is not END and _leaves(to) else to) for weight, to in edges]
        for node, edges in graph.items()
    }
    rest = max((more.number for more, _, _ in ways.starts(measure)), default=0)
    return rest + max(way.length.number for way in Longest(inside).ways.values())


def _slots(ways: Ways) -> int:
    """The least slots from the beginning of a frame to that of the next: the callee's lies behind the call's base and the link."""
    bases = [ways.flow.instruction(point).operands[0] for point, callees in ways.calls.items() if callees]
    return LINK + min(bases, default=0)


def _steps(ways: Ways, way: Way[Point] | None) -> Iterator[Step]:
    line, function, count = 0, "", 0
    while way is not None:
        code, number = way.node
        if number >= 0 and way.gain.rank == FINITE:
            of = ways.flow.program.codes[code]
            here = of.instructions[number].line
            if (here, of.name) != (line, function):
                if count:
                    yield Step(line, function, count)
                line, function, count = here, of.name, 0
            count += way.gain.number
        way = way.rest
    if count:
        yield Step(line, function, count)


def _reasons(ways: Ways, measure: str, found: Longest[Point], graph: dict[Point, Edges[Point]]) -> Iterator[Reason]:
    """Why lengths of this measure are not finite: loops, recursion, long instructions, and returns behind each other."""
    program = ways.flow.program
    for rank, nodes in found.cycles:
        inside = [node for node in nodes if not _leaves(node)]
        if rank == DEPTH:
            names = sorted({program.codes[code].name for code, _ in nodes})
            line = min(ways.flow.instruction(node).line for node in inside)
            yield Reason(line, f"returns or exceptions that leave one frame behind the other: {', '.join(names)}")
        else:
            back = [node for node in inside if ways.flow.instruction(node).op in BACK_EDGES] or inside
            for node in back:
                yield Reason(ways.flow.instruction(node).line, "a loop without a check")
    for point in graph:
        if ways.known(point):
            yield from _reasons_at(ways, measure, point)


def _reasons_at(ways: Ways, measure: str, point: Point) -> Iterable[Reason]:
    line = ways.flow.instruction(point).line
    deep = ways.descents.get(measure, {})
    recursive = [callee for callee in ways.calls.get(point, ()) if callee in ways.recursive]
    if any(callee not in deep for callee in recursive):
        yield Reason(line, "recursion without a check" if ways.elsewhere != "return" else AFTER_EXCEPTIONS)
    elif any(deep[callee] > ZERO for callee in recursive):
        yield Reason(line, "calls inside each other, of which none has returned yet")
    if measure in (BACK_EDGES_OF, UNITS) and ways.works[point].polls and not ways.back_edges:
        yield Reason(line, "a long instruction whose polls see nothing")


def _at_once(ways: Ways) -> Iterator[Reason]:
    for point, work in ways.works.items():
        if work.at_once:
            yield Reason(ways.flow.instruction(point).line, f"{work.at_once}, of any length, without a check inside")
