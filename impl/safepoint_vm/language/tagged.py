"""Convert between Python values and tagged words, and make headers; for the host."""

from __future__ import annotations

import struct

from safepoint.guest.code import INT_MAX, INT_MIN, Unset
from safepoint_vm.language.words import CONSTANTS, FLOAT_SCALE


def header(kind_header: int, words: int) -> int:
    """The header of an object of `words` words, itself included."""
    return kind_header | words << 32


def even(words: int) -> int:
    """Round up to an even number of words, as objects have."""
    return words + 1 & -2


def word_of(value: object) -> int:
    """The tagged word of an int, None, a bool or UNSET.  OverflowError: an int beyond 63 bits.  TypeError: another value."""
    match value:
        case bool() | None | Unset():
            return next(word for word, constant in CONSTANTS.items() if constant is value)
        case int() if INT_MIN <= value <= INT_MAX:
            return value << 1
        case int():
            raise OverflowError(f"{value} does not fit in 63 bits")
    raise TypeError(f"{value!r} is not an int, None, a bool or UNSET")


def float_word(number: float) -> int | None:
    """The tagged word of a float, signed.  None: it is out of range and needs a box."""
    scaled = bits(number) - FLOAT_SCALE & (1 << 64) - 1
    word = (scaled << 3 | scaled >> 61) & (1 << 64) - 1
    return signed(word) if word & 0b11 == 0b01 else None


def float_of_word(word: int) -> float:
    """The inverse of `float_word`."""
    scaled = (word & (1 << 64) - 1) >> 3 | (word & 0b111) << 61
    return from_bits(scaled + FLOAT_SCALE)


def bits(number: float) -> int:
    """The 64 bits of an IEEE double, unsigned."""
    word: int = struct.unpack("<Q", struct.pack("<d", number))[0]
    return word


def from_bits(word: int) -> float:
    """The inverse of `bits`; takes signed words, too."""
    number: float = struct.unpack("<d", struct.pack("<Q", word & (1 << 64) - 1))[0]
    return number


def signed(word: int) -> int:
    """A word of 64 unsigned bits as the signed int of the same bits."""
    return word - (1 << 64) if word >> 63 else word
