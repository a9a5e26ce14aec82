# mypy: disable-error-code="empty-body"
"""What the handler of SIGSEGV works on (Linux x86-64): the system's structs, the tables of checks, what was there before it."""

from __future__ import annotations

from typing import Annotated

from safepoint_vm.language.vocabulary import Array, Row, Shared, Struct, Word, procedure

SIGACTION_WORDS = 19  # of the C library's struct sigaction
DEFAULT, IGNORED = 0, 1  # what stands in one instead of a handler's address
PROTECTED = 2  # SEGV_ACCERR: the page is mapped, and its protection forbids the access
CHECK_BYTES = 16  # of a Check


class SignalInfo(Struct):
    """The beginning of a siginfo_t.  `code`: in its low half."""

    number: Word
    code: Word
    address: Word


class Context(Struct):
    """The beginning of a ucontext_t: five words, then registers."""

    before: Annotated[Array, Row(11)]
    r14: Word
    between: Annotated[Array, Row(9)]
    pc: Word


class Check(Struct):
    """A check that loads from the page of the thread in r14.  Both are distances from where they stand."""

    load: Word  # to the instruction
    failed: Word  # to where the thread goes on if it faults


class Checks(Struct):
    """The table of an object file: `Check`s from `first` to `end`.  `next`: the address of another one, or 0."""

    next: Word
    first: Word
    end: Word


class Faults(Struct):
    """`tables`: the address of the first `Checks`, or 0.  `saved`: the sigaction that was there."""

    tables: Annotated[Word, Shared]
    saved: Annotated[Array, Row(SIGACTION_WORDS)]


@procedure
def known_faults() -> Word:
    """The address of the process's `Faults`."""


@procedure
def call_handler(handler: Word, number: Word, info: SignalInfo, context: Context) -> Word:
    """Call another handler of the same signal."""


@procedure
def put_back(saved: Array, number: Word) -> Word:
    """Make this the sigaction of the signal again."""


@procedure
def send_again(number: Word) -> Word:
    """Send the signal to this thread, for when its handler has returned."""
