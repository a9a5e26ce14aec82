"""A controlled run judged: by what may not be, by its trace, and by the reference machine under the same schedule.

The reference machine executes the same guest instructions in the same order, and is asked for what each check was seen to raise
just before it.  The protocol's own interleaving is not repeated there: the trace is held against the text for that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import msgspec

from safepoint.differential.controlled import Case, Done, Ran
from safepoint.graph.ir import Cell
from safepoint.guest.code import OPCODES, Program
from safepoint.guest.compiler.program import compile_program
from safepoint.guest.operations.threads import POSTED, uncaught_text
from safepoint.guest.reference.heap import ReferenceHeap
from safepoint.guest.reference.world import World
from safepoint.protocol.policies import POLICIES
from safepoint.protocol.words import INTERRUPT, MANAGED, NATIVE, TERMINATE
from safepoint.trace.accept import Acceptor
from safepoint.trace.layout import Layout, UnknownTrace
from safepoint.trace.lines import Header
from safepoint.trace.orders import Undecided

RAISING = {"INTERRUPT": INTERRUPT, "TERMINATE": TERMINATE}
CHECKED = ("frame_push", "back_edge")
"""Sites that no thread goes past without a pause."""
KINDS = ("run", "trace", "result")
MOST = 10_000
"""Instructions that machine code executes without a pause, at most: there is no loop among them."""


@dataclass(frozen=True)
class Wrong:
    """by: what shows it: the run itself, its trace, or its result.  what: in words; string: what replays it."""

    by: str
    what: str
    string: str


class CannotFollow(Exception):
    """The reference machine cannot execute what the run did: says where."""


def judge(ran: Ran) -> Wrong | None:
    """What is wrong with a run, if anything."""
    for by, what in (("run", ran.wrong), ("trace", refusal(ran)), ("result", "" if ran.wrong else difference(ran))):
        if what:
            return Wrong(by, what, ran.string)
    return None


# -- the trace


@lru_cache(maxsize=16)
def _acceptor(header: bytes) -> Acceptor:
    return Acceptor(Layout(msgspec.json.decode(header, type=Header)))


def refusal(ran: Ran) -> str:
    """Why no run of the protocol explains its trace, in several lines; "": one does, or it has none."""
    if ran.header is None:
        return ""
    like = _acceptor(msgspec.json.encode(ran.header))
    acceptor = Acceptor(like.layout, like)
    try:
        for line, event in enumerate(ran.events, 2):
            if not acceptor.take(event, line):
                break
        else:
            acceptor.finish()
    except (Undecided, UnknownTrace) as error:
        return str(error)
    refused = acceptor.refusal
    return "" if refused is None else "\n".join([*refused.lines("trace"), f"  safepoint rules {refused.rule}"])


# -- the reference machine


@lru_cache(maxsize=64)
def _program(source: str, name: str) -> Program:
    return compile_program(source, name)


def difference(ran: Ran) -> str:
    """How its result differs from the reference machine's under the same schedule; ""."""
    try:
        expected = follow(ran.case, ran.done)
    except CannotFollow as error:
        return f"the reference machine cannot follow: {error}"
    assert ran.observation is not None
    found = ran.observation
    actual = (
        found.output,
        found.error,
        found.traceback,
        found.others,
        _by_thread(ran.sites),
    )
    names = ("output", "exception", "traceback", "other threads", "what was raised where")
    pairs = zip(names, expected, actual, strict=True)
    return "; ".join(f"{name}: reference {a!r}, machine code {b!r}" for name, a, b in pairs if a != b)


def follow(case: Case, done: list[Done]) -> tuple[object, ...]:
    """Output, exception, traceback, what other threads print, what was raised where.  Raises CannotFollow."""
    program = _program(case.source, case.program)
    world = World(program, case.stack, policy=POLICIES[case.policy])
    world.clock = float("inf")  # every sleep ends at once, as it does there
    records, raised = {0: 0}, list[tuple[str, str, int]]()
    heard = 0  # of what the reference machine has served
    for number, each in enumerate(done):
        record = records[each.thread]
        if each.seen:
            sites = world.sites[record]
            sites.go_on(sites.begin("post", RAISING[each.seen]))
            continue
        if each.waits:
            if world.advance(record):
                raise CannotFollow(f"action {number}: thread {each.thread} does not block")
            continue
        for count in range(MOST):
            op, before = world.machines[record].state.frame.instruction.op, world.words.values
            if count and OPCODES[op].site and OPCODES[op].site in (*CHECKED, world.policy.elsewhere):
                raise CannotFollow(f"action {number}: thread {each.thread} goes past {op} without a check")
            if not (world.advance(record) or _alone(world, record)):
                raise CannotFollow(f"action {number}: thread {each.thread} waits at {op}")
            for served in world.sites[0].seen[heard:]:
                if served.kind in RAISING:
                    raised.append((served.kind, served.site, each.thread))
            heard = len(world.sites[0].seen)
            if op in POSTED:  # what it posts is posted where it is seen: until then a check may be under way
                world.early.clear()
                world.words.values = before
            if each.until in (None, _place(world, program, record)):
                break
        else:
            raise CannotFollow(f"action {number}: thread {each.thread} does not come to {each.until}")
        if each.starts:
            heap = ReferenceHeap(world.state.things)
            records[each.starts] = next(n for n, ref in world.refs.items() if heap.thread(ref).number == each.starts)
    return (*_result(world, program), _by_thread(raised))


def _place(world: World, program: Program, record: int) -> tuple[int, int]:
    """Where a thread stands: as `Done.until`."""
    frame = world.machines[record].state.frame
    return next(number for number, code in enumerate(program.codes) if code is frame.code), frame.pc


def _by_thread(raised: Sequence[tuple[str, str, int]]) -> tuple[tuple[str, str, int], ...]:
    """In the order of each thread: machine code tells when it serves, the reference machine when the instruction is over."""
    return tuple(sorted(raised, key=lambda each: each[2]))


def _alone(world: World, record: int) -> bool:
    """Advance a thread that waits for others to be outside guest code: there, they were."""
    cells = [Cell(number, "state") for number in range(world.population) if number != record]
    inside = [cell for cell in cells if world.words[cell] == MANAGED]
    for cell in inside:
        world.words[cell] = NATIVE
    went = bool(world.advance(record))
    for cell in inside:
        world.words[cell] = MANAGED
    return went


def _result(world: World, program: Program) -> tuple[object, ...]:
    main = world.main
    if not world.ended:
        raise CannotFollow("it has not ended")
    return (
        world.output,
        main.fault.kind if main.fault else "",
        tuple(f"{function}:{line}" for _, line, function in main.traceback()) if main.fault else (),
        tuple(uncaught_text(t, fault, m.traceback(), program.source) for t, fault, m in world.uncaught),
    )
