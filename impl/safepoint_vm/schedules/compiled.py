"""Compiled code in a controlled run: the machine code of `tier`, left before each instruction before which another actor may go on.

Nothing in it is made for that.  A jump to a back-edge goes through an entry of the table in the register, as always; an actor is entered
with the stepping table there, whose entries set pc and leave.  The others before which it is left, calls among them, are come to
in the same way here: each has an entry of its own, behind those of back-edges, which the text has no word for and so no requester poisons.
Then the instruction is dispatched through the thread's own table: there a poisoned entry leads to its stub, and that load is the check.
What lies between two such instructions is executed without a pause.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from safepoint.differential.controlled import INSTALLS
from safepoint.guest.code import BACK_EDGES, Code
from safepoint_vm.generate.engine import Engine
from safepoint_vm.generate.triggers import ENTRIES, FUSED_ENTRIES
from safepoint_vm.language.layout import Memory, Record
from safepoint_vm.language.records import FIRST_LOOP, LOOPS
from safepoint_vm.language.words import NUMBER_BITS
from safepoint_vm.schedules.sites import is_choice
from safepoint_vm.tier.install import Loaded, Tier
from safepoint_vm.tier.loops import bodies_of, counting

WORDS = 2
"""Back-edges of compiled code that have a word in the text: each is a word more that a post writes, and a choice point.  Further ones the
interpreter executes."""


class WatchedTier(Tier):
    """What a controlled run executes.  `alone`: its program starts no thread.  `code`: as `differential.controlled.Case`."""

    doors: ClassVar[int] = LOOPS - WORDS

    def __init__(self, engine: Engine, code: str, *, alone: bool) -> None:
        super().__init__(engine, executions=0)  # the first execution of an instruction that counts finds it hot
        self._installs, self._alone = code == INSTALLS, alone
        self._opened = 0  # doors

    def load(self, code: Code, words: Sequence[int]) -> Memory:
        text = super().load(code, words)
        if not self._installs:
            self.install(text.address, (), None)
        return text

    def _counting(self, code: Code) -> list[int]:
        """The bodies of its loops, if any count: so threads stand in its middle when it is compiled."""
        found, bodies = counting(code), bodies_of(code)
        return [number for number in found if number in bodies] or found

    def _install(self, loaded: Loaded, records: Sequence[Record], world: Record | None) -> None:
        doors = self._doors_of(loaded.code)
        if self._opened + len(doors) > self.doors:
            return  # it stays with the interpreter
        super()._install(loaded, records, world)
        for entry in range(FIRST_LOOP + self.loops, FIRST_LOOP + self.loops + self._opened):
            for record in records:
                record.set("table", self._bodies[entry - FIRST_LOOP], entry)

    def _doors_of(self, code: Code) -> list[int]:
        """The numbers of the instructions before which it is to be left, but for back-edges."""
        policy = self.engine.policy
        return [
            number
            for number, each in enumerate(code.instructions)
            if each.op not in BACK_EDGES and is_choice(each.op, policy, alone=self._alone)
        ]

    def _entries_of(self, code: Code) -> dict[int, int]:
        first = FIRST_LOOP + self.loops + self._opened
        return super()._entries_of(code) | {number: first + n for n, number in enumerate(self._doors_of(code))}

    def _take(self, entries: Mapping[int, int]) -> None:
        loops = {number: entry for number, entry in entries.items() if entry < FIRST_LOOP + self.loops}
        super()._take(loops)
        self._opened += len(entries) - len(loops)


def entry_of(word: int, loops: int) -> int | None:
    """Which of the text's entries the dispatch of an instruction reads, if it is a back-edge of compiled code.  `word`: of bytecode."""
    number = (word & (1 << NUMBER_BITS) - 1) - FIRST_LOOP
    return len(ENTRIES) + len(FUSED_ENTRIES) + number if 0 <= number < loops else None
