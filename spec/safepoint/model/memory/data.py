"""Data that is handed over under the protocol: without them, nothing would tell a weaker order from the right one.

Each item is ghost data of the machine: a process that accesses it must have seen the access before.  Three sorts:

* of each thread what guest code works on, and a coordinator while the world is stopped; what guest code works on, and the requester that runs an
  operation for the thread; and, where no operation is run while the world is stopped, what those two work on;
* of each requester and each thread that it posts to: what it did before it posted, which the owner that takes the request must have seen;
* of each thread what an operation on it has found out, which the requester of the operation must have seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from safepoint.graph.ir import SELF, Const, Ghost, Step
from safepoint.model.activity import ghosts, is_at
from safepoint.model.process import Process
from safepoint.protocol.activities import GUEST, OPERATING, STOPPED

GUEST_DATA, POST_DATA, OPERATION_DATA = "guest-data", "post-data", "operation-data"

HANDED_OVER: dict[str, str] = {
    GUEST_DATA: "What guest code, a coordinator or an operation did to a thread's data is seen by the thread that goes on with it.",
    POST_DATA: "What a requester did before it posted is seen by the owner that takes the request.",
    OPERATION_DATA: "What an operation did is seen by the requester that asked for it.",
}
"""Asked under C11 and of machines: elsewhere each step sees all that was stored before it, or waits for what was."""

Access = tuple[int, str]
"""An item, and the property that is broken if the access before it is not seen; "": none."""


@dataclass
class Handing:
    """The accesses of one process, by the number of the step.

    at_guest: with every move that begins where guest code chooses.  before: with the access of a step.  posts: before an access that
    posts.  mail: of each kind of request that it may take, the items.  results: of each thread the item of its operation's result.
    """

    at_guest: dict[int, list[Access]] = field(default_factory=dict)
    before: dict[int, list[Access]] = field(default_factory=dict)
    posts: dict[int, int] = field(default_factory=dict)
    mail: dict[int, list[int]] = field(default_factory=dict)
    results: dict[int | str, int] = field(default_factory=dict)


@dataclass
class Data:
    """The items: which processes access each, and when.  `threads`: of each process whose views it has.  `is_exclusive`: is no operation run while
    the world is stopped?
    """

    processes: Sequence[Process]
    threads: Sequence[int]
    is_exclusive: bool
    accessors: list[set[int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.of = [Handing() for _ in self.processes]
        mutators = [n for n, process in enumerate(self.processes) if process.graph.name == "mutator"]
        for n in mutators:
            self._heap(n)
        for n in mutators:
            self._result(n)
        for n, process in enumerate(self.processes):
            if n not in mutators and not process.is_handler:
                self._mail(n, mutators)

    def _item(self) -> int:
        self.accessors.append(set())
        return len(self.accessors) - 1

    def _heap(self, thread: int) -> None:
        """What guest code of a thread works on, a coordinator, and operations: what each two of them hand over is an item."""
        steps = [(n, process, step) for n, process in enumerate(self.processes) for step in process.graph.steps]
        guest = [(n, step) for n, process, step in steps if n == thread and is_at(process.graph, step, GUEST)]
        stopped = [(n, step) for n, process, step in steps if is_at(process.graph, step, STOPPED)]
        operating = [
            (n, step)
            for n, process, step in steps
            if is_at(process.graph, step, OPERATING) and _owner(process, step) == thread
        ]
        pairs = [(guest, stopped), (guest, operating), *([(stopped, operating)] if self.is_exclusive else [])]
        for one, other in pairs:
            if not (one and other):
                continue
            item = self._item()
            for n, step in {*one, *other}:
                self.accessors[item].add(self.threads[n])
                of = self.of[n].at_guest if (n, step) in guest else self.of[n].before
                of.setdefault(step.number, []).append((item, GUEST_DATA))

    def _result(self, thread: int) -> None:
        """What an operation on a thread has found out, where a requester asks for one, and waits."""
        asks = [
            n
            for n, p in enumerate(self.processes)
            if any(isinstance(t, Ghost) and t.op == "finished" for t in p.graph.trees)
        ]
        if not asks:
            return
        item = self._item()
        for n, process in enumerate(self.processes):
            steps = [
                s for s in process.graph.steps if is_at(process.graph, s, OPERATING) and _owner(process, s) == thread
            ]
            for step in steps:
                self.of[n].before.setdefault(step.number, []).append((item, ""))
            if n in asks:
                self.of[n].results[thread] = item
            if steps or n in asks:
                self.accessors[item].add(self.threads[n])

    def _mail(self, requester: int, mutators: Sequence[int]) -> None:
        """What a requester did before it posted to a thread."""
        graph = self.processes[requester].graph
        items: dict[int | str, int] = {}
        for step in graph.steps:
            for ghost in ghosts(graph, step):
                if ghost.op == "posted" and ghost.owner in mutators and isinstance(ghost.kind, Const):
                    assert isinstance(ghost.owner, int)
                    if ghost.owner not in items:
                        items[ghost.owner] = self._item()
                        self.accessors[-1] |= {self.threads[requester], ghost.owner}
                    item = self.of[requester].posts[step.number] = items[ghost.owner]
                    taken = self.of[ghost.owner].mail.setdefault(ghost.kind.value, [])
                    taken += [] if item in taken else [item]


def _owner(process: Process, step: Step) -> object:
    """Whose word the step accesses."""
    owner = step.cell.owner if step.cell is not None else None
    return process.me if owner == SELF else owner
