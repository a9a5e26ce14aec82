"""What happens in a controlled run, as events of a trace.

One actor runs at a time, so an access and the local work after it are over before anything else happens: it is an event as soon
as its actor stands at its next access, or has returned.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from safepoint.graph import ir
from safepoint.protocol.names import REQUESTS
from safepoint.protocol.policy import Policy
from safepoint.trace.events import EVENTS, Event
from safepoint.trace.lines import RULES, VERSION, Header
from safepoint.trace.observe import Ghosts, Said, event_of, local_events, said
from safepoint_vm.schedules.words import Words
from safepoint_vm.threads.recording import variants_of


@dataclass
class Access:
    """One that is being made.  by: who, as the trace names it."""

    by: str
    step: ir.Step
    cell: ir.Cell
    old: int
    address: int
    ghosts: Ghosts


class Recorder:
    """events: so far, as the policy's text can say them.  names: of the records.  entries: trigger words of its row of them."""

    def __init__(self, words: Words, policy: Policy, entries: int) -> None:
        self.policy, self._entries = policy, entries
        self.rows = "entry" in policy.words  # a trigger word for each opcode that jumps backward
        self.events: list[Event] = []
        self.names: list[str] = []
        self.access: Access | None = None
        self._words = words
        self._stops: set[str] = set()  # threads that stop the world, where the text lets only requesters do so

    def thread(self, number: int) -> str:
        """The name of a record."""
        while len(self.names) <= number:
            self.names.append(f"T{len(self.names)}")
        return self.names[number]

    def begin(self, by: str, step: ir.Step, cell: ir.Cell, old: int, address: int) -> None:
        """An access is about to be made; nothing else is under way."""
        self.access = Access(by, step, cell, old, address, Ghosts())

    def ghost(self, op: str, kind: int) -> None:
        """The text says something of the access that has been made."""
        if self.access is not None:
            self.access.ghosts.ghost(op, 0, kind)

    def settle(self, following: ir.Step | None = None) -> None:
        """The access and its local work are over.  following: the step at which its procedure stands now."""
        made, self.access = self.access, None
        if made is None:
            return
        new = self._words.get(made.address)
        event = event_of(made.step, made.cell, made.old, new, made.ghosts, following)
        for each in (*((event,) if event else ()), *local_events(made.ghosts, 0, 0)):
            self.say(made.by, each)

    def say(self, by: str, event: Said) -> None:
        """An event."""
        kind, owner, detail = event
        if kind == "exited" and "births" not in self.policy.slices:
            kind = "native-entered"  # no thread of that text ends: one leaves guest code for good
        by = self._who(by, kind)
        to = self.thread(owner) if isinstance(owner, int) else by
        stamp = 2 * len(self.events)
        cls, rest = _fields(kind, to, detail)
        self.events.append(cls(0, 0, by, stamp, stamp + 1, *rest))

    def _who(self, by: str, kind: str) -> str:
        """As the text names it: without `collect` no thread stops the world itself, a requester does while the thread is outside."""
        if "collect" in self.policy.slices or by not in self.names:
            return by
        if kind == "locked":
            self._stops.add(by)
        stops = by in self._stops
        if kind == "unlocked":
            self._stops.discard(by)
        return f"{by} asks" if stops else by

    def header(self) -> Header:
        """The first thread runs guest code from the start; every other one begins."""
        first = self.thread(0)
        return Header(
            0, 0, "safepoint-trace", VERSION, RULES, "the interpreter, controlled", self.policy.name, [*self.names], [first],
            variants=variants_of(self.policy), entries=self._entries if self.rows else 1,
        )  # fmt: skip


@lru_cache(maxsize=4096)
def _fields(kind: str, to: str, detail: int | str) -> tuple[type[Event], tuple[object, ...]]:
    """The struct of an event, and its fields beyond those that every event has."""
    cls = EVENTS[kind]
    site, _, index = str(detail).partition("[")
    values: dict[str, object] = {
        "to": to,
        "kinds": [name for bit, name in REQUESTS.items() if isinstance(detail, int) and bit & detail],
        "kind": REQUESTS.get(detail) if isinstance(detail, int) else None,
        "word": detail,
        "site": site,
        "entry": int(index.rstrip("]") or 0) if kind == "entered" else detail,
    }
    return cls, tuple(values[name] for name in cls.__struct_fields__[5:])


LOCAL = {name: said(name) for name in ("masked", "unmasked", "stop-reached")}
"""Events that the driver of an actor says itself."""
