# mypy: disable-error-code="empty-body"
"""What a handler sees of the machine: its frame, its thread, the protocol's procedures, and the ways to leave.

All of it lives in CPU registers between handlers.
"""

from __future__ import annotations

from enum import IntEnum

from safepoint_vm.language.vocabulary import Bytecode, Exit, Table, Value, Word, procedure
from safepoint_vm.language.words import Frame, Thread

# Variants of the engine: an `if` on one of these is decided when the handler is compiled (`engine.Variant`).
PROTOCOL = True  # False: an engine written as if the protocol did not exist
COUNTING = False  # check sites are counted
CHECKS_FLAG = False  # back-edges test a flag of the thread: what `folded` does without
COLLECTOR_MUTANT = ""  # a mistake of the collector's


class Exited(IntEnum):
    """Why machine code was left.  `pc` and `frame` of the thread say where: at the instruction concerned."""

    FINISHED = 1  # HALT
    FAULT = 2  # the instruction raises: the host says what, and where guest code goes on
    PRINT = 3  # PRINT: the host prints, and goes on at the next instruction
    STEPPED = 4  # stepping: the budget is spent
    INTERRUPTED = 5  # the protocol said RAISE_INTERRUPT
    OVERFLOWED = 6  # the protocol said RAISE_OVERFLOW, or, without one, the stack is full
    PUSH_WAITS = 7  # `push_failed` waits: the host goes on with it, then enters at `after_push`
    BACK_EDGE_WAITS = 8  # `slow_path` waits: the host goes on with it, then enters at `after_back_edge`
    HOSTED = 9  # the host executes the instruction, and goes on at the next one
    NEEDS_ROOM = 10  # there is no room for `wanted` bytes: the host collects, and the instruction begins again
    THREADING = 11  # START, JOIN or SLEEP: the host's
    LOCKED = 12  # ACQUIRE: another thread has it; the host waits a while, and the instruction begins again
    RELEASED = 13  # RELEASE: others may wait for it; the host tells them, and goes on at the next instruction
    UNMASK_WAITS = 14  # `unmask` waits: the host goes on with it, then enters at `after_unmask`
    ASKS = 15  # INTERRUPT, HANDSHAKE: another thread is asked for something, by the host
    COLLECTS = 16  # COLLECT: the host stops the world and collects, and goes on at the next instruction


class Slot(Word):
    """An operand: the number of a slot of the frame."""


class Immediate(Word):
    """An operand: a small int, tagged when it is assembled."""


class Small(Word):
    """An operand: a value that fits in 32 bits with its tag."""


class Constant(Word):
    """An operand: the number of a constant."""


class Global(Word):
    """An operand: the number of a global variable."""


class Name(Word):
    """An operand: the number of a name, for a message; not for machine code."""


class Builtin(Word):
    """An operand: the number of a built-in function."""


class Kind(Word):
    """An operand: the number of an exception class."""


class Count(Word):
    """An operand: how many arguments follow."""


class Jump(Word):
    """An operand: how far to jump, in instructions after this one."""


class FarJump(Word):
    """As `Jump`, in 32 bits."""


class Machine:
    pc: Bytecode  # the instruction being executed
    frame: Frame
    thread: Thread
    table: Table  # what dispatches the next instruction

    def __getitem__(self, slot: Word | int) -> Value: ...
    def __setitem__(self, slot: Word | int, value: Value) -> None: ...

    def next(self) -> Exit:
        """Go on with the next instruction."""

    def jump(self, offset: Jump | FarJump) -> Exit:
        """Skip `offset` instructions after this one."""

    def enter(self, pc: Bytecode, frame: Frame) -> Exit:
        """Go on at `pc` in `frame`."""

    def execute(self, table: Table) -> Exit:
        """Execute this instruction by its handler in `table`; what follows it is dispatched as before."""

    def leave(self, status: Exited) -> Exit:
        """Leave machine code: back to whoever entered it, who finds status, pc and frame in the thread."""


@procedure
def push_failed(thread: Thread, end: Frame, resume: Word | int) -> Word: ...


@procedure
def slow_path(thread: Thread, resume: Word | int) -> Word: ...


@procedure
def mask(thread: Thread, resume: Word | int) -> Word: ...


@procedure
def unmask(thread: Thread, resume: Word | int) -> Word: ...
