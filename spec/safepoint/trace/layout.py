"""The protocol's text, compiled for a trace: graphs of guest threads and of what requesters do, and the words of the world.

A loop over threads is a loop at run time, as it is in the machine, so that the graphs do not depend on how many threads there are.
"""

from __future__ import annotations

from functools import lru_cache

from safepoint.graph import ir
from safepoint.graph.instance import Instance
from safepoint.graph.lower import compile_graph
from safepoint.graph.text import Text
from safepoint.protocol import files
from safepoint.protocol.policies import POLICIES
from safepoint.protocol.policy import COUNTED, Bound, Policy
from safepoint.protocol.words import ENDED, EVERYTHING
from safepoint.trace.events import EVENTS
from safepoint.trace.lines import Header
from safepoint.trace.observe import ANY, CODE, LOCAL, kinds_of

GUEST = "mutator"
"""The role of a guest thread."""
PROCEDURES = {"posted": "post", "woken": "awaken", "handshake-asked": "handshake"}
"""First event of what a requester does to a thread, to the procedure."""
ROLES = ("coordinator", "impatient")
"""What a requester does to the world; each begins by its lock."""
FEATURES = ("masks", "unwinding", "handlers", "blocking", "waking", "collect", "births", "work")
"""The features of guest threads that a trace may show, as far as the policy's text has them."""
VARIANTS = ("membarrier", "leaving", "exclusive", "waking")
"""What the header may say that a VM does otherwise."""
IMPLIED = {"waking": "blocking"}
"""A variant that a text has by itself, if it has the feature: each sleep is a check site, too."""
MOST = 1 << 16


class UnknownTrace(Exception):
    """The header asks for what there is not: says what, and what there is."""


class Layout:
    """What a header fixes."""

    def __init__(self, header: Header) -> None:
        """Raises UnknownTrace."""
        self.policy = policy = _checked(header)
        self.names = {name: number for number, name in enumerate(header.threads)}
        self.threads = len(header.threads)
        self.silent = frozenset(header.silent)
        slices = tuple(s for s in FEATURES if s in policy.slices) + tuple(header.variants)
        self.text, self.graphs = _compiled(policy.trigger, policy.sites, header.entries, slices)
        sizes = {"limit": 1, **dict.fromkeys(COUNTED, policy.period)}
        self.reals = {word: sizes.get(word, 1) for word in self.text.triggers()}
        cells = {cell for graph in self.graphs.values() for cell in graph.cells()}
        self.words = sorted({c.word for c in cells if c.owner != ir.WORLD})
        self.world = sorted({c.word for c in cells if c.owner == ir.WORLD})
        self._index = {word: number for number, word in enumerate(self.words)}
        self._world_index = {word: number for number, word in enumerate(self.world)}
        self.resting = {
            name: frozenset(step.number for step in graph.next_steps(graph.start))
            for name, graph in self.graphs.items()
            if name in ROLES
        }
        self.running = [name in header.running for name in header.threads]

    def privates(self, graph: ir.Graph) -> dict[str, int]:
        words = {a.word for e in graph.expressions() for a in ir.atoms(e) if isinstance(a, ir.Private)}
        words |= {t.target.word for t in graph.trees if isinstance(t, ir.Let) and isinstance(t.target, ir.Private)}
        return {word: self.text.begins(False, word) for word in words}

    def code(self, cell: ir.Cell) -> int:
        """A number of the word: below 0 if it is a word of the thread's own, as every thread has it."""
        if cell.owner == ir.SELF:
            return -1 - self._index[cell.word]
        if cell.owner == ir.WORLD:
            return self.threads * len(self.words) + self._world_index[cell.word]
        assert isinstance(cell.owner, int)
        return cell.owner * len(self.words) + self._index[cell.word]

    def resolve(self, code: int, thread: int) -> int:
        """The number of the word itself; `thread`: whose own."""
        return code if code >= 0 else thread * len(self.words) - 1 - code

    def word(self, code: int) -> str:
        """What a word is called, without its thread."""
        if code < 0:
            return self.words[-1 - code]
        thread, number = divmod(code, len(self.words))
        return self.words[number] if thread < self.threads else self.world[code - self.threads * len(self.words)]

    def initial(self, unknown: frozenset[str]) -> list[int]:
        """The words when the trace begins; ANY for those that are not followed."""

        def value(word: str, running: bool) -> int:
            name = word.split("[", maxsplit=1)[0]
            if word in unknown:
                return ANY
            if word == "state" and not running:
                return ENDED
            base = self.policy.base if name == "limit" else 0
            return self.reals.get(name, self.text.begins(False, name)) + base

        memory = [value(word, running) for running in self.running for word in self.words]
        return memory + [ANY if word in unknown else self.text.begins(True, word) for word in self.world]

    def domain(self, word: str) -> range:
        """What a word that is not followed may hold."""
        name = word.split("[", maxsplit=1)[0]
        if name in self.reals:
            return range(self.reals[name] + (self.policy.base if name == "limit" else 0) + 1)
        return range(EVERYTHING + 1 if name == "pending" else 4)

    @property
    def unknown(self) -> frozenset[str]:
        """The words that are not followed: the VM does not log all that changes them."""
        return frozenset(
            step.cell.word
            for graph in self.graphs.values()
            for step in graph.steps
            if step.cell and step.op != "load" and kinds_of(graph, step) & self.silent
        )

    @property
    def possible(self) -> set[str]:
        """The kinds of events that a trace under this policy may have."""
        kinds = {kind for graph in self.graphs.values() for step in graph.steps for kind in kinds_of(graph, step)}
        checks = {"pushed", "looped", *(["checked"] if self.policy.elsewhere else [])}
        return kinds | checks | {"entered", *LOCAL}

    @property
    def poisoned(self) -> frozenset[str]:
        """The trigger words that a post poisons."""
        steps = self.graphs["post"].steps
        return frozenset(
            step.cell.word
            for step in steps
            if step.cell and any(isinstance(o, ir.Fixed) and o.which == "poison" for o in step.operands)
        )

    @property
    def declared(self) -> Bound:
        """The bound that the policy declares, with the trace's period."""
        return self.policy.declared


@lru_cache(maxsize=8)
def _compiled(
    trigger: str, sites: tuple[str, ...], entries: int, slices: tuple[str, ...]
) -> tuple[Text, dict[str, ir.Graph]]:
    """The text of a mechanism, and the graphs of all that is done in a trace: compiled code is not executed there, and has no words."""
    text = Text(files(trigger))
    instance = Instance(None, widths=(("entry", entries), (CODE, 0)), slices=slices, sites=sites)
    return text, {name: compile_graph(text, name, instance) for name in (GUEST, *PROCEDURES.values(), *ROLES)}


def _checked(header: Header) -> Policy:
    for what, said, known in (
        ("policy", [header.policy], POLICIES),
        ("event", header.silent, EVENTS),
        ("variant", header.variants, VARIANTS),
        ("thread", header.running, header.threads),
    ):
        for name in said:
            if name not in known:
                raise UnknownTrace(f"the header speaks of {what} {name!r} (there are: {', '.join(known)})")
    if len(set(header.threads)) != len(header.threads):
        raise UnknownTrace("two threads of the header have the same name (give each a name of its own)")
    policy = POLICIES[header.policy]
    if header.period and not policy.period:
        raise UnknownTrace(f"policy {policy.name} has no ticker and no budget (leave out `period`)")
    for variant in header.variants:
        if variant not in policy.slices and IMPLIED.get(variant) not in policy.slices:
            raise UnknownTrace(f"policy {policy.name} has no variant {variant!r} (leave it out)")
    return policy.with_period(header.period) if header.period else policy
