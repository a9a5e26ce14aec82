"""The trace of a run: buffers that traced machine code fills, and the file that is made of them at the end.

Each guest thread has a buffer for each record of a thread, and each actor a log of its own.  When the run is over they are merged.
"""

from __future__ import annotations

import ctypes
import heapq
import threading
from collections import Counter
from collections.abc import Iterator
from typing import BinaryIO

import msgspec

from safepoint.guest.code import BACK_EDGES
from safepoint.protocol.names import REQUESTS
from safepoint.protocol.policy import Policy
from safepoint.protocol.words import INTERRUPT
from safepoint.trace.events import EVENTS, Event
from safepoint.trace.files import LIMIT, TraceFull, Writer
from safepoint.trace.lines import RULES, VERSION, Header
from safepoint.trace.observe import BACK, KINDS
from safepoint_vm.generate.engine import Engine
from safepoint_vm.generate.triggers import NUMBERS, WORDS
from safepoint_vm.generate.variant import logs_loops
from safepoint_vm.language.layout import Memory, Record
from safepoint_vm.language.machine import (
    CHECKED,
    ENTERED_BACK_EDGE,
    ENTERED_ELSEWHERE,
    ENTERED_PUSH,
    LOOK,
    LOOPED,
    MASK,
    PUSHED,
    RETURNED,
    STORED,
)
from safepoint_vm.language.records import LOG_WORDS, Log
from safepoint_vm.threads.logs import PACKED, Logs

BUFFER = 4096
"""Events of a thread that its buffer holds."""
LINE = 128
"""Bytes that the line of an event takes at most, on average: most are checks, of some 100."""
FIRST = 1 << 20
"""The first stamp of the counter; below it are those of threads that have done nothing yet."""
DRAIN = ctypes.CFUNCTYPE(None, ctypes.c_int64)
ASKED = ctypes.CFUNCTYPE(None, *[ctypes.c_int64] * 5)
CHECKS = {
    PUSHED: "pushed", LOOPED: "looped", CHECKED: "checked", STORED: "counted",
    ENTERED_PUSH: "entered", ENTERED_BACK_EDGE: "entered", ENTERED_ELSEWHERE: "entered",
}  # fmt: skip
FAILED = {ENTERED_PUSH: "push", ENTERED_BACK_EDGE: "back-edge", ENTERED_ELSEWHERE: "elsewhere"}
FIRST_OF_SLOW = ("restored", "took")
"""What a slow path logs first, by whether the mechanism has words to restore."""
ENTRY = {NUMBERS[name]: index for index, name in enumerate(BACK_EDGES)}


def variants_of(policy: Policy) -> list[str]:
    """What this interpreter does otherwise than a policy's text: its sleeps are check sites, whether the text has it or not."""
    return ["waking"] if "blocking" in policy.slices and "waking" not in policy.slices else []


class Recording:
    """What one world's threads log."""

    def __init__(self, engine: Engine, world: Record) -> None:
        self._engine, self._policy = engine, engine.policy
        self._rows = "entry" in self._policy.words  # a trigger word for each opcode that jumps backward
        self._clock = Memory(8, [FIRST])
        self._callbacks = DRAIN(self._drain), ASKED(self._asked)  # kept, because ctypes does not keep them alive
        self._logs: dict[int, tuple[Record, Memory, str]] = {}  # address of a log -> it, its buffer, its thread's name
        self._names: dict[int, str] = {0: ""}  # address of a thread's record -> its name
        self._actors = Logs(LIMIT // LINE, lambda: self._clock[0], {*CHECKS, LOOK})
        self._requesters: dict[tuple[int, int], str] = {}
        self._inside: Counter[int] = Counter()  # OS thread -> callbacks that it is in: a signal may come in one
        self._poll = Memory(1, [NUMBERS["POLL"]])
        self._world = self._log(world, Memory(1))
        self.error: BaseException | None = None

    def _log(self, record: Record, buffer: Memory) -> Record:
        log = Record(Log)
        drain, asked = (ctypes.cast(each, ctypes.c_void_p).value or 0 for each in self._callbacks)
        for name, word in {
            "clock": self._clock.address, "next": buffer.address, "end": buffer.address + 8 * buffer.words,
            "drain": drain, "asked": asked,
        }.items():  # fmt: skip
            log.set(name, word)
        record.set("log", log.address)
        return log

    def attach(self, record: Record, number: int) -> None:
        """Log what the threads in this record do from now on, the record of number `number`."""
        buffer = Memory(LOG_WORDS * BUFFER)
        log = self._log(record, buffer)
        log.set("before", number)
        self._names[record.address] = name = f"T{number}"
        self._logs[log.address] = log, buffer, name

    def limit(self, size: int) -> None:
        """Keep what makes a trace of about this size in bytes, and no more."""
        self._actors.limit = size // LINE

    @property
    def over(self) -> bool:
        """Is the limit reached, or has a callback raised?  Then the run is to be ended."""
        return self._actors.full is not None or self.error is not None

    def checked(self, record: Record, *, passed: bool) -> None:
        """The host has made the check of a POLL for a thread.  One that logs by itself that it has passed has done so."""
        if passed and not logs_loops(self._policy):
            return
        what = LOOPED if passed else ENTERED_BACK_EDGE
        self._engine.procedure("log_check", record.address, what, self._poll.address)

    # -- callbacks of machine code: they raise nothing

    def _drain(self, address: int) -> None:
        try:
            log, buffer, name = self._logs[address]
            records = ctypes.string_at(buffer.address, log.get("next") - buffer.address)
            log.set("next", buffer.address)
            self._actors.keep(name, records)
        except BaseException as error:  # noqa: BLE001  -- raised by `write`
            self.error = error

    def _asked(self, what: int, before: int, after: int, owner: int, value: int) -> None:
        thread = threading.get_ident()
        depth = self._inside[thread]
        self._inside[thread] += 1
        try:
            name = self._requesters.setdefault((thread, depth), f"R{len(self._requesters)}")
            self._actors.keep(name, PACKED.pack(what, before, after, owner, value))
        except BaseException as error:  # noqa: BLE001  -- raised by `write`
            self.error = error
        finally:
            self._inside[thread] -= 1

    # -- the trace

    def write(self, file: BinaryIO, vm: str) -> None:
        """Write the trace, when all threads have ended.  Raises what a callback has raised, OSError; TraceFull, when it is written up to its limit."""
        for address in self._logs:
            self._drain(address)
        if self.error is not None:
            raise self.error
        until = None if self._actors.full is None else self._actors.cut(self._actors.full)
        threads = [name for _, _, name in self._logs.values()]
        running = [] if "births" in self._policy.slices else threads[:1]
        entries = len(BACK_EDGES) if self._rows else 1
        header = Header(
            0, 0, "safepoint-trace", VERSION, RULES, vm, self._policy.name, threads, running,
            variants=variants_of(self._policy), entries=entries,
        )  # fmt: skip
        writer = Writer(file, header)
        for event in heapq.merge(
            *(self._adapted(name, until) for name in self._actors), key=lambda event: event.before
        ):
            writer.write(event)
        writer.close()
        self._actors.close()
        if until is not None:
            raise TraceFull(writer.events)

    def _adapted(self, by: str, until: int | None) -> Iterator[Event]:
        """What an actor has logged, up to a stamp, as the policy's text can say it.

        A text without births has threads that run from the beginning, and that leave guest code at their end as for native code; one
        without `collect` has no thread that stops the world itself: a requester does, while the thread is outside.
        """
        events, slices = self._events(by, until), self._policy.slices
        is_guest = by in self._names.values()
        if is_guest and "births" not in slices:
            next((event for event in events if _kind(event) == "spawned"), None)
            events = (_native(event) if _kind(event) == "exited" else event for event in events)
        asks = False
        for event in events:
            asks |= is_guest and "collect" not in slices and _kind(event) == "locked"
            yield msgspec.structs.replace(event, by=f"{by} asks") if asks else event
            asks &= _kind(event) != "unlocked"

    def _events(self, by: str, until: int | None) -> Iterator[Event]:
        """What an actor has logged.  A look has led to the slow path if that is what comes next."""
        look: tuple[int, int] | None = None
        for what, before, after, owner, value in self._actors.records(by, until):
            if what == LOOK:
                look = before, after
                continue
            fields = self._fields(what, owner, value)
            if look is not None and fields.get("event") in FIRST_OF_SLOW:
                yield _event(by, *look, {"event": "entered", "site": "look"})
            look = None
            if fields:
                yield _event(by, before, after, fields)

    def _fields(self, what: int, owner: int, value: int) -> dict[str, object]:
        """What the record says, as a line of a trace says it; nothing of a mask that is no other."""
        if what in CHECKS:
            told: dict[str, object] = {"event": CHECKS[what]}
            if what in (LOOPED, ENTERED_BACK_EDGE):
                told["entry"] = ENTRY[value] if self._rows else 0
            if told["event"] == "entered":
                told["site"] = FAILED[what]
            return told
        if what == RETURNED:
            return {"event": BACK[value]}
        if what == MASK:
            before, after = value >> 8 & INTERRUPT, value & INTERRUPT
            return {} if before == after else {"event": "masked" if after else "unmasked"}
        kind = KINDS[what]
        told = {"event": kind}
        wanted = EVENTS[kind].__struct_fields__
        if "to" in wanted:
            told["to"] = self._names[owner]
        if "kinds" in wanted:
            told["kinds"] = [name for bit, name in REQUESTS.items() if bit & value]
        if "kind" in wanted:
            told["kind"] = REQUESTS[value]
        if "word" in wanted:
            told["word"] = WORDS[value]
        return told


def _event(by: str, before: int, after: int, fields: dict[str, object]) -> Event:
    kind = fields.pop("event")
    return msgspec.convert(
        {"seq": 0, "chain": 0, "by": by, "before": before, "after": after, **fields}, EVENTS[str(kind)]
    )


def _kind(event: Event) -> str:
    return str(event.__struct_config__.tag)


def _native(event: Event) -> Event:
    """A thread's end, as its way out of guest code for good."""
    return _event(event.by, event.before, event.after, {"event": "native-entered"})
