"""Which functions are hot, and how their compiled code comes into use: the guest thread that has found one hot installs it, while the
world is stopped.

Each function's first instruction, and each loop body's, counts how often the interpreter executes it (`handlers.entering`).  A thread
that has counted to the end stops the world and installs the function's machine code: it changes the numbers of the opcodes, and
names the code beside each instruction.  Every other thread stands at an instruction of the bytecode, its return addresses are such, too; so each
goes on in the new code, or with the interpreter in what is not compiled.

A back-edge of compiled code has an entry of its own in each thread's dispatch table.  One that no code uses is poisoned, and it still is when the
code is installed: each thread makes its own real in its slow path, as after any request (OWNER-RESTORES).  So to install code
writes no word that a requester may be writing.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

from safepoint.guest.code import Code, Program
from safepoint_vm.generate.engine import Engine, Variant
from safepoint_vm.generate.triggers import COMPILED, WARM
from safepoint_vm.handlers.shared.checks import DISPATCHED
from safepoint_vm.language.layout import Memory, Record
from safepoint_vm.language.records import FIRST_LOOP, JUMPS, LOOPS, TABLE_WORDS
from safepoint_vm.language.words import CLAIM_BITS, NUMBER_BITS
from safepoint_vm.tier.loops import counting, loops_of
from safepoint_vm.tier.memory import MOST, CodeMemory, Words

if TYPE_CHECKING:
    from safepoint_vm.tier.stitch import Context, Stitched, Stitcher

EXECUTIONS = 1000
"""How often an instruction that counts is executed before its function is compiled."""
NUMBER_MASK = (1 << NUMBER_BITS) - 1
STUB_BYTES = 16
IDLE = 1 << CLAIM_BITS
"""What stands for a jump that there is not; one more is its poison: neither is a claim."""
TRAP = b"\xcc" * STUB_BYTES  # int3


def compiling(variant: Variant) -> Variant:
    """The same in which hot functions are compiled: only where the dispatch of a back-edge is its check."""
    if variant.policy.trigger not in DISPATCHED:
        return variant
    return replace(variant, loops=JUMPS if variant.patches else LOOPS)


def fits(program: Program) -> bool:
    """Has each of its functions room where functions are compiled?"""
    return all(len(code.instructions) <= MOST for code in program.codes)


def begin_jumps(world: Record) -> None:
    """A world's record, as it is before there is compiled code: no jump is overwritten."""
    world.set("idle", IDLE)
    world.fill("code", [world.at("idle")] * JUMPS)
    world.fill("code_real", [IDLE] * JUMPS)
    world.fill("code_poison", [IDLE + 1] * JUMPS)


@dataclass(frozen=True)
class Loaded:
    """A function: its bytecode, as it is executed, and the numbers that its opcodes had when it was loaded."""

    code: Code
    text: Memory
    numbers: tuple[int, ...]


class Tier:
    """The compiled code of a program.  `executions`: as EXECUTIONS.

    `stepped`: each function is compiled when it is loaded, and each instruction is dispatched through the table in the register, so that one can
    be executed alone.  `tell`: gets the reason if templates cannot be made, whereupon all is left to the interpreter; without it that is an error.
    Errors: as `memory.CodeMemory`; where templates are made, as `tier.templates`.

    `doors`: further entries of a dispatch table, of instructions that are no back-edges; the text has no word for them.
    """

    doors: ClassVar[int] = 0

    def __init__(
        self,
        engine: Engine,
        executions: int = EXECUTIONS,
        *,
        stepped: bool = False,
        tell: Callable[[str], None] | None = None,
    ) -> None:
        self.engine, self.executions, self.stepped, self._tell = engine, executions, stepped, tell
        self.loops, self.patches = engine.variant.loops, engine.variant.patches
        self.memory = CodeMemory(engine.addresses["begin"])
        self._loaded: list[Loaded] = []
        self._installed: set[int] = set()  # addresses of bytecode
        rows = self.loops + self.doors
        first = self.memory.write(TRAP * 2 * rows)
        stubs = [first + STUB_BYTES * number for number in range(2 * rows)]
        self._poison = stubs[:rows]  # of each back-edge
        self._ends = stubs[rows:]  # … of a thread that is to end, or is stepped
        self._bodies = list(self._poison)  # what is in the base table for each back-edge,
        self._entries = list(self._poison) if self.patches else self._bodies  # … and what is real in its entry
        self._jumps: dict[int, tuple[Memory, int]] = {}  # where jumps are patched: the word of code, and its poison
        self._used = 0  # entries of back-edges
        self._making = threading.Lock()
        self._context: Context | None = None
        self._given_up = False  # no templates can be made

    # -- a function

    def make_templates(self) -> Context | None:
        """What compiled code is made of, made at the first call.  None: it cannot be made, which has been told."""
        from safepoint_vm.tier.stitch import context  # noqa: PLC0415  -- for a program that gets hot

        with self._making:
            if self._context is None and not self._given_up:
                try:
                    self._context = context(self.engine, self.memory, stepped=self.stepped)
                except Exception as error:  # of LLVM, or where it is not installed: the interpreter needs neither
                    if self._tell is None:
                        raise
                    self._given_up = True
                    self._tell(f"its templates cannot be made: {type(error).__name__}: {error}")
            return self._context

    def load(self, code: Code, words: Sequence[int]) -> Memory:
        """The bytecode of a function: its words, where compiled code can be named beside them."""
        text = self.memory.text(len(words))
        beside, heat = self.memory.beside(text), self.memory.beside(text, 2)
        loaded = Loaded(code, text, tuple(word & NUMBER_MASK for word in words))
        self._loaded.append(loaded)
        text.write(words)
        beside.write([self.engine.addresses["begin"]] * len(words))
        if self.stepped:
            self._install(loaded, (), None)
        else:
            heat.write([self.executions << NUMBER_BITS | number for number in loaded.numbers])
            self._set_numbers(loaded, [(number, WARM) for number in self._counting(code)])
        return text

    def _counting(self, code: Code) -> Sequence[int]:
        """The numbers of the instructions that count until a function is hot."""
        return counting(code)

    def install(self, pc: int, records: Sequence[Record], world: Record | None) -> None:
        """Compile the function of the instruction at an address, in a stopped world, unless it is.  `records`: of the world's threads.
        `world`: None: there is none yet.

        Where there is no room, and where there are no templates, the function stays with the interpreter, and counts no more.
        """
        loaded = self.loaded(pc)
        if loaded.text.address not in self._installed:
            self._installed.add(loaded.text.address)
            self._set_numbers(loaded, enumerate(loaded.numbers))
            self._install(loaded, records, world)

    def loaded(self, pc: int) -> Loaded:
        """The function of the instruction at an address."""
        return next(each for each in self._loaded if 0 <= pc - each.text.address < 8 * each.text.words)

    def _install(self, loaded: Loaded, records: Sequence[Record], world: Record | None) -> None:
        from safepoint_vm.tier.stitch import Stitcher, jump, stub  # noqa: PLC0415  -- as `make_templates`

        if (context := self.make_templates()) is None:
            return
        loops = self._entries_of(loaded.code)
        made = self._stitched(Stitcher(context, loaded.code, loaded.text.address, loops))
        if len(made.code) > self.memory.room:
            return
        self.memory.write(made.code)
        self._take(loops)
        beside = self.memory.beside(loaded.text)
        for number, address in made.entries.items():
            if number not in loops:
                beside[number] = address
                continue
            loop, pc = loops[number] - FIRST_LOOP, loaded.text.address + 8 * number
            for at, handler in ((self._poison[loop], "slow_back_edge"), (self._ends[loop], "step")):
                self.memory.overwrite(at, stub(pc, self.engine.addresses[handler], at))
            self._bodies[loop] = address
            if world and self.patches:
                at = self._entries[loop] = made.jumps[number]
                self._begin_jump(loop, at, jump(at, self._poison[loop]), world)
            for record in records:
                record.set("base", address, loops[number])
                if self.patches:
                    record.set("table", self._entries[loop], loops[number])
        self._set_numbers(loaded, [(number, loops.get(number, COMPILED)) for number in made.entries])

    def _entries_of(self, code: Code) -> dict[int, int]:
        """The instructions that are come to through an entry of their own, to its number: back-edges, as far as there are entries."""
        return dict(zip(loops_of(code), range(FIRST_LOOP + self._used, FIRST_LOOP + self.loops), strict=False))

    def _take(self, entries: Mapping[int, int]) -> None:
        """These entries are used."""
        self._used += len(entries)

    def _begin_jump(self, loop: int, at: int, poison: int, world: Record) -> None:
        """Let requesters overwrite the jump at an address.  It begins overwritten, and is put back as after any request."""
        word = Words(self.memory.writable(at), 1, self.memory)
        real, word[0] = word[0], poison
        self._jumps[loop] = word, poison
        world.set("code_real", real, loop)
        world.set("code_poison", poison, loop)
        world.set("code", word.address, loop)  # last: a requester that finds it finds what it is to write there

    def _stitched(self, stitcher: Stitcher) -> Stitched:
        return stitcher.at(self.memory.next)

    @staticmethod
    def _set_numbers(loaded: Loaded, numbers: Iterable[tuple[int, int]]) -> None:
        for at, number in numbers:
            loaded.text[at] = loaded.text[at] & ~NUMBER_MASK | number

    # -- a thread's record

    @cached_property
    def stepping(self) -> Memory:
        """The table of a thread that is stepped: each entry is `step`; that of a back-edge in compiled code sets pc before."""
        step = self.engine.addresses["step"]
        return Memory(TABLE_WORDS, [*[step] * FIRST_LOOP, *self._ends, *[step] * (LOOPS - len(self._ends))])

    def prepare(self, record: Record) -> None:
        """Its dispatch tables, as they are before the thread's first check."""
        record.fill("stubs", self._poison)
        record.fill("table", self._entries, FIRST_LOOP)
        record.fill("base", self._bodies, FIRST_LOOP)

    def stop(self, record: Record) -> None:
        """Make its back-edges leave machine code, as the other entries of its tables do."""
        record.fill("table", self._ends, FIRST_LOOP)
        record.fill("base", self._ends, FIRST_LOOP)
        for word, poison in self._jumps.values():  # which stay poisoned, because the thread's limit is
            word[0] = poison
