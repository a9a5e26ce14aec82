"""The opcodes: one module a family.  `opcodes()` is every one of them, in the order of the guest's opcode table."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from safepoint.guest.code import OPCODES
from safepoint_vm.handlers import (
    arithmetic,
    bits,
    builtin,
    calls,
    comparison,
    control,
    division,
    exceptions,
    lists,
    moves,
    requests,
    sequences,
    text,
    threads,
)
from safepoint_vm.handlers import unary as signs
from safepoint_vm.handlers.shared import allocation as allocating
from safepoint_vm.handlers.shared import collector as collecting

ENTRANCES: tuple[Callable[..., Any], ...] = (
    calls.begin,
    calls.step,
    calls.after_push,
    control.slow_back_edge,
    control.after_back_edge,
    requests.after_unmask,
)
"""Handlers that somebody else than an instruction leads to: the host, or a poisoned table."""

ROUTINES: tuple[Callable[..., Any], ...] = (
    allocating.refill,
    allocating.retire,
    collecting.forward,
    collecting.scan,
    collecting.unsound_value,
    collecting.unsound_object,
    collecting.fill,
    threads.unlock,
)
"""What the host calls."""


MODULES = (
    moves, arithmetic, division, bits, signs, comparison, control, calls, sequences, lists, text, builtin, exceptions, threads,
    requests,
)  # fmt: skip
"""Where the handlers of opcodes are."""


def opcodes() -> dict[str, Callable[..., Any]]:
    """KeyError: an opcode without a handler."""
    found = {
        value.__name__: value
        for module in MODULES
        for value in vars(module).values()
        if getattr(value, "role", None) == "opcode"
    }
    return {name: found[name] for name in OPCODES}
