"""The bits of a packed state that belong together."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Field:
    shift: int
    mask: int

    def get(self, state: int) -> int:
        return state >> self.shift & self.mask

    def put(self, state: int, value: int) -> int:
        if value & ~self.mask:
            raise OverflowError(f"{value} does not fit in the model's {self.mask.bit_length()} bits")
        return state & ~(self.mask << self.shift) | value << self.shift
