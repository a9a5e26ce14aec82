"""The trigger words of the `folded` policy: where they stand in a thread's record, and what makes a check fail.

A `Trigger` is addresses only.  Who poisons and restores is the protocol's code, compiled from its text.
"""

from __future__ import annotations

from dataclasses import dataclass

from safepoint.guest.code import BACK_EDGES, OPCODES
from safepoint_vm.language.layout import Record, fields
from safepoint_vm.language.words import Thread

NUMBERS: dict[str, int] = {name: number for number, name in enumerate(OPCODES)}
"""The machine's number of an opcode is its place in the opcode table."""


@dataclass(frozen=True)
class Trigger:
    """`word`: its name in the protocol's text.  Offsets in the thread's record: of the word, its real and its poison value."""

    word: str
    at: int
    real: int
    poison: int

    def is_poisoned(self, thread: Record) -> bool:
        return thread[self.at // 8] == thread[self.poison // 8]


def _offset(name: str) -> int:
    return fields(Thread)[name].offset


LIMIT = Trigger("limit", _offset("limit"), _offset("limit_real"), _offset("limit_poison"))
"""The stack limit; its poison is 0, which every frame's end exceeds."""

ENTRIES = tuple(
    Trigger(
        f"entry[{index}]",
        _offset("table") + 8 * NUMBERS[name],
        _offset("base") + 8 * NUMBERS[name],
        _offset("entry_poison"),
    )
    for index, name in enumerate(BACK_EDGES)
)
"""The back-edges' entries of the live dispatch table; their poison is `slow_back_edge`."""

TRIGGERS: dict[str, Trigger] = {trigger.word: trigger for trigger in (LIMIT, *ENTRIES)}
