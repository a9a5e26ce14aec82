"""The trigger words of every mechanism: their offsets in a thread's record.

The procedures that poison and restore them are compiled from the protocol's text.
"""

from __future__ import annotations

from dataclasses import dataclass

from safepoint.guest.code import BACK_EDGES, OPCODES
from safepoint.protocol.policy import Policy
from safepoint_vm.language.layout import Record, fields
from safepoint_vm.language.words import Thread

NUMBERS: dict[str, int] = {name: number for number, name in enumerate(OPCODES)}
"""The number of an opcode in machine code: its index in the opcode table."""


@dataclass(frozen=True)
class TriggerOffsets:
    """A trigger word.  `word`: its name in the protocol's text; `at`, `real`, `poison`: offsets of it and its two values."""

    word: str
    at: int
    real: int
    poison: int

    def is_poisoned(self, thread: Record) -> bool:
        """Does the word of this thread have its poison value?"""
        return thread[self.at // 8] == thread[self.poison // 8]


def _offset(name: str) -> int:
    return fields(Thread)[name].offset


LIMIT = TriggerOffsets("limit", _offset("limit"), _offset("limit_real"), _offset("limit_poison"))
"""The stack limit; its poison is 0, which every frame's end exceeds."""

ENTRIES = tuple(
    TriggerOffsets(
        f"entry[{index}]",
        _offset("table") + 8 * NUMBERS[name],
        _offset("base") + 8 * NUMBERS[name],
        _offset("entry_poison"),
    )
    for index, name in enumerate(BACK_EDGES)
)
"""The entries of the back-edges in the live dispatch table; their poison is `slow_back_edge`."""

TICKER = TriggerOffsets("ticker", _offset("ticker"), _offset("ticker_real"), _offset("ticker_poison"))
"""A number of checks; its poison is 0."""

HEAP_LIMIT = TriggerOffsets(
    "heap_limit", _offset("heap_limit"), _offset("heap_limit_real"), _offset("heap_limit_poison")
)
"""The end of what may be allocated; its poison is 1, which every object's end exceeds."""

POLL = ENTRIES[BACK_EDGES.index("POLL")]
TRIGGERS: dict[str, TriggerOffsets] = {trigger.word: trigger for trigger in (LIMIT, *ENTRIES, TICKER, HEAP_LIMIT)}


def words_of(policy: Policy) -> list[TriggerOffsets]:
    """The trigger words that a policy's checks read."""
    return [trigger for word, trigger in TRIGGERS.items() if word.partition("[")[0] in policy.words]


def shown(trigger: TriggerOffsets, policy: Policy, thread: Record) -> str:
    """What a trigger word of this thread holds, for people: "real", "poison", request bits, or what is left of a ticker."""
    value = thread[trigger.at // 8]
    if trigger is TICKER:
        return str(value)
    if value < policy.base:
        return f"bits {value}"
    return "poison" if trigger.is_poisoned(thread) else "real"
