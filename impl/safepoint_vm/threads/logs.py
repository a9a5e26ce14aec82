"""What each actor of a traced run has logged: records in files, in the order of its own stamps, up to a limit.

Where the limit is reached the logs are cut at a stamp that no access reaches over, so that what is before it is a run of its own: of an access
that may lie on either side, what is on the near side may be the effect.  A check that reaches over it is left out: no other
thread can tell whether it was made.
"""

from __future__ import annotations

import io
import struct
import tempfile
import threading
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Collection, Iterator
from typing import IO

from safepoint_vm.language.records import LOG_WORDS

SPOOLED = 1 << 20
"""Bytes of an actor's records that are kept in memory before they go to a file."""
PACKED = struct.Struct(f"<{LOG_WORDS}q")
"""A record: what, the stamp before, the stamp after, owner, value."""


class Logs:
    """The logs of all actors.

    limit: records that they have together.  now: the next stamp.  unseen: accesses that only read what others write, or write what no
    other thread reads.
    """

    def __init__(self, limit: int, now: Callable[[], int], unseen: Collection[int]) -> None:
        self.limit, self._now, self._unseen = limit, now, unseen
        self.full: int | None = None
        """The stamp from which on records are missing; None: none is."""
        self._kept = 0
        self._files: dict[str, IO[bytes]] = {}
        self._keeping = threading.RLock()  # a signal may come while it is held

    def __iter__(self) -> Iterator[str]:
        """The actors' names."""
        return iter(self._files)

    def keep(self, by: str, records: bytes) -> None:
        """Records of an actor, in order; not those that begin when it was full already.  OSError: there is no room for them."""
        with self._keeping:
            if not records or (self.full is not None and PACKED.unpack_from(records)[1] >= self.full):
                return
            if by not in self._files:
                self._files[by] = tempfile.SpooledTemporaryFile(SPOOLED)  # noqa: SIM115  -- closed by `close`
            self._files[by].write(records)
            self._kept += len(records) // PACKED.size
            if self.full is None and self._kept > self.limit:
                self.full = self._now()

    def records(self, by: str, until: int | None = None) -> Iterator[tuple[int, int, int, int, int]]:
        """Those of an actor; until: that have ended by then."""
        file = self._files[by]
        file.seek(0)
        while record := file.read(PACKED.size):
            what, before, after, owner, value = PACKED.unpack(record)
            if until is not None and after > until:
                return
            yield what, before, after, owner, value

    def cut(self, stamp: int) -> int:
        """The last stamp up to this one that is within the limit, and that no access reaches over which another thread can see."""
        beyond = bisect_right(range(stamp + 1), self.limit, key=lambda each: sum(self._before(by, each) for by in self))
        stamp = min(stamp, beyond - 1)
        while earlier := [before for by in self if (before := self._reaching_over(by, stamp)) is not None]:
            stamp = min(earlier)
        return stamp

    def _reaching_over(self, by: str, stamp: int) -> int | None:
        """Where the actor's access begins that is under way at this stamp, and that another thread can see; None: there is none."""
        if not (number := self._before(by, stamp)):
            return None
        what, before, after = self._record(by, number - 1)
        return before if after > stamp and what not in self._unseen else None

    def _before(self, by: str, stamp: int) -> int:
        """How many of an actor's accesses begin before a stamp."""
        number = self._files[by].seek(0, io.SEEK_END) // PACKED.size
        return bisect_left(range(number), stamp, key=lambda n: self._record(by, n)[1])

    def _record(self, by: str, number: int) -> tuple[int, int, int]:
        """What, and its two stamps."""
        self._files[by].seek(number * PACKED.size)
        what, before, after, _, _ = PACKED.unpack(self._files[by].read(PACKED.size))
        return what, before, after

    def close(self) -> None:
        """Give back the files."""
        for each in self._files.values():
            each.close()
