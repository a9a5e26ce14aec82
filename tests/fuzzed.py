"""What must hold of any source and of any code, however strange: judged in a process of its own (see `tests/child.py`)."""

from __future__ import annotations

import io
import re

import pytest

from safepoint.guest.code import Program
from safepoint.guest.compiler.program import compile_program
from safepoint.guest.faults import GuestSyntaxError
from safepoint.guest.verifier import BadCode, verify
from safepoint_vm.threads.vm import Vm
from tests import oracle
from tests.machines import ByReference, by_cpython, by_machine_code

LINE = re.compile(rf"{oracle.FILE}:[1-9]\d*:[1-9]\d*: [^\n]+")
STACK = 2048
STEPS = 10_000
"""Instructions after which the reference machine gives up."""

NAP = 10_000
"""Microseconds that a program may sleep, in all, to be waited for."""


def judge_source(source: bytes | str) -> str:
    """How it ended: "refused", or as `judge_program`.  AssertionError, or whatever else: a bug."""
    try:
        program = compile_program(source, oracle.FILE)
    except GuestSyntaxError as error:
        return "refused" if LINE.fullmatch(str(error)) else pytest.fail(f"not one line that says where: {error}")
    run, how = _judged(program)
    strange = any(run.raised(kind) for kind in ("RecursionError", "MemoryError"))  # each machine's own affair
    if how == "agreed" and isinstance(source, str) and not strange:
        theirs, ours = by_cpython(source), run.told
        assert (ours.output, ours.error, ours.lines) == (without_addresses(theirs.output), theirs.error, theirs.lines)
    return how


def without_addresses(text: str) -> str:
    """CPython's text of a function or a lock says where it is, which the guest's does not."""
    text = re.sub(r"<(function \w+) at 0x[0-9a-f]+>", r"<\1>", text)
    return re.sub(r"<(un)?locked _thread\.lock object at 0x[0-9a-f]+>", "<lock>", text)


def judge_program(program: Program) -> str:
    """How it ended: "refused", "agreed" (both machines told the same), "endless" (or it waits), "parallel" (it may race)."""
    try:
        verify(program)
    except BadCode:
        return "refused"
    return _judged(program)[1]


def _judged(program: Program) -> tuple[ByReference, str]:
    reference = ByReference(program, STACK, steps=STEPS)
    if len(reference.world.machines) > 1:
        begun(program)
        return reference, "parallel"
    if reference.ended and not reference.waiting and reference.world.clock < STEPS + NAP:
        assert by_machine_code(program, STACK) == reference.told
        return reference, "agreed"
    ours, theirs = begun(program), reference.told.output
    assert ours.startswith(theirs) or theirs.startswith(ours), f"{ours!r} and {theirs!r}"
    return reference, "endless"


def begun(program: Program) -> str:
    """Let machine code run for a while, then interrupt it until it ends; what it had printed before."""
    output = io.StringIO()
    with Vm(program, output, STACK, errors=io.StringIO()) as vm:
        vm.start().done.wait(0.02)
        printed = output.getvalue()
    assert vm._living() == []
    vm.check()
    return printed
