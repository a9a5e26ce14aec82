"""Traces as files: lines of JSON, read and written one by one, so that a trace may be of any length.

Line n of the file has the sequence number n - 1, and the CRC-32 of every byte before it: whatever was changed, left out, doubled
or moved after it was written is found at the line, or at the next.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import BinaryIO, NoReturn
from zlib import crc32

import msgspec

from safepoint.trace.events import Event, Record
from safepoint.trace.lines import RULES, VERSION, End, Header, Line

LONGEST = 1 << 20
"""Bytes of a line: a longer one is no trace's."""
LIMIT = 1 << 30
"""Bytes of a trace at most, unless more are asked for."""

_decode = msgspec.json.Decoder(Record).decode
_encode = msgspec.json.Encoder().encode


class DamagedTrace(Exception):
    """The file is not a trace, or was changed after it was written: says the line, and what is wrong with it."""


class TraceFull(Exception):
    """A trace has reached its limit.  What was logged up to there is written, and is a whole trace, of `events`."""

    def __init__(self, events: int) -> None:
        super().__init__(f"{events} events")
        self.events = events


class Reader:
    """The events of a trace, in the order of the file.  Iterating raises DamagedTrace; `line` is the one that was read last."""

    def __init__(self, file: BinaryIO, name: str) -> None:
        self.file, self.name, self.line = file, name, 0
        self._lines = self._records()
        first = next(self._lines)
        if not isinstance(first, Header):
            self._damaged("the first line is no header", 'write a line {"event":"trace",…} first')
        if first.version != VERSION:
            self._damaged(f"version {first.version} of the format, and this one reads {VERSION}", "write that version")
        if first.rules != RULES:
            self._damaged(
                f"written for version {first.rules} of the rules, and these are version {RULES}",
                "use the safepoint that has them, or log what docs/trace.md asks for now",
            )
        self.header: Header = first

    def __iter__(self) -> Iterator[Event]:
        """Each event has a stamp before it that is later than the one of the line before, and an earlier one than after it."""
        stamp, latest = -1, dict[str, int]()
        record: Record = self.header
        for record in self._lines:
            if not isinstance(record, Event):
                break
            by, before, after = record.by, record.before, record.after
            if before <= stamp:
                self._damaged(
                    f"stamp {before} comes after stamp {stamp} of the line before",
                    "sort the lines by `before`, and take every stamp from one atomic counter",
                )
            if after <= before:
                self._damaged(
                    f"its stamp after, {after}, is not later than the one before, {before}",
                    "take one stamp before the access and one after it",
                )
            if before < latest.get(by, 0):
                self._damaged(
                    f"{by} is still in what it did before, which ends at stamp {latest[by]}",
                    "log each access by the thread that makes it, one after the other",
                )
            stamp = before
            latest[by] = after
            yield record
        if not isinstance(record, End):
            self._damaged("a second header", "write each run into a file of its own")
        if record.count != self.line - 2:
            self._damaged(f"says {record.count} events, and there are {self.line - 2}", "close a trace with its count")
        if self.file.readline(1):
            self.line += 1
            self._damaged("there is more after the closing record", "write each run into a file of its own")

    def _records(self) -> Iterator[Record]:
        """Each line, as long as there is one; what is no line, or not the next one, is damaged."""
        readline, chain = self.file.readline, 0
        while True:
            raw = readline(LONGEST)
            self.line = line = self.line + 1
            if raw[-1:] != b"\n":
                if not raw:
                    self._damaged("the trace ends before its closing record", 'end it with {"event":"end",…}')
                self._damaged("the line is cut off, or longer than a line can be", "write whole lines")
            try:
                record: Record = _decode(raw)
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
                self._damaged(
                    f"no line of a trace: {error}", "see docs/trace.md; its schema is `safepoint accept --schema`"
                )
            if record.seq != line - 1:
                what = "a line was doubled or moved" if record.seq < line - 1 else "a line is missing or was moved"
                self._damaged(
                    f"sequence number {record.seq} where {line - 1} belongs: {what}", "use the file as written"
                )
            if record.chain != chain:
                self._damaged(
                    "its chain is not the CRC-32 of the lines before: the line before it was changed after it was written",
                    "use the file as written",
                )
            chain = crc32(raw, chain)
            yield record

    def _damaged(self, what: str, instead: str) -> NoReturn:
        raise DamagedTrace(f"{self.name}:{self.line}: {what} ({instead})")


class Writer:
    """Writes a trace: the header at once, an event a call, and `close` for the closing record."""

    def __init__(self, file: BinaryIO, header: Header) -> None:
        self.file = file
        self.events = self._seq = self._chain = 0
        self._write(header)

    def write(self, event: Event) -> None:
        """Events come sorted by `before`; their `seq` and `chain` are set here."""
        self._write(event)
        self.events += 1

    def close(self) -> None:
        """The closing record; the file itself is left open."""
        self._write(End(0, 0, count=self.events))

    def _write(self, line: Line) -> None:
        line.seq, line.chain = self._seq, self._chain
        raw = _encode(line) + b"\n"
        self.file.write(raw)
        self._chain, self._seq = crc32(raw, self._chain), self._seq + 1


def write_trace(file: BinaryIO, header: Header, events: Iterable[Event]) -> None:
    """A whole trace; the events in any order."""
    writer = Writer(file, header)
    for event in sorted(events, key=lambda event: event.before):
        writer.write(event)
    writer.close()
