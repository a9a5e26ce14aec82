"""Small programs, and who asks what of them meanwhile: what controlled schedules are drawn for.

Each shows a family of races with few choice points.
"""

from __future__ import annotations

from dataclasses import replace

from safepoint.differential.controlled import COMPILED, INSTALLS, INTERPRETED, Case, parse
from safepoint.differential.corpus import find
from safepoint.differential.schedulers import Choices
from safepoint.differential.small import FULL, PROGRAMS, STACK, STACKS
from safepoint.guest.compiler.program import compile_program
from safepoint.guest.features import NotWrittenFor, refuse
from safepoint.protocol.policies import FOLDED
from safepoint.protocol.policy import Policy


def case(
    program: str, *requesters: str, late: bool = False, policy: str = FOLDED.name, code: str = INTERPRETED
) -> Case:
    """requesters: for each, what it asks, as in a schedule's string: "STOP+INTERRUPT/1".  Raises KeyError: no such program."""
    asked = tuple(tuple(each.split("+")) for each in requesters)
    if program in PROGRAMS:
        return Case(program, PROGRAMS[program], asked, late, STACKS.get(program, STACK), policy, program in FULL, code)
    guest = find(program)
    return Case(program, guest.source, asked, late, guest.stack, policy, code=code)


def parsed(string: str) -> tuple[Case, Choices]:
    """A schedule's string: its case, and the choices.  Raises ValueError, KeyError: no such program."""
    program, asked, late, policy, code, choices = parse(string)
    return case(program, *("+".join(each) for each in asked), late=late, policy=policy, code=code), choices


CASES = (
    case("calls", "INTERRUPT", "STOP"),
    case("calls", "SAMPLE", "INTERRUPT"),
    case("loop", "STOP", "STOP"),
    case("loop", "HANDSHAKE", "STOP"),
    case("loop", "INTERRUPT+SAMPLE", "STOP"),
    case("loop", "TERMINATE", "INTERRUPT"),
    case("calls", "HANDSHAKE", "HANDSHAKE"),
    case("prints", "STOP"),
    case("prints", "HANDSHAKE"),
    case("prints", "HANDSHAKE", "STOP"),
    case("masked", "INTERRUPT", "STOP"),
    case("asleep", "INTERRUPT"),
    case("asleep", "STOP+INTERRUPT"),
    case("asleep", "HANDSHAKE+INTERRUPT"),
    case("cleans up", "TERMINATE", "TERMINATE"),
    case("goes on", "TERMINATE", "TERMINATE"),
    case("overflows", "INTERRUPT"),
    case("births", "HANDSHAKE/1", "STOP"),
    case("births", "STOP", "INTERRUPT/1"),
    case("collects", "STOP"),
    case("collects", "HANDSHAKE/1", "SAMPLE"),
    case("asks", "STOP"),
    case("asks", "INTERRUPT/1"),
    case("ends", "TERMINATE/1"),
    case("contends", "STOP", "INTERRUPT/1"),
    case("reuses"),
)
LATE = (
    case("prints", "STOP", late=True),
    case("prints", "HANDSHAKE", late=True),
    case("asleep", "INTERRUPT", late=True),
    case("calls", "STOP", late=True),
    case("births", "STOP", late=True),
)
"""Where stores reach memory late."""
COMPILED_CASES = (
    case("calls", "SAMPLE", "INTERRUPT", code=COMPILED),
    case("loop", "STOP", "STOP", code=COMPILED),
    case("loop", "INTERRUPT+SAMPLE", "STOP", code=COMPILED),
    case("births", "STOP", "INTERRUPT/1", code=COMPILED),
    case("collects", "HANDSHAKE/1", "SAMPLE", code=COMPILED),
    case("asks", "STOP", code=COMPILED),
    case("births", "STOP", late=True, code=COMPILED),
    case("loop", "INTERRUPT+SAMPLE", "STOP", code=INSTALLS),
    case("collects", "STOP", code=INSTALLS),
    case("asks", "INTERRUPT/1", code=INSTALLS),
    case("births", "STOP", late=True, code=INSTALLS),
)
"""What a quick run has of `in_compiled_code`."""
ALONE = (
    case("starts", "HANDSHAKE/1", "STOP"),
    case("starts", "STOP", "INTERRUPT/1"),
    case("calls", "SAMPLE"),
)
"""Beside these, under other policies than folded: no thread waits for another, and one is asked for what raises nothing."""
ELSEWHERE = (
    case("lists", "INTERRUPT", "STOP"),
    case("lists", "HANDSHAKE", "SAMPLE"),
    case("lists", "STOP", late=True),
    case("masked lists", "INTERRUPT", "STOP"),
    case("collects lists", "HANDSHAKE/1", "SAMPLE"),
    case("collects lists", "STOP", "INTERRUPT/1"),
    case("full", "STOP"),
    case("full", "INTERRUPT", "SAMPLE"),
)
"""Before these, under policies that check at returns, or at allocations: in the others some of them check nowhere."""

SHOWS: dict[str, tuple[str, int]] = {
    "unlocked-post": ("calls|INTERRUPT|STOP@sc", 1),
    "masked-taken": ("masked|INTERRUPT|STOP@sc", 1),
    "rest-dropped": ("loop|TERMINATE|INTERRUPT@sc", 1),
    "given-back-unpoisoned": ("loop|TERMINATE|INTERRUPT@sc", 1),
    "terminate-again": ("cleans up|TERMINATE|TERMINATE@sc", 1),
    "unmask-unwinds": ("cleans up|TERMINATE|TERMINATE@sc", 1),
    "unmask-forgets": ("masked|INTERRUPT|STOP@sc", 1),
    "looks-too-early": ("asleep|INTERRUPT@sc", 1),
    "handshake-unchecked": ("asleep|HANDSHAKE+INTERRUPT@sc", 2),
    "backs-off-silently": ("asleep|HANDSHAKE+INTERRUPT@sc", 1),
    "birth-drops-handshake": ("asks|INTERRUPT/1@sc", 1),
    "coordinator-stays": ("collects|STOP@sc", 1),
    "overflow-wins": ("overflows|INTERRUPT@sc", 1),
    "reenter-unfenced": ("prints|HANDSHAKE@tso", 1),
    "block-unfenced": ("asleep|INTERRUPT@tso", 1),
}
"""Mutant -> a case, and the preemptions, that show it: where to look first."""


def in_compiled_code() -> tuple[Case, ...]:
    """Every case of folded, with its functions compiled before, and on the way."""
    return tuple(replace(made, code=code) for code in (COMPILED, INSTALLS) for made in (*CASES, *LATE))


ASKED_FOR = {"TERMINATE": "unwinding"}
"""Kind of request -> the feature that a thread needs to be asked for it again and again."""


def cases_of(policy: Policy) -> tuple[Case, ...]:
    """The cases that a policy's text is written for.  Of folded: CASES and LATE."""
    if policy is FOLDED:
        return *CASES, *LATE
    return tuple(replace(made, policy=policy.name) for made in everything_for(policy) if is_written_for(policy, made))


def everything_for(policy: Policy) -> tuple[Case, ...]:
    """The cases that a policy other than folded would have if its text were written for all of them."""
    return (*(ELSEWHERE if policy.elsewhere else ()), *CASES, *LATE, *ALONE)


def is_written_for(policy: Policy, made: Case) -> bool:
    """Has the policy's text the features that the program and its requests need?"""
    kinds = {request.partition("/")[0] for each in made.requesters for request in each}
    if any(ASKED_FOR[kind] not in policy.slices for kind in kinds & ASKED_FOR.keys()):
        return False
    try:
        refuse(compile_program(made.source, made.program), policy)
    except NotWrittenFor:
        return False
    return True
