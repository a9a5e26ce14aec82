"""The protocol's shared words in memory, by address; and accesses of the hosted variant, whose stores reach memory late.

As x86 has it (Owens, Sarkar, Sewell: A better x86 memory model, 2009): each OS thread's stores wait in a buffer of its own, first
in, first out; it reads its own ones there; a locked access empties it first.
"""

from __future__ import annotations

import ctypes
from collections import deque

from safepoint.graph.ir import MODIFIES, WORLD, Cell
from safepoint_vm.generate.triggers import TRIGGERS
from safepoint_vm.language.layout import Record

WORDS = ("pending", "state", "operation", "wake")
CAPACITY = 16
"""Stores that a buffer holds."""


class Words:
    """cells: address of a shared word -> whose it is, and its name."""

    def __init__(self, world: Record) -> None:
        named = {
            "stop": "stop",
            "lock": "lock",
            "idle": "code[0]",
        }  # the last stands for a jump, where nothing is compiled
        self.cells: dict[int, Cell] = {world.at(word): Cell(WORLD, name) for word, name in named.items()}
        self._places: dict[int, ctypes.c_int64] = {}
        self._late: dict[int, deque[tuple[int, int]]] = {}  # by the actor that stores
        self._know(self.cells)

    def add(self, number: int, record: Record) -> None:
        """The words of a thread's record; a no-op if they are known."""
        found = {record.address + trigger.at: Cell(number, word) for word, trigger in TRIGGERS.items()}
        found |= {record.at(word): Cell(number, word) for word in WORDS}
        self.cells |= found
        self._know(found)

    def _know(self, addresses: dict[int, Cell]) -> None:
        for address in addresses:
            self._places[address] = ctypes.c_int64.from_address(address)

    def get(self, address: int) -> int:
        """What memory holds."""
        return self._places[address].value

    # -- late stores

    @property
    def waiting(self) -> list[int]:
        """The actors with a store that has not reached memory."""
        return [actor for actor, stores in self._late.items() if stores]

    def access(self, actor: int, op: str, address: int, a: int, b: int) -> int:
        """Make an access.  Returns what it gives."""
        place = self._places[address]
        if op == "load":
            mine = self._late.get(actor, ())
            return next((value for where, value in reversed(mine) if where == address), place.value)
        if op == "store":
            self._late.setdefault(actor, deque()).append((address, a))
            if len(self._late[actor]) > CAPACITY:
                self.flush(actor)
            return 0
        self.drain(actor)
        old = place.value
        if op == "cas":
            place.value = b if old == a else old
            return int(old == a)
        match MODIFIES.get(op, ""):
            case "|":
                place.value = old | a
            case "&":
                place.value = old & a
            case "+":
                place.value = old + a
            case "-":
                place.value = old - a
            case _:
                place.value = a
        return old

    def flush(self, actor: int) -> None:
        """Its oldest store reaches memory."""
        address, value = self._late[actor].popleft()
        self._places[address].value = value

    def drain(self, actor: int) -> None:
        """All of them do."""
        while self._late.get(actor):
            self.flush(actor)
