"""The process's handler of SIGSEGV while there are engines whose checks load from a page: what it knows, and when it is there.

It is put in place when the first such engine is loaded, and hands on to what it finds there all that is no check's; so what others want to
do with a fault, `faulthandler` above all, they say before.  At exit the old handler is put back, unless a guest thread still runs.
"""

from __future__ import annotations

import atexit
import ctypes
import functools
import signal
import weakref
from collections.abc import Sequence

from safepoint.protocol.words import ENDED
from safepoint_vm.generate import kept
from safepoint_vm.generate.code_image import CodeImage, EngineCode, MappedCode
from safepoint_vm.language.layout import Memory, Record
from safepoint_vm.language.pages import READABLE, SYSTEM, Page, protect
from safepoint_vm.language.signals import SIGACTION_WORDS, Checks, Faults

SA_SIGINFO, SA_ONSTACK = 4, 0x08000000
FLAGS = SA_SIGINFO | SA_ONSTACK
"""On the alternative stack if the thread has one, for faults of others: a check's fault needs none.  The signal is blocked meanwhile."""
FLAGS_WORD = 17
"""Where they stand in a struct sigaction, in words."""


class HandlerReplaced(Exception):
    """Something else handles SIGSEGV now, so a failed check would end the process.  One line, with what to do."""


class FaultHandler:
    """The handler, loaded.  Nothing of it is ever freed: a fault may come at any time."""

    def __init__(self) -> None:
        self._code = MappedCode(kept.code("on_fault", _compiled).image)
        self._address = self._code.addresses["on_fault"]
        self._faults, self._tables = Record(Faults), list[tuple[Memory, object]]()
        self._was_there = False
        self._guarded = weakref.WeakSet[Record]()
        ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64)(self._code.addresses["use_faults"])(self._faults.address)

    def guards(self, record: Record) -> None:
        """A thread with this record will check."""
        self._guarded.add(record)

    def know(self, first: int, end: int, code: object) -> None:
        """Know a table of checks, in memory that `code` owns: it is kept, as the table is looked at from here on."""
        table = Record(Checks)
        for name, word in {"next": self._faults.get("tables"), "first": first, "end": end}.items():
            table.set(name, word)
        self._tables.append((table, code))
        self._faults.set("tables", table.address)

    @property
    def is_there(self) -> bool:
        """Does it handle SIGSEGV?"""
        return _sigaction()[0] == self._address

    def install(self) -> None:
        """Handle SIGSEGV from here on.  HandlerReplaced: it did, and something else does now."""
        if self.is_there:
            return
        if self._was_there:
            raise HandlerReplaced(
                "something else handles SIGSEGV since a policy was first used whose checks fault: a failed one would end the process"
                " (call faulthandler.enable() and the like before)"
            )
        for index, word in enumerate(_sigaction()):
            self._faults.set("saved", word, index)
        mine = [0] * SIGACTION_WORDS
        mine[0], mine[FLAGS_WORD] = self._address, FLAGS
        _sigaction(mine)
        self._was_there = True
        atexit.register(self.remove)

    def remove(self) -> None:
        """Put back what was there; a no-op if something else handles SIGSEGV now, or a thread still runs whose checks may fault."""
        if self.is_there and all(record.get("state") == ENDED for record in self._guarded):
            _sigaction([self._faults.get("saved", index) for index in range(SIGACTION_WORDS)])
            self._was_there = False
            atexit.unregister(self.remove)


def _sigaction(new: Sequence[int] = ()) -> list[int]:
    """The sigaction of SIGSEGV, as words; which is changed if there is a new one."""
    given, found = (Memory(SIGACTION_WORDS, words) for words in (new, ()))
    address = ctypes.c_void_p(given.address) if new else None
    if SYSTEM.sigaction(signal.SIGSEGV, address, ctypes.c_void_p(found.address)) != 0:
        raise OSError(ctypes.get_errno(), "sigaction")
    return [found[index] for index in range(SIGACTION_WORDS)]


@functools.cache
def fault_handler() -> FaultHandler:
    """The handler of this process."""
    return FaultHandler()


def guard(record: Record) -> None:
    """Give a thread's record a page of its own, unless it has one, and make that readable; before it checks.

    HandlerReplaced: as `FaultHandler.install`.  OSError: there is no memory for a page.
    """
    fault_handler().install()
    fault_handler().guards(record)
    if record.page is None:
        record.page = page = Page()
        record.set("page", page.address)
    protect(record.get("page"), READABLE)


def unblock() -> None:
    """Take faults on the calling OS thread, which has inherited what signals its starter blocks: the system ends a process
    where one is blocked that it has to send.
    """
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGSEGV})


def map_checked(image: CodeImage) -> MappedCode:
    """Load an image; the process's fault handler knows its checks that load from a page, and is there if there are any.

    HandlerReplaced: as `FaultHandler.install`; then it knows nothing of them, for they are freed.  OSError: as `MappedCode`.
    """
    code = MappedCode(image)
    if code.tables:
        fault_handler().install()
    for first, end in code.tables:
        fault_handler().know(first, end, code)
    return code


def _compiled() -> EngineCode:
    from safepoint_vm.generate.on_fault import on_fault_code  # noqa: PLC0415  -- LLVM: for what is not kept

    return on_fault_code()
