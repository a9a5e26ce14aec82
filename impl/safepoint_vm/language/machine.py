# mypy: disable-error-code="empty-body"
"""What a handler sees of the machine: its frame, its thread, the protocol's procedures, and the ways to leave.

Between handlers, pc, frame, thread and table live in CPU registers.
"""

from __future__ import annotations

from enum import IntEnum

from safepoint_vm.language.records import Thread
from safepoint_vm.language.vocabulary import Bytecode, Exit, Table, Value, Word, procedure
from safepoint_vm.language.words import Frame

# Switches of `engine.Variant`: an `if` on one of these is decided when the handler is compiled.
PROTOCOL = True  # False: the engine as it would be without the protocol
COUNTING = False  # True: each thread counts the checks that it executes
TRACED = False  # True: each thread logs its checks
TRIGGER = "limit_and_table"  # the mechanism: a file of `safepoint.protocol.triggers`
CHECKS_PUSHES = True  # False: the policy has no site there
CHECKS_BACK_EDGES = True  # … nor there
CHECKS_ELSEWHERE = ""  # the site that the policy has beside pushes and back-edges: "return" or "allocation"
LIMIT_IS_POISONED = True  # False: no request touches the limit, so a frame that ends above it is an overflow
BASE = 0  # trigger bits_in_limit: a limit below this is request bits
UNCHECKED = False  # True: an instruction that its check has let go on makes none of its own
HOOKED = False  # True: trigger ticker calls `count_hook` between its load and its store
LOGS_LOOPS = LOGS_PUSHES = True  # False: a traced check says by itself that it has passed, or the policy has none there
CHECK_MUTANT = ""  # the mutant of the text's checks to compile
PROFILED = False  # True: what it has allocated is sampled behind the limit of its TLAB
COLLECTOR_MUTANT = ""  # the mutant of the collector to compile


class Exited(IntEnum):
    """Why machine code was left.  The thread's `pc` and `frame` name the instruction."""

    FINISHED = 1  # HALT
    FAULT = 2  # the instruction raises: the host makes the exception and unwinds
    PRINT = 3  # PRINT: the host prints, then enters at the next instruction
    STEPPED = 4  # on the stepping table: the budget is spent
    INTERRUPTED = 5  # the outcome of a check site was RAISE_INTERRUPT
    OVERFLOWED = 6  # … was RAISE_OVERFLOW; without a protocol: the stack is full
    PUSH_WAITS = 7  # `push_failed` waits: the host resumes it, then enters at `after_push`
    BACK_EDGE_WAITS = 8  # `slow_path` waits: the host resumes it, then enters at `after_back_edge`
    HOSTED = 9  # the host executes the instruction, then enters at the next one
    NEEDS_ROOM = 10  # no room for `wanted` bytes: the host collects, and the instruction restarts
    THREADING = 11  # START or JOIN, or an ACQUIRE that raises: the host executes it
    LOCKED = 12  # ACQUIRE of a held lock: the host waits for a release, and the instruction restarts
    RELEASED = 13  # RELEASE of a contended lock: the host notifies, then enters at the next instruction
    UNMASK_WAITS = 14  # `unmask` waits: the host resumes it, then enters at `after_unmask`
    UNWOUND_WAITS = 19  # as UNMASK_WAITS, of `unwound`
    ASKS = 15  # INTERRUPT, TERMINATE or HANDSHAKE: the host makes the request, then enters at the next instruction
    TERMINATED = 17  # … was RAISE_TERMINATE
    ELSEWHERE_WAITS = 18  # as BACK_EDGE_WAITS, at a return or an allocation
    SLEEPS = 21  # SLEEP: the host executes it
    HOT = 20  # the instruction has been executed often: the host compiles its function, then enters at it
    COLLECTS = 16  # COLLECT: the host stops the world and collects, then enters at the next instruction


class Slot(Word):
    """An operand: the number of a slot of the frame."""


class Immediate(Word):
    """An operand: a small int, tagged by the assembler."""


class Small(Word):
    """An operand: a value that fits in 32 bits with its tag."""


class Constant(Word):
    """An operand: the number of a constant."""


class Global(Word):
    """An operand: the number of a global variable."""


class Name(Word):
    """An operand: the number of a name, for error messages; machine code ignores it."""


class Builtin(Word):
    """An operand: the number of a built-in function."""


class Kind(Word):
    """An operand: the number of an exception class."""


class Count(Word):
    """An operand: the number of arguments, in consecutive slots."""


class Jump(Word):
    """An operand: how far to jump, in bytes from this instruction (in the opcode table: instructions from the next)."""


class FarJump(Word):
    """As `Jump`, in 32 bits."""


class Machine:
    """The first parameter of every handler; `vm[slot]` is a slot of the frame.  Operations that return an Exit end it."""

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
        """Execute this instruction with its handler in `table`; later ones are dispatched through `self.table` again."""

    def execute_alone(self, table: Table) -> Exit:
        """As `execute`; of a superinstruction, only the opcode that it begins with."""

    def execute_as(self, table: Table, number: Word) -> Exit:
        """As `execute`, with the handler of the opcode with this number."""

    def execute_compiled(self) -> Exit:
        """Execute this instruction, and those that follow, in the compiled code that the word beside it names."""

    def leave(self, status: Exited) -> Exit:
        """Leave machine code, with status, pc and frame stored in the thread's record."""


@procedure
def push_failed(thread: Thread, end: Word, resume: Word | int) -> Word: ...


@procedure
def slow_path(thread: Thread, resume: Word | int) -> Word: ...


@procedure
def mask(thread: Thread, resume: Word | int) -> Word: ...


@procedure
def unmask(thread: Thread, resume: Word | int) -> Word: ...


@procedure
def unwound(thread: Thread, resume: Word | int) -> Word: ...


# What `log_check` logs, beside the events of the protocol's code (`generate.tracing`).
PUSHED, LOOPED, CHECKED, ENTERED_PUSH, ENTERED_BACK_EDGE, ENTERED_ELSEWHERE, SKIPS, STORED = range(100, 108)

# What that logs beside events: a look at what is pending; MANAGED published, where it was before; the mask before << 8 and after.
LOOK, RETURNED, MASK = 200, 201, 202


@procedure
def log_check(thread: Thread, what: Word | int, pc: Bytecode, resume: Word | int) -> Word:
    """TRACED: log a check.  SKIPS: the next back-edge that passes is none.  STORED: it has stored its ticker."""


@procedure
def count_hook(thread: Thread, left: Word, resume: Word | int) -> Word:
    """HOOKED: a check has loaded its ticker, and is about to store what is left (`generate.counting`)."""


# What samples a thread (`handlers.shared.sampling`); compiled with the protocol's procedures, and called as they are.


@procedure
def at_threshold(thread: Thread, resume: Word | int) -> Word:
    """PROFILED: is there room for `wanted` bytes behind the limit, which was that of a sample?  Then the sample is taken."""


@procedure
def begin_tlab(thread: Thread, resume: Word | int) -> Word:
    """PROFILED: the thread has a new TLAB."""


@procedure
def end_tlab(thread: Thread, resume: Word | int) -> Word:
    """PROFILED: the thread gives up its TLAB, or has none."""


@procedure
def post(thread: Thread, kind: Word | int, resume: Word | int) -> Word: ...


@procedure
def clock_now(clock: Word, resume: Word | int) -> Word:
    """PROFILED: nanoseconds on a clock of the system; if it has no such clock any number that is not above 0."""


@procedure
def sleep_until(time: Word, resume: Word | int) -> Word:
    """PROFILED: let the OS thread sleep until this time, in nanoseconds, on the monotonic clock; it may wake up before."""
