"""Where a request is posted, and what else happens meanwhile; as a string, it replays a failure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from safepoint.guest.lockstep import MAIN

STRING = re.compile(
    r"s:(?P<program>[^@]+)@(?P<step>[0-9]+)(?P<kind>STOP|INTERRUPT|SAMPLE|HANDSHAKE|TERMINATE|NOTHING)(?:/(?P<thread>[0-9]+))?"
    r"(?:\+(?P<at>[0-9]+)(?P<also>STOP|INTERRUPT|SAMPLE|HANDSHAKE|TERMINATE|step))?"
)


@dataclass(frozen=True)
class Schedule:
    """Before guest step `step` (from 0), `kind`: STOP, INTERRUPT, SAMPLE, HANDSHAKE, TERMINATE, or NOTHING but a poison; at shared access
    `at` of all that follows, `also`.  `thread`: the one that both are posted to.
    """

    step: int
    kind: str
    at: int = -1
    also: str = ""  # one of these, or "step": the guest makes one step in the middle of the post
    thread: int = MAIN

    def string(self, program: str) -> str:
        """What `safepoint replay` takes."""
        whom = f"/{self.thread}" if self.thread != MAIN else ""
        return f"s:{program}@{self.step}{self.kind}{whom}" + (f"+{self.at}{self.also}" if self.also else "")

    def __str__(self) -> str:
        second = f", and {self.also} at shared access {self.at} of what follows" if self.also else ""
        whom = f" to thread {self.thread}" if self.thread != MAIN else ""
        return f"{self.kind} posted{whom} before step {self.step}{second}"


def parse(string: str) -> tuple[str, Schedule]:
    """The program's name and the schedule.  Raises ValueError."""
    if not (m := STRING.fullmatch(string.strip())):
        raise ValueError(f"{string!r} is no schedule (it looks like s:loops@17STOP+3INTERRUPT: copy it whole)")
    thread = int(m["thread"] or MAIN)
    return m["program"], Schedule(int(m["step"]), m["kind"], int(m["at"] or -1), m["also"] or "", thread)
