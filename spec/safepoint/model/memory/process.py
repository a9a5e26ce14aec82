"""A thread of a model on the machine of views.

The memory is one field of the packed state: its number.  The fields of the words hold their newest values, beside it, so that
properties and paths read them as they do under any other memory model.  What a thread can do is worked out in two parts, each once:
what it does by itself, up to an access and from what that gives; and what the access gives in a memory.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property

from safepoint.graph.execute import Activation, Impossible
from safepoint.graph.ir import Cell, Step
from safepoint.model.fields import Field
from safepoint.model.memory.data import OPERATION_DATA, POST_DATA, Handing
from safepoint.model.memory.instructions import Compiled, as_written
from safepoint.model.memory.targets import Target
from safepoint.model.memory.turns import Place, following_of, settled
from safepoint.model.memory.views import Access, Machine, Outcome
from safepoint.model.moves import Begun, Move, Transition, statement
from safepoint.model.process import Process

NOTHING = as_written("")
"""What a step without an access comes down to."""


@dataclass
class Shared:
    """What the threads of a model share.  `number`: the field of the memory.  `words`: of each word its number for the machine.
    `target`: None for C11.
    """

    target: Target | None
    number: Field
    words: dict[Cell, int]
    fields: list[Field]
    machine: Machine = field(init=False)
    known: dict[int, int] = field(default_factory=dict)

    def bits(self, memory: int) -> int:
        """A memory in a packed state: its number, and the newest value of each word."""
        found = self.known.get(memory)
        if found is None:
            found = self.number.put(0, memory)
            for where, value in zip(self.fields, self.machine.newest(memory), strict=True):
                found = where.put(found, value)
            self.known[memory] = found
        return found


@dataclass
class Continued:
    """What a thread does by itself after an access has given something: a delta of its own bits, and what there is to say of it."""

    delta: int
    claims: tuple[str, ...]
    happened: tuple[str, ...]
    heard: tuple[tuple[str, int | str, int], ...]  # what the text says of requests: op, thread, kinds

    @property
    def posts(self) -> bool:
        return any(op == "posted" for op, _, _ in self.heard)


@dataclass
class Poised:
    """A thread that has made its choices, and stands before an access (None: a step without one).  `state`: its own bits by now."""

    start: int
    state: int
    activation: Activation
    step: Step
    begun: Begun
    access: Access | None
    to: Compiled
    continued: dict[int, Continued | None] = field(default_factory=dict)
    told: dict[tuple[int, int], Move] = field(default_factory=dict)


@dataclass
class Ready:
    """All that a thread may do by itself.  `done`: moves without an access, round to a choice that it has just made."""

    done: tuple[Transition, ...]
    poised: tuple[Poised, ...]


@dataclass
class WeakProcess(Process):
    """A `Process` whose accesses are the machine's.  `thread`: whose views it has: a handler has those of the thread it runs on."""

    shared: Shared | None = None
    thread: int = 0
    own: int = 0  # the bits that are its own: its footprint, without the memory
    same_thread: list[WeakProcess] = field(default_factory=list)  # what else runs on the thread
    handing: Handing = field(default_factory=Handing)
    ready: dict[int, Ready] = field(default_factory=dict)
    heard: list[tuple[str, int | str, int]] = field(default_factory=list)
    collected: list[Poised] = field(default_factory=list)

    def edges(self, state: int) -> Iterator[Transition]:
        """Every move that this thread can make."""
        assert self.shared is not None
        memory, own = self.shared.number.get(state), state & self.own
        ready = self.ready.get(own)
        if ready is None:
            self.collected = []
            done = tuple(super().edges(own))
            ready = self.ready[own] = Ready(done, tuple(self.collected))
        yield from ready.done
        before = self.shared.bits(memory)
        for poised in ready.poised:
            at, unseen = self._access_data(memory, poised)
            for then, (result, after, behind) in self._outcomes(at, poised):
                delta = then.delta ^ before ^ self.shared.bits(after)
                claims = (*then.claims, *unseen, *self._not_handed_over(after, then))
                yield Transition(delta, self._move(poised, result, behind), claims, poised.step.number, then.happened)

    def _access(self, start: int, state: int, a: Activation, step: Step, begun: Begun) -> Iterator[Transition]:
        """Called for each way through the choices: what is accessed depends on the memory, so it is only noted."""
        access = None
        if step.cell is not None:
            assert self.shared is not None
            cell = a.cell()
            assert cell is not None
            operands = tuple(a.value(operand) for operand in step.operands)
            access = Access(self.thread, self.shared.words[cell], step.op, operands, step.order)
        self.collected.append(Poised(start, state, a, step, begun, access, self.compiled.get(step.number, NOTHING)))
        yield from ()

    @cached_property
    def compiled(self) -> dict[int, Compiled]:
        """What each access comes down to, by the number of the step."""
        assert self.shared is not None
        if self.shared.target is None:
            return {s.number: as_written(s.order) for s in self.graph.steps if s.cell is not None}
        others = [place for other in self.same_thread for place in other.places(self.shared.target).values()]
        return settled(self.places(self.shared.target), following_of(self.graph), others)

    def places(self, target: Target) -> dict[int, Place]:
        """Its accesses and full barriers, by the number of the step."""
        accesses = [(s, s.cell) for s in self.graph.steps if s.cell is not None]
        found = {s.number: Place(cell.word, s.op, target.compiled(s.op, s.order)) for s, cell in accesses}
        barriers = [s.number for s in self.graph.steps if s.op in ("fence", "fence_others")]
        return found | {number: Place("", "fence", None) for number in barriers}

    def _access_data(self, memory: int, poised: Poised) -> tuple[int, list[str]]:
        """The data that the thread accesses with this move: the memory after that, and the properties that it breaks."""
        assert self.shared is not None
        unseen: list[str] = []
        accesses = [*self.handing.before.get(poised.step.number, ())]
        accesses += self.handing.at_guest.get(self.pc.get(poised.start), ())
        for item, name in accesses:
            memory, knew = self.shared.machine.touch(memory, self.thread, item)
            unseen += [name] if name and not knew else []
        return memory, unseen

    def _outcomes(self, memory: int, poised: Poised) -> Iterator[tuple[Continued, Outcome]]:
        """How it may go on, and what the access gives there."""
        assert self.shared is not None
        machine, item = self.shared.machine, self.handing.posts.get(poised.step.number)
        if poised.access is None:
            fenced = {"fence": machine.fence, "fence_others": machine.fence_others}.get(poised.step.op)
            after = fenced(memory, self.thread) if fenced else memory
            outcomes: Iterable[Outcome] = (Outcome(0, after, 0),)
        else:
            outcomes = machine.compiled(memory, poised.access, poised.to)
        for outcome in outcomes:
            then = self._then(poised, outcome.result)
            if then is not None and (item is None or not then.posts):
                yield then, outcome
        if item is not None and poised.access is not None:  # where it posts, it has done something before
            for outcome in machine.compiled(machine.touch(memory, self.thread, item)[0], poised.access, poised.to):
                then = self._then(poised, outcome.result)
                if then is not None and then.posts:
                    yield then, outcome

    def _not_handed_over(self, memory: int, then: Continued) -> Iterator[str]:
        """The properties that a thread breaks which takes a request, or goes on after an operation."""
        assert self.shared is not None
        knows = self.shared.machine.knows
        for op, owner, kinds in then.heard:
            if op == "taken":
                items = [item for kind, items in self.handing.mail.items() if kind & kinds for item in items]
                if not all(knows(memory, self.thread, item) for item in items):
                    yield POST_DATA
            elif op == "finished" and owner in self.handing.results:
                if not knows(memory, self.thread, self.handing.results[owner]):
                    yield OPERATION_DATA

    def ghost(self, op: str, owner: int | str, kind: int) -> None:
        self.heard.append((op, owner, kind))
        super().ghost(op, owner, kind)

    def _then(self, poised: Poised, result: int) -> Continued | None:
        if result not in poised.continued:
            poised.continued[result] = self._continue(poised, result)
        return poised.continued[result]

    def _continue(self, poised: Poised, result: int) -> Continued | None:
        """None: it waits, or this case cannot be chosen."""
        a, step = poised.activation.copy(), poised.step
        self._begin(poised.state, poised.begun)
        self.heard = []
        a.env["_"] = result
        if step.guard is not None and not a.value(step.guard):
            return None
        try:
            a.settle(step.then[0], self)
        except Impossible:
            return None
        delta = self.pack(self.state, a) ^ poised.start
        return Continued(delta, tuple(self.claims), tuple(self.happened), tuple(self.heard))

    def _move(self, poised: Poised, result: int, behind: int) -> Move:
        """How it is told: of a stale access also what it read, and how many stores there are behind that."""
        if (move := poised.told.get((result, behind))) is not None:
            return move
        step, source = poised.step, poised.step.source
        if behind and poised.access is not None:
            what = "placed" if step.op == "store" else f"reads {result},"
            source = f"{statement(source)} ({what} {behind} before the newest)"
        move = Move(self.name, step.name, poised.begun.cases, step.line, source, step.file)
        return poised.told.setdefault((result, behind), move)
