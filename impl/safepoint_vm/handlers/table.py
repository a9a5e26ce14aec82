"""The handlers by opcode, and what else the host enters and calls."""

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
    entering,
    exceptions,
    lists,
    moves,
    requests,
    sequences,
    text,
    threads,
    unary,
)
from safepoint_vm.handlers.shared import allocation, checks, collector, elsewhere

ENTRANCES: tuple[Callable[..., Any], ...] = (
    calls.begin, calls.step, entering.compiled, entering.warm, calls.after_push, control.slow_back_edge, control.after_back_edge, elsewhere.after_elsewhere, requests.after_unmask,
)  # fmt: skip
"""Handlers that the host or a poisoned table enters."""

ROUTINES: tuple[Callable[..., Any], ...] = (
    allocation.refill, allocation.retire, allocation.use_tlab, collector.forward, collector.scan, collector.unsound_value, collector.unsound_object,
    collector.fill, checks.poll_fails,
)  # fmt: skip
"""Routines that the host calls."""

MODULES = (
    moves, arithmetic, division, bits, unary, comparison, control, calls, sequences, lists, text, builtin, exceptions, threads,
    requests,
)  # fmt: skip
"""The modules that define handlers of opcodes."""


def opcodes() -> dict[str, Callable[..., Any]]:
    """The handlers, by opcode, in the order of the guest's opcode table.  KeyError: an opcode has none."""
    found = {
        value.__name__: value
        for module in MODULES
        for value in vars(module).values()
        if getattr(value, "role", None) == "opcode"
    }
    return {name: found[name] for name in OPCODES}
