"""A guest thread's protocol words and check sites: each site runs the protocol's own graph, step by step.

All that the reference machine knows of safepoints is here, and it is the protocol's text: a site is a procedure of
`protocol`, called by name.  `watch` is called before each shared access, so that a test can post exactly there.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import NamedTuple

from safepoint.graph.execute import POISON, Activation
from safepoint.graph.gather import text_of
from safepoint.graph.instance import Instance
from safepoint.graph.ir import WORLD, Cell, Graph
from safepoint.graph.lower import compile_graph
from safepoint.graph.text import Text
from safepoint.guest.code import BACK_EDGES
from safepoint.guest.reference.copying import changed
from safepoint.guest.reference.words import Words
from safepoint.protocol.names import REQUESTS
from safepoint.protocol.policies import FOLDED
from safepoint.protocol.policy import COUNTED, Policy
from safepoint.protocol.words import ENDED, MANAGED

CHECKS = ("frame_push", "back_edge", "elsewhere")
"""Procedures whose own accesses are the check, which a fast path does in one piece: `watch` is not called before them."""


@lru_cache
def procedure_graph(name: str, policy: Policy, word: int = 0) -> Graph:
    """A procedure of a policy's text, for any number of threads, and with a trigger word for each back-edge opcode."""
    widths = (("entry", len(BACK_EDGES)),)
    return compile_graph(text_of(policy), name, Instance(None, "", widths, sites=policy.sites, word=word))


SHARED = ("code",)
"""Rows of trigger words of the world.  Here there is one in a row, and no guest code looks at it: none is compiled."""


class Served(NamedTuple):
    """A request that was served: its kind, the site, the checks of each kind executed before, and the serving thread."""

    kind: str
    site: str
    frames: int
    back_edges: int
    thread: int
    elsewhere: int


class Counts(NamedTuple):
    """Executed checks of each kind, and the number of those that entered the slow path."""

    frames: int = 0
    back_edges: int = 0
    elsewhere: int = 0
    slow_entries: int = 0

    def __add__(self, other: Counts) -> Counts:  # type: ignore[override]  # of counts, not of tuples
        return Counts(*map(operator.add, self, other))


def fresh(policy: Policy, reals: Mapping[str, int], state: int) -> dict[str, int]:
    """A record's words.  Until it is born, a thread is outside guest code: no coordinator waits for it."""
    triggers: dict[str, int] = {}
    for word in policy.words:
        if word == "entry":
            triggers |= {f"entry[{i}]": reals[word] for i in range(len(BACK_EDGES))}
        elif word not in SHARED:
            triggers[word] = reals[word] + (policy.base if word == "limit" else 0)
    return {**triggers, "pending": 0, "state": state, "operation": 0}


def _added(text: Text, reals: Mapping[str, int]) -> dict[str, int]:
    """A record's shared words of a trigger of a user's own; of a row of them there is one."""
    return {
        f"{word}[0]" if kind == "Triggers" else word: reals.get(word, text.begins(False, word))
        for word, kind in text.added.items()
        if kind != "int"
    }


class Sites:
    """One thread's words, and the world's.  Small, mutable, copied when a run forks.

    stack: slots of its stack.  number: its record.  first: the sites of the world's first thread, whose `words` all threads
    share; a thread may have ended in the same record.  policy: of the world.
    """

    def __init__(self, stack: int, number: int = 0, first: Sites | None = None, policy: Policy = FOLDED) -> None:
        self.number, self.policy = number, policy
        counted = {"limit": stack, **dict.fromkeys(COUNTED, policy.period)}
        text = text_of(policy)
        self.reals = {word: counted.get(word, 1) for word in text.triggers()}
        checked = {f"{word}[0]": self.reals[word] for word in SHARED if word in policy.words}
        self.words: Words = first.words if first else Words.of_world(checked)
        if number not in self.words.records():
            self.words.add_record(
                number, fresh(policy, self.reals, ENDED if first else MANAGED) | _added(text, self.reals)
            )
        self.privates = {
            word: text.begins(False, word) for word, kind in text.words["Me"].items() if kind == "int" and word != "end"
        }
        self.graphs: dict[tuple[str, int], Graph] = first.graphs if first else {}  # that were begun, of any thread
        self.here = ""  # the site that is being visited
        self.frames = self.back_edges = self.elsewhere = self.slow_entries = 0
        self.moves = 0  # grows when a procedure of this thread begins, or makes progress
        self.seen: list[Served] = first.seen if first else []  # served by any thread of the world
        self.waiting: Activation | None = None  # the guest thread's own procedure, while it waits
        self.watch: Callable[[], None] | None = first.watch if first else None

    def copy(self, first: Sites | None = None) -> Sites:
        """The same sites in a fork of the world.  first: the fork's first thread; None: this is the first."""
        other = changed(self, privates=dict(self.privates), watch=None)
        other.words, other.seen = (first.words, first.seen) if first else (self.words.copy(), list(self.seen))
        other.waiting = other.taken(self.waiting) if self.waiting else None
        return other

    def taken(self, activation: Activation) -> Activation:
        """Copy a procedure of another world's thread, to go on as this one's."""
        own = activation.copy()
        own.privates, own.population = self.privates, self.population
        return own

    def same_as(self, other: Sites) -> bool:
        """Whether the thread's private words and the procedure that it waits in are equal."""
        return self._own() == other._own()

    def _own(self) -> tuple[object, ...]:
        return self.privates, self.waiting, self.asleep, self.frames, self.back_edges, self.elsewhere

    @property
    def asleep(self) -> bool:
        """Whether the thread waits in `block` and has not been woken."""
        return bool(self.waiting and self.waiting.graph.name == "block" and not self.words[Cell(self.number, "wake")])

    @property
    def counts(self) -> Counts:
        return Counts(self.frames, self.back_edges, self.elsewhere, self.slow_entries)

    # -- what the guest does

    @property
    def suspended(self) -> bool:
        return self.waiting is not None

    def call(self, procedure: str, *args: int) -> int | None:
        """Run a procedure of the guest thread.  Returns its outcome; None: it waits, and `resume` continues it."""
        if procedure == "back_edge":
            self.back_edges += 1
            self.waiting = self.begin(procedure, word=args[0])
        else:
            self.frames += procedure == "frame_push"
            self.elsewhere += procedure == "elsewhere"
            self.waiting = self.begin(procedure, *args)
        if procedure in CHECKS:
            while self.waiting.at is not None and self.waiting.at.where == (procedure,):
                self.waiting.perform(self, self)
            self.slow_entries += self.waiting.at is not None
        return self.resume()

    def checks_at(self, site: str) -> bool:
        """Is it a check site of the policy?  (Pushes and back-edges run their procedure whether they look at anything or not.)"""
        return site in self.policy.sites

    def resume(self) -> int | None:
        assert self.waiting is not None, "no procedure waits"
        under_way = self.waiting
        if not self.go_on(under_way):
            return None
        self.waiting = None
        return under_way.result

    # -- what requesters do, too

    def population(self) -> int:
        """The number of records in the world so far."""
        return len(self.words.wakes)

    def wake(self) -> None:
        """End the thread's sleep, if it has not ended yet: it can have what it blocks for."""
        if not self.words[Cell(self.number, "wake")]:
            self.go_on(self.begin("awaken"))

    def begin(self, procedure: str, *args: int, word: int = 0) -> Activation:
        if (procedure, word) not in self.graphs:
            self.graphs[procedure, word] = procedure_graph(procedure, self.policy, word)
        graph = self.graphs[procedure, word]
        owner = WORLD if graph.owner == WORLD else self.number
        env = dict(zip(graph.params, args, strict=True))
        activation = Activation(graph, owner, env, self.privates, self.reals, population=self.population)
        self.moves += 1
        activation.begin(self)
        return activation

    def go_on(self, activation: Activation) -> bool:
        """Run an activation until it has returned (True) or waits (False)."""
        begun = activation.at
        while (step := activation.at) is not None:
            if self.watch and step.cell is not None:
                self.watch()
            waits = not activation.perform(self, self)
            again = activation.at
            if waits or (again and again.number <= step.number and again.number in activation.graph.looks):
                self.moves += activation.at is not begun
                return False
        self.moves += 1
        return True

    def comparable_words(self) -> dict[str, str]:
        """All shared words, by name; another thread's have its number in front.  A trigger word is "real", "poison", request bits, or a claim.

        Not the `wake`s: see `Words`.
        """
        return {
            f"{cell.owner}.{cell.word}" if cell.owner not in (0, WORLD) else cell.word: self._shown(cell.word, value)
            for cell, value in self.words.values.items()
        }

    def _shown(self, word: str, value: int) -> str:
        if word.partition("[")[0] not in self.reals or word == "ticker":
            return str(value)
        if value < self.policy.base:
            return f"bits {value}"
        if (row := word.partition("[")[0]) in SHARED and value > self.reals[row]:
            return f"claim {value}"
        return "poison" if value == POISON else "real"

    # -- the memory and the listener of an Activation

    def load(self, cell: Cell) -> int:
        return self.words[cell]

    def store(self, cell: Cell, value: int) -> bool:
        self.words[cell] = value
        return True

    def locked(self, cell: Cell) -> bool:
        return True

    def ghost(self, op: str, owner: int | str, kind: int) -> None:
        if op in ("served", "ran"):
            self.seen.append(
                Served(REQUESTS[kind], self.here, self.frames, self.back_edges, self.number, self.elsewhere)
            )

    def claim(self, name: str, holds: bool) -> None:
        """Only roles of the model make claims; a procedure makes none."""

    def happens(self, name: str) -> None:
        """What must happen in the end is for the model to see."""

    def branch(self, place: str, taken: bool) -> None:
        """Branches are counted in the model only."""
