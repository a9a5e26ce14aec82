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
from dataclasses import dataclass

import llvmlite.binding as llvm
from llvmlite import ir

from safepoint.protocol.words import ENDED
from safepoint_vm.generate.compiler import ModuleCompiler
from safepoint_vm.generate.instruction import I32, I64, POINTER
from safepoint_vm.generate.object_code import load, object_file, sections
from safepoint_vm.generate.page_checks import END, SECTION
from safepoint_vm.handlers.shared.page_faults import on_fault
from safepoint_vm.language.layout import Memory, Record
from safepoint_vm.language.pages import READABLE, SYSTEM, Page, protect
from safepoint_vm.language.signals import SIGACTION_WORDS, Checks, Faults

SA_SIGINFO, SA_ONSTACK = 4, 0x08000000
FLAGS = SA_SIGINFO | SA_ONSTACK
"""On the alternative stack if the thread has one, for faults of others: a check's fault needs none.  The signal is blocked meanwhile."""
FLAGS_WORD = 17
"""Where they stand in a struct sigaction, in words."""
WORD = 8
"""Bytes of one."""


class HandlerReplaced(Exception):
    """Something else handles SIGSEGV now, so a failed check would end the process.  One line, with what to do."""


@dataclass(frozen=True)
class OnFault:
    """The handler, and what it calls."""

    def generate(self) -> ir.Module:
        module = ir.Module("on_fault")
        compiler = ModuleCompiler(module, {"PROTOCOL": True})
        compiler.functions |= {
            "known_faults": _add_known_faults(module),
            "call_handler": _add_call_handler(module),
            "put_back": _add_put_back(module),
            "send_again": _add_send_again(module),
        }
        compiler.routine(on_fault)
        return module


def _function(module: ir.Module, name: str, parameters: Sequence[ir.Type]) -> tuple[ir.Function, ir.IRBuilder]:
    function = ir.Function(module, ir.FunctionType(I64, parameters), name)
    return function, ir.IRBuilder(function.append_basic_block())


def _add_known_faults(module: ir.Module) -> ir.Function:
    """As `language.signals` declares it; and `use_faults(address)`, which sets it.  No address of this process is in the code."""
    known = ir.GlobalVariable(module, I64, "address_of_faults")
    known.linkage, known.initializer = "internal", I64(0)
    setter, build = _function(module, "use_faults", [I64])
    build.store(setter.args[0], known)
    build.ret(I64(0))
    getter, build = _function(module, "known_faults", [])
    build.ret(build.load(known, typ=I64))
    return getter


def _add_call_handler(module: ir.Module) -> ir.Function:
    function, build = _function(module, "call_handler", [I64, I64, POINTER, POINTER])
    handler, number, info, context = function.args
    kind = ir.FunctionType(ir.VoidType(), [I32, POINTER, POINTER])
    build.call(build.inttoptr(handler, kind.as_pointer()), [build.trunc(number, I32), info, context])
    build.ret(I64(0))
    return function


def _add_put_back(module: ir.Module) -> ir.Function:
    function, build = _function(module, "put_back", [POINTER, I64])
    saved, number = function.args
    system = ir.Function(module, ir.FunctionType(I32, [I32, POINTER, POINTER]), "sigaction")
    build.call(system, [build.trunc(number, I32), saved, build.inttoptr(I64(0), POINTER)])
    build.ret(I64(0))
    return function


def _add_send_again(module: ir.Module) -> ir.Function:
    function, build = _function(module, "send_again", [I64])
    system = ir.Function(module, ir.FunctionType(I32, [I32]), "raise")
    build.call(system, [build.trunc(function.args[0], I32)])
    build.ret(I64(0))
    return function


class FaultHandler:
    """The handler, loaded.  Nothing of it is ever freed: a fault may come at any time."""

    def __init__(self) -> None:
        self._code, addresses = load([object_file(OnFault())])
        self._address = addresses["on_fault"]
        self._faults, self._tables = Record(Faults), list[tuple[Memory, object]]()
        self._was_there = False
        self._guarded = weakref.WeakSet[Record]()
        ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64)(addresses["use_faults"])(self._faults.address)

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


def load_checked(images: Sequence[bytes]) -> tuple[llvm.ExecutionEngine, dict[str, int]]:
    """As `object_code.load`; the process's fault handler knows the checks in the object files, and is there if there are any.

    HandlerReplaced: as `FaultHandler.install`; then it knows nothing of them, for they are freed.
    """
    code, addresses = load(images, may_fault=True)
    tables = {name: size for image in images for name, size in sections(image).items() if name.startswith(SECTION)}
    if tables:
        fault_handler().install()
    for name, size in tables.items():
        end = code.get_global_value_address(END + name)
        fault_handler().know(end + WORD - size, end, code)
    return code, addresses
