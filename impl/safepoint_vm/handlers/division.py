"""// and %."""

# ruff: noqa: ARG001  -- the members of a family have one signature

from __future__ import annotations

from safepoint_vm.handlers.families import partial
from safepoint_vm.vocabulary import Value, Word, add_overflows, inline


@inline
def floor_quotient(x: Value, y: Value) -> Word:
    """Python's //: rounded down, untagged.  y is not 0; the quotient of the tagged ints is that of the ints."""
    quotient = x // y
    rest = x - quotient * y
    if rest != 0 and (rest ^ y) < 0:
        return quotient - 1
    return quotient


@inline
def floordiv_possible(x: Value, y: Value) -> bool:
    """Only INT_MIN // -1 does not fit."""
    if y == 0:
        return False
    quotient = floor_quotient(x, y)
    _doubled, overflow = add_overflows(quotient, quotient)
    return not overflow


@inline
def floordiv(x: Value, y: Value) -> Word:
    return floor_quotient(x, y) << 1


@inline
def mod_possible(x: Value, y: Value) -> bool:
    return y != 0


@inline
def mod(x: Value, y: Value) -> Word:
    return x - floor_quotient(x, y) * y


FLOORDIV = partial("FLOORDIV", floordiv_possible, floordiv)
MOD = partial("MOD", mod_possible, mod)
