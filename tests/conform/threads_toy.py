"""The toy VM with locks and several guest threads, which take turns: one step each."""

from __future__ import annotations

from collections.abc import Callable, Generator
from operator import attrgetter
from typing import Any

from safepoint.conform.target import INTERRUPT, STOP, GuestStuck, Observation, Seen
from tests.conform.toy import Guest, Toy

OWN = ("frames", "back_edges", "depth", "pending", "masks", "limit", "entry", "guest", "waits", "ended", "error")
"""The attributes of the toy that each thread has for itself."""
own = attrgetter(*OWN)


class ThreadsToy(Toy):
    """`records`: number of a thread -> its own attributes, while another one runs."""

    name = "threads-toy"
    offers = Toy.offers | {"locks", "threads"}
    records: dict[int, dict[str, Any]]

    # -- the adapter

    def start(self) -> None:
        for record in vars(self).get("records", {}).values():
            record["guest"].close()
        super().start()
        self.names |= {"Lock": lambda: Lock(self), "Thread": lambda target, args: Thread(self, target(*args))}
        self.records, self.number = {}, 0

    @property
    def living(self) -> list[int]:
        self.switch(self.number)
        return [number for number, record in self.records.items() if not record["ended"]]

    def switch(self, number: int) -> None:
        self.records[self.number] = dict(zip(OWN, own(self), strict=True))
        if number != self.number:
            self.number = number
            vars(self).update(self.records[number])

    def step(self, count: int = 1) -> bool:
        for _ in range(count):
            living = self.living
            for number in [n for n in living if n > self.number] + [n for n in living if n <= self.number]:
                self.switch(number)
                super().step()
                if not self.waits:
                    break
            else:
                if not living:
                    return False
                raise GuestStuck("every thread waits")
        return bool(self.living)

    def observe(self) -> Observation:
        self.switch(self.number)
        records = list(self.records.values())
        frames, back_edges = (sum(record[name] for record in records) for name in ("frames", "back_edges"))
        made = frames, back_edges, tuple(self.seen), self.slow_entries
        waiting = sum(len(record["pending"] - {INTERRUPT}) for record in records)
        return Observation(not self.living, self.output, records[0]["error"], (), *made, waiting=waiting)

    def checks(self, thread: int = 0) -> dict[str, int]:
        self.switch(self.number)
        return {name: self.records[thread][name] for name in ("frames", "back_edges")}

    # -- the protocol

    def post(self, kind: str, thread: int = 0) -> None:
        for number in self.living if kind == STOP else [thread]:
            if number in self.living:
                self.post_to(kind, number)

    def post_to(self, kind: str, number: int) -> None:
        running = self.number
        self.switch(number)
        if kind == INTERRUPT or not self.waits:  # for a thread that waits, the requester does it
            super().post(kind)
        self.switch(running)

    def serve(self, bits: set[str]) -> None:
        before = len(self.seen)
        try:
            super().serve(bits)
        finally:
            self.seen[before:] = [self.mine(seen) for seen in self.seen[before:]]

    def mine(self, seen: Seen) -> Seen:
        return Seen(seen.kind, seen.site, seen.frames, seen.back_edges, self.number)

    # -- what the guest calls

    def born(self, guest: Guest) -> int:
        """A new thread, in the record of one that has ended, if there is one.  Returns its number."""
        over = sorted(set(self.records) - set(self.living) - {0})
        number = over[0] if over else len(self.records)
        self.records[number] = self.clean(self.records.get(number, {})) | {"guest": guest}
        return number

    def clean(self, _before: dict[str, Any]) -> dict[str, Any]:
        """The attributes of a newborn thread.  `_before`: of the one that had its record."""
        counts = dict.fromkeys(("frames", "back_edges", "depth", "masks"), 0)
        words = {"pending": set(), "limit": self.most, "entry": "jump"}
        return {**counts, **words, "waits": None, "ended": False, "error": ""}

    def wait_for(self, free: Callable[[], bool]) -> Generator[str | None, None, None]:
        """Wait, and look at what is pending meanwhile."""
        while not free():
            if self.entry == "look":
                self.slow_path()
            yield "waits"


class Lock:
    def __init__(self, vm: ThreadsToy) -> None:
        self.vm, self.held = vm, False

    def acquire(self) -> Generator[str | None, None, None]:
        yield from self.vm.wait_for(lambda: not self.held)
        self.held = True

    def release(self) -> None:
        self.held = False


class Thread:
    def __init__(self, vm: ThreadsToy, guest: Guest) -> None:
        self.vm, self.guest = vm, guest

    def start(self) -> Generator[str | None, None, None]:
        self.number = self.vm.born(self.guest)
        yield from ()

    def join(self) -> Generator[str | None, None, None]:
        yield from self.vm.wait_for(lambda: self.number not in self.vm.living)
