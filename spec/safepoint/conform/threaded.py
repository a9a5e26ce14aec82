"""Most of an adapter, for a VM whose guest runs on an OS thread of its own: it stands still between two steps.

The adapter writes `load`, `post` and `execute`.  `execute` runs the guest, which calls back into its `Run`: `pause` where a step
ends, `push` and `back_edge` where a check is, `say` for what it prints, `saw` for a request that it has noticed.  Two semaphores
hand the turn over, so that the judge and the guest never run at once; a guest that does not give it back in time is stuck.
The semaphores are queues, because those of `threading` run Python code on the guest's thread.
"""

from __future__ import annotations

from abc import abstractmethod
from collections import Counter
from contextlib import suppress
from queue import Empty, SimpleQueue
from threading import Thread

from safepoint.conform.target import GuestStuck, Observation, Seen, Target


class Abandoned(BaseException):
    """Raised by `Run.pause` in a guest that the judge has dropped: the adapter lets it end the guest."""


class Run:
    """One guest, as the thread that runs it sees it.  All but `pause` may also be called while the guest stands still."""

    def __init__(self, *, ended: bool = False) -> None:
        self.output, self.error, self.ended = "", "", ended
        self.counts = Counter({"frames": 0, "back_edges": 0})
        self.seen: list[Seen] = []
        self.slow_entries = 0
        self.abandoned, self.running = False, False
        self.failure: BaseException | None = None
        self.left = 0  # steps of the judge's turn
        self.go, self.back = SimpleQueue[None](), SimpleQueue[None]()

    def pause(self) -> None:
        """A step of the guest ends here.  Raises Abandoned."""
        self.left -= 1
        if self.left <= 0 and not self.abandoned:
            self.back.put(None)
            self.go.get()
        if self.abandoned:
            raise Abandoned

    def check(self, kind: str) -> None:
        """The guest executes a check of a further kind: see `Target.further`."""
        self.counts[kind] += 1

    def push(self) -> None:
        """The guest pushes a frame.  To be called before the VM's own check, or the push that notices is not counted."""
        self.check("frames")

    def back_edge(self) -> None:
        """The guest jumps backward.  To be called before the VM's own check, likewise."""
        self.check("back_edges")

    def say(self, value: object) -> None:
        """The guest prints a value."""
        self.output += f"{value}\n"

    def saw(self, *kinds: str, site: str = "") -> None:
        """One slow path of the guest has noticed these requests; none: it was entered for nothing."""
        self.slow_entries += 1
        counts = dict(self.counts)
        frames, back_edges = counts.pop("frames"), counts.pop("back_edges")
        self.seen += [Seen(kind, site, frames, back_edges, further=counts) for kind in kinds]


class ThreadedTarget(Target):
    """A guest on a thread of its own.

    `patience`: seconds for a turn of the guest, after which it is stuck.  `guest`: the running one.
    """

    patience: float = 10
    guest = Run(ended=True)

    @abstractmethod
    def execute(self, run: Run) -> str:
        """Run the loaded program to its end; called on the guest's thread.

        Returns the name of the exception that has ended it, spelt as `Observation.error`; "": none.  What it raises, but for
        Abandoned, is an error of the adapter, and reaches the judge.
        """

    def start(self) -> None:
        self.close()
        self.guest = Run()
        Thread(target=self._main, args=(self.guest,), daemon=True).start()

    def close(self) -> None:
        """End the running guest, if any; one that is stuck is left behind."""
        run = self.guest
        if not run.ended:
            run.abandoned = True
            if not run.running:
                run.go.put(None)
                with suppress(Empty):
                    run.back.get(timeout=self.patience)

    def _main(self, run: Run) -> None:
        run.go.get()
        try:
            if not run.abandoned:
                run.error = self.execute(run)
        except Abandoned:
            pass
        except BaseException as error:  # noqa: BLE001  # raised again on the judge's thread
            run.failure = error
        run.ended = True
        run.back.put(None)

    def step(self, count: int = 1) -> bool:
        run = self.guest
        if run.ended:
            return False
        if not run.running:  # else it goes on with the turn in which it was stuck
            run.running, run.left = True, count
            run.go.put(None)
        try:
            run.back.get(timeout=self.patience)
        except Empty:
            raise GuestStuck(f"the guest has not come back for {self.patience:g} seconds") from None
        run.running = False
        if run.failure:
            raise run.failure
        return not run.ended

    def observe(self) -> Observation:
        run = self.guest
        further = dict(run.counts)
        frames, back_edges = further.pop("frames"), further.pop("back_edges")
        made = frames, back_edges, tuple(run.seen), run.slow_entries
        return Observation(run.ended, run.output, run.error, (), *made, further=further)
