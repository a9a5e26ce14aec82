"""The host beside a stop of the world: calls that never poll, outside guest code and inside it, and what the host holds while objects move."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest

from safepoint.guest.code import Instruction, Program
from safepoint.guest.compiler.program import compile_program
from safepoint.guest.faults import Fault
from safepoint.guest.values import Value
from safepoint.protocol.words import MANAGED, NATIVE, RAISE_INTERRUPT
from safepoint_vm.memory.heap_view import HeapView
from safepoint_vm.memory.references import InUse, PollRaised
from safepoint_vm.threads import host_operations, life
from safepoint_vm.threads.host_operations import Slot
from safepoint_vm.threads.life import ThreadLife, Waits
from safepoint_vm.threads.os_thread import OsThread
from safepoint_vm.threads.thread import GuestThread
from safepoint_vm.threads.vm import Vm
from tests.impl.running import FILE, LONG
from tests.impl.waiting import soon

NOT_YET = 0.1
"""Seconds in which a stop that was asked for is not reached, if it waits for what is held."""


@dataclass
class Held:
    """A call of the host that does not come back until the test says so."""

    arrived: threading.Event = field(default_factory=threading.Event)
    go: threading.Event = field(default_factory=threading.Event)

    def __call__(self) -> None:
        self.arrived.set()
        assert self.go.wait(LONG)


class Terminal(io.StringIO):
    """An output whose first text is not written until the test says so."""

    def __init__(self, held: Held) -> None:
        super().__init__()
        self._held = held

    def write(self, text: str) -> int:
        if not self._held.arrived.is_set():
            self._held()
        return super().write(text)


@contextmanager
def collecting(vm: Vm, guest: OsThread) -> Iterator[threading.Event]:
    """A host thread stops the world, collects and starts it.  The event: it has stopped it, and collected."""
    collected = threading.Event()

    def stop() -> None:
        with vm.world.stopped():
            vm.world.collect(guest.guest)
            collected.set()

    stopping = threading.Thread(target=stop, daemon=True)
    stopping.start()
    yield collected
    stopping.join(LONG)
    assert not stopping.is_alive()


def reached(vm: Vm, collected: threading.Event, *, waits: bool) -> bool:
    """Is the stop reached while the call is held?  `waits`: it is said not to be, so wait until it is asked for, and a little longer."""
    if not waits:
        return collected.wait(LONG)
    assert soon(lambda: vm.world.record.get("stop") == 1)
    return collected.wait(NOT_YET)


# -- a call that has left guest code

PRINTS = """
words = [["held", 1], ["after", 2]]
try:
    print(words[0])
    while True:
        pass
except KeyboardInterrupt:
    print("interrupted", words)
print(words[1])
"""


def stays(self: ThreadLife) -> Waits:
    """The twin of `ThreadLife._print`: it prints in guest code."""
    text = self.guest.printed(self.host.make_room)
    assert text is not None
    self.host.write(text)
    self.guest.skip()
    yield from ()


@pytest.mark.rule("STOP-AWAITS-ALL", "REENTER-LOOKS-AGAIN")
@pytest.mark.parametrize("leaves", [True, False], ids=["right", "twin that stays in guest code"])
def test_a_stop_does_not_wait_for_native_code(leaves: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal that takes nothing for ever: the world is stopped and collected meanwhile, and a request waits for the return."""
    if not leaves:
        monkeypatch.setattr(ThreadLife, "_print", stays)
    held = Held()
    output = Terminal(held)
    with Vm(compile_program(PRINTS, FILE), output, 4096) as vm:
        running = vm.start()
        assert held.arrived.wait(LONG)
        assert running.guest.record.get("state") == (NATIVE if leaves else MANAGED)
        with collecting(vm, running) as collected:
            assert reached(vm, collected, waits=not leaves) == leaves
            vm.interrupt()
            assert not running.done.is_set()
            held.go.set()
        assert running.done.wait(LONG)
        assert running.outcome().stats.collections == 1
    assert output.getvalue() == "['held', 1]\ninterrupted [['held', 1], ['after', 2]]\n['after', 2]\n"


# -- a call that stays in guest code

TEXT = "l = [1, 'a', [2.5]]\ns = str(l)\nprint(s, l)\n"


@pytest.mark.rule("STOP-AWAITS-ALL")
@pytest.mark.parametrize("stays", [True, False], ids=["right", "twin that says it has left"])
def test_a_stop_waits_for_a_call_in_guest_code_that_never_polls(stays: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the host does of an instruction reads the heap: nothing moves until it is over, however long it takes."""
    held, states = Held(), list[int]()
    right = host_operations.result

    def slow(program: Program, instruction: Instruction, slot: Slot, view: HeapView) -> Value | Fault:
        if not held.arrived.is_set():
            record = view._thread
            if not stays:
                record.set("state", NATIVE)
            held()
            states.append(record.get("state"))
            record.set("state", MANAGED)
        return right(program, instruction, slot, view)

    monkeypatch.setattr("safepoint_vm.threads.thread.result", slow)
    monkeypatch.setattr(life, "TRIES", 0)
    output = io.StringIO()
    with Vm(compile_program(TEXT, FILE), output, 4096) as vm:
        running = vm.start()
        assert held.arrived.wait(LONG), "the host does something of this program"
        with collecting(vm, running) as collected:
            assert reached(vm, collected, waits=stays) != stays
            held.go.set()
        assert running.done.wait(LONG)
    if stays:
        assert states == [MANAGED]
        assert output.getvalue() == "[1, 'a', [2.5]] [1, 'a', [2.5]]\n"


# -- what the host holds

SPACE = 32 << 20
"""Bytes of each of the heap's two spaces."""
LONG_TEXT = "l = [[1, 'ab'], 2.5, 'c', [[]]] * 5000\nprint('ready')\ns = str(l)\nprint(len(s), s[:24], s[-24:])\n"


@dataclass
class Moved:
    """Words of Refs that the host held at a poll in which the world was collected: before, after, and after in the space left behind."""

    before: list[int] = field(default_factory=list)
    after: list[int] = field(default_factory=list)
    left: list[int] = field(default_factory=list)


def no_roots(view: InUse) -> tuple[int, int]:
    """A twin of `InUse.roots`: what the host holds is no root."""
    first, _ = ROOTS(view)
    view._held.clear()
    return first, first


def old_words(view: InUse) -> None:
    """A twin of `InUse.has_moved`: it is a root, and the host goes on with the words from before."""
    view._held.clear()


ROOTS = InUse.roots
TWINS = {"right": {}, "twin without roots": {"roots": no_roots}, "twin with old words": {"has_moved": old_words}}


def held_by(guest: GuestThread, space: range) -> list[int]:
    """The words of the Refs in use that are of objects in a space; what no collector moves is in none."""
    found = [ref for weak in guest._view._refs.valuerefs() if (ref := weak()) is not None]
    return [ref.number for ref in found if ref.number in space]


@pytest.mark.rule("LONG-WORK-POLLS")
@pytest.mark.parametrize("twin", TWINS.values(), ids=TWINS)
def test_what_the_host_holds_is_a_root_and_follows_its_object(
    twin: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The host makes the text of a list; at its first poll the world is stopped and collected by another thread."""
    for name, method in twin.items():
        monkeypatch.setattr(InUse, name, method)
    held, moved, look = Held(), Moved(), OsThread.look

    def looking(waiter: OsThread) -> None:
        if held.arrived.is_set():
            return look(waiter)
        held()
        start, other = waiter.guests.heap.spaces()
        old, new = (range(each, each + SPACE) for each in (start, other))
        moved.before += held_by(waiter.guest, old)
        look(waiter)
        assert waiter.guests.heap.spaces() == (other, start)
        moved.after += held_by(waiter.guest, new)
        moved.left += held_by(waiter.guest, old)
        if twin:
            raise PollRaised(RAISE_INTERRUPT)  # before it reads what is not there any more
        return None

    monkeypatch.setattr(OsThread, "look", looking)
    monkeypatch.setattr(life, "TRIES", 0)
    output = io.StringIO()
    with Vm(compile_program(LONG_TEXT, FILE), output, 4096, heap=SPACE) as vm:
        running = vm.start()
        assert held.arrived.wait(LONG), "the host polls"
        with collecting(vm, running) as collected:
            assert soon(lambda: vm.world.record.get("stop") == 1)
            assert not collected.is_set(), "it waits for the poll"
            held.go.set()
            assert collected.wait(LONG)
        assert running.done.wait(LONG)
    assert moved.before, "the host holds something"
    if twin:
        assert (moved.left, moved.after) == (moved.before, [])
    else:
        assert (len(moved.after), moved.left) == (len(moved.before), [])
        text = str([[1, "ab"], 2.5, "c", [[]]] * 5000)
        assert output.getvalue() == f"ready\n{len(text)} {text[:24]} {text[-24:]}\n"
