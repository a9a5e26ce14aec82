"""Helpers of the tests of the compiler."""

from __future__ import annotations

import re

import pytest

from safepoint.guest.code import Code, Program
from safepoint.guest.compiler.program import compile_program
from safepoint.guest.faults import GuestSyntaxError
from safepoint.guest.verifier import verify


def compiled(source: str | bytes) -> Program:
    """Compiled, and verified."""
    program = compile_program(source, "f.py")
    verify(program)
    return program


def ops(code: Code) -> list[str]:
    """Its opcodes, in order."""
    return [i.op for i in code.instructions]


def refused(source: str | bytes) -> GuestSyntaxError:
    """The error, which is one line and has a place."""
    with pytest.raises(GuestSyntaxError) as caught:
        compile_program(source, "f.py")
    assert re.fullmatch(r"f\.py:[1-9]\d*:[1-9]\d*: [^\n]+", str(caught.value))
    return caught.value
