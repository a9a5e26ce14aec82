"""Operations on guest threads and locks: which of them raise, and when a blocked one may go on.

Both machines use this, so they cannot differ.  How a thread waits is the machine's affair: an operation that blocks is
`refused`, or it is done as soon as it is `ready`; until then its thread waits outside guest code.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from safepoint.guest.faults import Fault, Location, format_traceback
from safepoint.guest.heap import ENDED, NEW, Heap, ThreadObject
from safepoint.guest.lockstep import MAIN
from safepoint.guest.operations.sequences import no_method
from safepoint.guest.operations.values import type_name
from safepoint.guest.values import Function, Ref, Value
from safepoint.protocol.words import INTERRUPT, TERMINATE

METHODS = {"START": ("thread", "start"), "JOIN": ("thread", "join"), "ACQUIRE": ("lock", "acquire"),
           "RELEASE": ("lock", "release")}  # fmt: skip
"""Opcode -> the kind of object that has the method, and the method's name."""

REQUEST_FUNCTIONS = {"INTERRUPT": "interrupt", "TERMINATE": "terminate", "HANDSHAKE": "handshake"}
"""Opcode -> the function of `api` that makes a request of a thread."""

POSTED = {"INTERRUPT": INTERRUPT, "TERMINATE": TERMINATE}
"""Opcode -> the kind of request that it posts."""

NO_THREAD = Fault("RuntimeError", "can't start new thread")
LONGEST = 2**63 / 10**9
"""The shortest sleep, in seconds, that CPython refuses."""


def refused(heap: Heap, op: str, value: Value, running: int, in_with: bool = False) -> Fault | None:
    """The fault that START, JOIN, ACQUIRE, SLEEP or one of REQUEST_FUNCTIONS raises at once; None: it is done once `ready`.

    running: the number of the thread that executes it.  in_with: the ACQUIRE begins a `with`.
    """
    if op == "SLEEP":
        return _bad_duration(heap, value)
    if op in REQUEST_FUNCTIONS:
        is_thread = isinstance(value, Ref) and value.kind == "thread"
        return None if is_thread else Fault("TypeError", f"{REQUEST_FUNCTIONS[op]}() wants a thread")
    kind, method = METHODS[op]
    if not isinstance(value, Ref) or value.kind != kind:
        if in_with:
            what = f"'{type_name(heap, value)}' object does not support the context manager protocol"
            return Fault("TypeError", what)
        return no_method(heap, value, method)
    match op:
        case "START" if heap.thread(value).stage != NEW:
            return Fault("RuntimeError", "threads can only be started once")
        case "JOIN" if heap.thread(value).stage == NEW:
            return Fault("RuntimeError", "cannot join thread before it is started")
        case "JOIN" if heap.thread(value).number == running:
            return Fault("RuntimeError", "cannot join current thread")
    return None


def ready(heap: Heap, op: str, value: Value) -> bool:
    """Whether a JOIN or ACQUIRE that is not refused can be done now."""
    assert isinstance(value, Ref)
    return heap.thread(value).stage == ENDED if op == "JOIN" else not heap.locked(value)


def release(heap: Heap, value: Value) -> Fault | None:
    """Do a RELEASE.  Returns the fault that it raises, if any."""
    if not isinstance(value, Ref) or value.kind != "lock":
        return refused(heap, "RELEASE", value, MAIN)
    return None if heap.unlock(value) else Fault("RuntimeError", "release unlocked lock")


def seconds(value: Value) -> float:
    """The duration of a SLEEP that is not refused, in seconds."""
    assert isinstance(value, int | float)
    return float(value)


def _bad_duration(heap: Heap, value: Value) -> Fault | None:
    if not isinstance(value, int | float):
        return Fault("TypeError", f"'{type_name(heap, value)}' object cannot be interpreted as an integer")
    if math.isnan(value):
        return Fault("ValueError", "Invalid value NaN (not a number)")
    if abs(value) >= LONGEST:
        of_float = isinstance(value, float)
        why = "out of range for platform time_t" if of_float else "too large to convert to C _PyTime_t"
        return Fault("OverflowError", f"timestamp {why}")
    return Fault("ValueError", "sleep length must be non-negative") if value < 0 else None


def name(thread: ThreadObject) -> str:
    """The name that CPython gives a thread by default, for example `Thread-1 (f)`."""
    function = f" ({thread.target.name})" if isinstance(thread.target, Function) else ""
    return f"Thread-{thread.number}{function}"


def uncaught_text(
    thread: ThreadObject, fault: Fault, places: Sequence[Location], source: str | Mapping[str, str]
) -> str:
    """The text on standard error when an exception ends a thread other than the first."""
    return f"Exception in thread {name(thread)}:\n" + format_traceback(fault, places, source)
