"""A guest thread's words, and its check sites: each one runs the protocol's own graph, step by step.

What the reference machine knows of safepoints is here, and it is nothing but the text: a site is a procedure of
`protocol.py`, called by name.  `watch` is called before each shared access, so that a test can post right there.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from safepoint import protocol
from safepoint.guest.code import BACK_EDGES
from safepoint.model.compile import compile_graph
from safepoint.model.execute import POISON, Activation
from safepoint.model.expressions import Instance
from safepoint.model.graph import SPINNING, WORLD, Cell, Graph
from safepoint.model.text import Text
from safepoint.protocol import ENDED, MANAGED

KINDS = {protocol.STOP: "STOP", protocol.HANDSHAKE: "HANDSHAKE", protocol.INTERRUPT: "INTERRUPT",
         protocol.SAMPLE: "SAMPLE", protocol.TERMINATE: "TERMINATE"}  # fmt: skip
CHECKS = ("frame_push", "back_edge")
"""Procedures whose first access is the check itself: what a fast path does, and nobody watches."""


@lru_cache
def procedure_graph(name: str, mutant: str = "", trigger: int = 0) -> Graph:
    """A procedure of the protocol for a world of however many threads, with a trigger word for each back-edge opcode."""
    return compile_graph(_text(), name, Instance(None, mutant, (("entry", len(BACK_EDGES)),), trigger=trigger))


@lru_cache
def _text() -> Text:
    return Text()


class Sites:
    """One thread's words, and the world's.  Small, mutable, copied when a run of one thread forks.

    stack: of how many slots.  number: its record's; words: those of the world that it is born into, where a thread may have
    ended in the same record.
    """

    def __init__(self, stack: int, number: int = 0, words: dict[Cell, int] | None = None) -> None:
        self.number = number
        self.reals = {"limit": stack, "entry": 1}
        self.words = words if words is not None else dict.fromkeys((Cell(WORLD, word) for word in ("stop", "lock")), 0)
        if Cell(number, "state") not in self.words:
            self.words |= self._fresh(stack, MANAGED if words is None else ENDED)
        self.privates = dict.fromkeys(("extra", "masked", "ending"), 0)
        self.here = ""  # the site that is being visited
        self.frames = self.back_edges = self.slow_entries = self.stores = 0
        self.seen: tuple[tuple[str, str, int, int], ...] = ()  # kind, site, frames, back-edges
        self.waiting: Activation | None = None  # the guest's own procedure, when it waits
        self.watch: Callable[[], None] | None = None

    def _fresh(self, stack: int, state: int) -> dict[Cell, int]:
        """A record's words.  Until it is born, a thread is outside guest code: nobody waits for it."""
        first = {"limit": stack, **{f"entry[{i}]": 1 for i in range(len(BACK_EDGES))}, "pending": 0, "state": state}
        return {Cell(self.number, word): value for word, value in {**first, "operation": 0, "wake": 0}.items()}

    def copy(self) -> Sites:
        other = Sites.__new__(Sites)
        other.__dict__.update(self.__dict__)
        other.words, other.privates = dict(self.words), dict(self.privates)
        other.waiting = self.waiting.copy() if self.waiting else None
        if other.waiting:
            other.waiting.privates, other.waiting.population = other.privates, other.population
        other.watch = None
        return other

    # -- what the guest does

    @property
    def suspended(self) -> bool:
        return self.waiting is not None

    def call(self, procedure: str, *args: int) -> int | None:
        """Run a procedure of the guest thread's; its outcome, or None if it waits: `resume` then."""
        if procedure == "back_edge":
            self.back_edges += 1
            self.waiting = self.begin(procedure, trigger=args[0])
        else:
            self.frames += procedure == "frame_push"
            self.waiting = self.begin(procedure, *args)
        if procedure in CHECKS:
            self.waiting.perform(self, self)
            self.slow_entries += self.waiting.at is not None
        return self.resume()

    def resume(self) -> int | None:
        assert self.waiting is not None, "no procedure waits"
        under_way = self.waiting
        if not self.go_on(under_way):
            return None
        self.waiting = None
        return under_way.result

    @property
    def wanted(self) -> bool:
        """Is anything pending that may be delivered?"""
        masked = self.privates["masked"] | self.privates["ending"]
        return bool(self.words[Cell(self.number, "pending")] & protocol.EVERYTHING & ~masked)

    # -- what anybody does

    def population(self) -> int:
        """How many records the world has by now."""
        return sum(cell.word == "state" for cell in self.words)

    def wake(self) -> None:
        """What the thread blocks for has come: its sleep is over as if somebody had posted."""
        self.words[Cell(self.number, "wake")] = 1

    def begin(self, procedure: str, *args: int, trigger: int = 0) -> Activation:
        graph = procedure_graph(procedure, trigger=trigger)
        owner = WORLD if graph.owner == WORLD else self.number
        env = dict(zip(graph.params, args, strict=True))
        activation = Activation(graph, owner, env, self.privates, self.reals, population=self.population)
        activation.begin(self)
        return activation

    def go_on(self, activation: Activation) -> bool:
        """As far as it goes.  True: it is through; False: it waits."""
        while (step := activation.at) is not None:
            if self.watch and step.cell is not None:
                self.watch()
            if not activation.perform(self, self):
                return False
            if activation.graph.name in SPINNING and activation.at and activation.at.number <= step.number:
                return False
        return True

    def told(self) -> dict[str, str]:
        """The words as a test compares them: trigger words are "real" or "poison"."""
        return {
            cell.word: str(value)
            if cell.word.split("[")[0] not in self.reals
            else "poison"
            if value == POISON
            else "real"
            for cell, value in self.words.items()
            if cell.owner in (self.number, WORLD)
        }

    # -- the memory and the listener of an Activation

    def load(self, cell: Cell) -> int:
        return self.words[cell]

    def store(self, cell: Cell, value: int) -> bool:
        self.words[cell] = value
        self.stores += 1
        return True

    def locked(self, cell: Cell) -> bool:
        return True

    def ghost(self, op: str, owner: int | str, kind: int) -> None:
        if op in ("served", "ran"):
            self.seen += ((KINDS[kind], self.here, self.frames, self.back_edges),)

    def claim(self, name: str, holds: bool) -> None:
        """Claims are of the model's roles; a procedure makes none."""

    def branch(self, place: str, taken: bool) -> None:
        """Nobody counts branches here."""
