"""Test, unpack and make tagged values: helpers of every handler."""

from __future__ import annotations

from safepoint_vm.language.vocabulary import (
    Float,
    Value,
    Word,
    bits_of_float,
    float_from_bits,
    inline,
    int_to_float,
    rotate_left,
)
from safepoint_vm.language.words import (
    FALSE_WORD,
    FLOAT_KIND,
    FLOAT_SCALE,
    FUNCTION,
    LIST,
    NONE_WORD,
    OBJECT,
    STRING_KIND,
    TAG_MASK,
    TRUE_WORD,
    UNSET_WORD,
    BoxedFloat,
    List,
    Object,
    String,
)


@inline
def both_ints(x: Value, y: Value) -> bool:
    return (x | y) & 1 == 0


@inline
def is_int(x: Value) -> bool:
    return x & 1 == 0


@inline
def is_constant(x: Value) -> bool:
    return x == NONE_WORD or x == FALSE_WORD or x == TRUE_WORD or x == UNSET_WORD


@inline
def both_floats(x: Value, y: Value) -> bool:
    return ((x - 1) | (y - 1)) & 0b11 == 0


@inline
def is_float(x: Value) -> bool:
    return (x - 1) & 0b11 == 0


@inline
def is_list(x: Value) -> bool:
    return (x - LIST) & TAG_MASK == 0


@inline
def is_object(x: Value) -> bool:
    return (x - OBJECT) & TAG_MASK == 0


@inline
def kind_of(x: Value) -> Word:
    """The kind of an object."""
    return Object(x).header & 0xFF


@inline
def has_kind(x: Value, kind: Word) -> bool:
    if is_object(x):
        return kind_of(x) == kind
    return False


@inline
def is_string(x: Value) -> bool:
    return has_kind(x, Word(STRING_KIND))


@inline
def is_box(x: Value) -> bool:
    return has_kind(x, Word(FLOAT_KIND))


@inline
def scaled(x: Value) -> Float:
    """The float in x times 2**-256: good enough for sums and comparisons."""
    return float_from_bits(rotate_left(x, 61))


@inline
def unscaled(x: Value) -> Float:
    """The float in x."""
    return float_from_bits(rotate_left(x, 61) + FLOAT_SCALE)


@inline
def pack(x: Float) -> Value:
    """The tagged word of a scaled float; out of range, `is_float` is false of it."""
    return Value(rotate_left(bits_of_float(x), 3))


@inline
def pack_unscaled(x: Float) -> Value:
    return Value(rotate_left(bits_of_float(x) - FLOAT_SCALE, 3))


@inline
def is_bool(x: Value) -> bool:
    return x == FALSE_WORD or x == TRUE_WORD


@inline
def is_function(x: Value) -> bool:
    return (x - FUNCTION) & TAG_MASK == 0


@inline
def as_number(x: Value) -> Value:
    """The int 0 or 1 for a bool; other values unchanged."""
    if is_bool(x):
        return Value(((x >> 4) - 1) << 1)
    return x


@inline
def truth_word(x: bool) -> Value:
    if x:
        return Value(TRUE_WORD)
    return Value(FALSE_WORD)


@inline
def is_number(x: Value) -> bool:
    """Is x an int, a bool or a float?"""
    return is_int(x) or is_float(x) or is_bool(x) or is_box(x)


@inline
def as_float(x: Value) -> Float:
    """The float that a number converts to."""
    if is_float(x):
        return unscaled(x)
    if is_int(x):
        return int_to_float(x >> 1)
    if is_bool(x):
        return int_to_float((x >> 4) - 1)
    return float_from_bits(BoxedFloat(x).bits)


@inline
def is_reference(x: Value) -> bool:
    """Is x a list or an object?"""
    return x & 0b111 == 0b011


@inline
def is_true_word(x: Value) -> bool:
    """The truth of a value that is neither a list nor an object."""
    return not (x == FALSE_WORD or x == 0 or x == NONE_WORD)


@inline
def is_true(x: Value) -> bool:
    if is_reference(x):
        return is_true_object(x)
    return is_true_word(x)


@inline
def is_true_object(x: Value) -> bool:
    if is_list(x):
        return List(x).length != 0
    if kind_of(x) == STRING_KIND:
        return String(x).length != 0
    if kind_of(x) == FLOAT_KIND:
        return float_from_bits(BoxedFloat(x).bits) != 0.0
    return True
