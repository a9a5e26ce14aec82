"""The opcodes: one module a family.  `opcodes()` is every one of them, in the order of the guest's opcode table."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from safepoint.guest.code import OPCODES
from safepoint_vm.handlers import arithmetic, calls, control, moves

ENTRANCES: tuple[Callable[..., Any], ...] = (
    calls.begin,
    calls.step,
    calls.after_push,
    control.slow_back_edge,
    control.after_back_edge,
)
"""Handlers that somebody else than an instruction leads to: the host, or a poisoned table."""


def opcodes() -> dict[str, Callable[..., Any]]:
    """KeyError: an opcode without a handler."""
    found = {
        name: value
        for module in (moves, arithmetic, control, calls)
        for name, value in vars(module).items()
        if getattr(value, "role", None) == "opcode"
    }
    return {name: found[name] for name in OPCODES}
