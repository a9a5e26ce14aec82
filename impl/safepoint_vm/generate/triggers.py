"""The trigger words of every mechanism: their offsets in a thread's record.

The procedures that poison and restore them are compiled from the protocol's text.
"""

from __future__ import annotations

import ctypes
from abc import ABC, abstractmethod
from dataclasses import dataclass

from safepoint.guest.code import BACK_EDGES, OPCODES
from safepoint.protocol.policy import Policy
from safepoint_vm.generate.variant import Variant
from safepoint_vm.handlers.fused import FUSED
from safepoint_vm.language.layout import Record, fields
from safepoint_vm.language.pages import PROTECTED, READABLE, is_readable
from safepoint_vm.language.records import FIRST_LOOP, JUMPS, LOOPS, Thread, World

NUMBERS: dict[str, int] = {name: number for number, name in enumerate(OPCODES)}
"""The number of an opcode in machine code: its index in the opcode table."""
FUSED_NUMBERS: dict[str, int] = {each.name: number for number, each in enumerate(FUSED, len(NUMBERS))}
"""The number of a superinstruction."""
ALONE: dict[int, int] = {FUSED_NUMBERS[each.name]: NUMBERS[each.first] for each in FUSED}
"""The number of a superinstruction, to that of the opcode that it begins with."""
COMPILED, WARM = range(len(NUMBERS) + len(FUSED_NUMBERS), len(NUMBERS) + len(FUSED_NUMBERS) + 2)
"""The numbers of an instruction that is compiled, and of one that counts until its function is (`handlers.entering`)."""
NAMES: tuple[str, ...] = (*NUMBERS, *FUSED_NUMBERS, "compiled", "warm")
"""The handlers in a dispatch table, by number; behind them come those of compiled back-edges."""


@dataclass(frozen=True)
class TriggerWord(ABC):
    """A trigger word.  `word`: its name in the protocol's text; `at`: the offset of what stands for it in a thread's record;
    `real`, `poison`: its two values, as the subclass says.
    """

    word: str
    at: int
    real: int
    poison: int

    @abstractmethod
    def is_poisoned(self, thread: Record) -> bool:
        """Does the word of this thread have its poison value?"""


class TriggerOffsets(TriggerWord):
    """A word of memory.  `real`, `poison`: offsets of its two values."""

    def is_poisoned(self, thread: Record) -> bool:
        return thread[self.at // 8] == thread[self.poison // 8]


class RealizedTrigger(TriggerWord):
    """No word of memory: `generate.realized` has what its accesses become.  `real`, `poison`: its two values themselves."""


class Deadline(RealizedTrigger):
    """Poisoned: the counter of all has reached the thread's deadline."""

    def is_poisoned(self, thread: Record) -> bool:
        counter = ctypes.c_int64.from_address(thread.get("world") + fields(World)["epoch"].offset)
        return counter.value >= thread[self.at // 8]


class Protection(RealizedTrigger):
    """Poisoned: the thread's page is protected."""

    def is_poisoned(self, thread: Record) -> bool:
        return not is_readable(thread[self.at // 8])


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

FUSED_ENTRIES = tuple(
    TriggerOffsets(
        f"entry[{index}]",
        _offset("table") + 8 * FUSED_NUMBERS[each.name],
        _offset("base") + 8 * FUSED_NUMBERS[each.name],
        _offset("base") + 8 * NUMBERS[each.first],
    )
    for index, each in enumerate((each for each in FUSED if each.loops), len(ENTRIES))
)
"""The entries of the superinstructions that end in a back-edge; their poison is the handler of the opcode that they begin with."""

LOOP_ENTRIES = tuple(
    TriggerOffsets(
        f"entry[{len(ENTRIES) + len(FUSED_ENTRIES) + number}]",
        _offset("table") + 8 * (FIRST_LOOP + number),
        _offset("base") + 8 * (FIRST_LOOP + number),
        _offset("stubs") + 8 * number,
    )
    for number in range(LOOPS)
)
"""The entries of back-edges in compiled code; the poison of each is a stub that sets pc, and goes on in `slow_back_edge`."""

TICKER = TriggerOffsets("ticker", _offset("ticker"), _offset("ticker_real"), _offset("ticker_poison"))
"""A number of checks; its poison is 0."""

HEAP_LIMIT = TriggerOffsets(
    "heap_limit", _offset("heap_limit"), _offset("heap_limit_real"), _offset("heap_limit_poison")
)
"""The end of what may be allocated; its poison is 1, which every object's end exceeds."""

EPOCH = Deadline("epoch", _offset("deadline"), real=0, poison=1)
"""Whether the world's counter has reached the thread's deadline."""

PAGE = Protection("page", _offset("page"), real=READABLE, poison=PROTECTED)
"""The protection of the thread's page."""

POLL = ENTRIES[BACK_EDGES.index("POLL")]
OF_OPCODES: tuple[TriggerWord, ...] = (LIMIT, *ENTRIES, TICKER, HEAP_LIMIT, EPOCH, PAGE)
"""What the checks of single opcodes read."""
TRIGGERS = {trigger.word: trigger for trigger in (*OF_OPCODES, *FUSED_ENTRIES, *LOOP_ENTRIES)}

CODE = {f"code[{number}]": 8 * number for number in range(JUMPS)}
"""Trigger patched_jumps: the jumps of compiled back-edges, by their names in the text, to their places in the rows of a world's record."""
WORDS = tuple(TRIGGERS)
"""Their names: a trace has one as its index here."""


Widths = tuple[tuple[str, int], ...]
"""Rows of the text's trigger words, and how many words each has."""
ENTRY = ("entry", len(ENTRIES))
"""The entries of the opcodes alone."""
UNCOMPILED: Widths = (ENTRY, ("code", 0))
"""Where nothing is compiled, and so no jump is overwritten; a policy that patches has one word all the same (`widths_of`)."""


def widths_of(variant: Variant) -> Widths:
    """The entries of opcodes, of superinstructions, of back-edges in compiled code; and the jumps of those, where they are patched."""
    loops = 0 if variant.patches else variant.loops
    fused = len(FUSED_ENTRIES) * (variant.superinstructions or loops > 0)
    jumps = (("code", max(1, variant.loops)),) if variant.patches else ()
    return (("entry", len(ENTRIES) + fused + loops), *jumps)


def words_of(policy: Policy) -> list[TriggerWord]:
    """The trigger words that a policy's checks read, opcode by opcode."""
    return [trigger for trigger in OF_OPCODES if trigger.word.partition("[")[0] in policy.words]


def shown(trigger: TriggerWord, policy: Policy, thread: Record) -> str:
    """What a trigger word of this thread holds, for people: "real", "poison", request bits, or what is left of a ticker."""
    value = thread[trigger.at // 8]
    if trigger is TICKER:
        return str(value)
    if value < policy.base:
        return f"bits {value}"
    return "poison" if trigger.is_poisoned(thread) else "real"
