"""A text as a transition system: its threads, the layout of its states, each of which is one packed integer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cached_property

from safepoint.graph.execute import Activation
from safepoint.graph.ir import SELF, WORLD, Cell, Ghost, Graph, If, Let, Private, atoms
from safepoint.graph.lower import compile_anew, compile_graph
from safepoint.graph.text import HANDLER, Text
from safepoint.model.carriers import say_cleared
from safepoint.model.fields import Field
from safepoint.model.layout import Layout
from safepoint.model.memory.attach import WIDTH, attach, refuse
from safepoint.model.memory.names import is_weak
from safepoint.model.memory.process import WeakProcess
from safepoint.model.process import BUFFER, Process
from safepoint.model.rest import place, places, unended
from safepoint.model.scopes import Scope, instance_of
from safepoint.model.widths import Widths
from safepoint.protocol.names import REQUESTS
from safepoint.protocol.policies import FOLDED
from safepoint.protocol.policy import COUNTED, Policy
from safepoint.protocol.words import HANDSHAKE


class Model:
    """A text, compiled for a scope, a policy, a memory model and, if asked for, a mutant; with the layout of its states."""

    def __init__(
        self,
        text: Text,
        scope: Scope,
        mutant: str = "",
        policy: Policy = FOLDED,
        memory: str = "sc",
        wider: Mapping[str, int] | None = None,
    ) -> None:
        """`wider`: bits of words and locals for which those that the text shows have turned out too few (`widths.fitting`)."""
        self.text = text = text.with_trigger(policy.trigger)
        if text.is_custom:
            policy = replace(policy, declared=scope.declared)
        self.scope, self.mutant, self.policy, self.memory = scope, mutant, policy, memory
        self.bits, self.wider = 0, wider
        self.claims, self.asked = set[str](), set[str]()  # global claims, by place; those that were tried
        self.is_weak = is_weak(memory)
        if self.is_weak:
            refuse(text, memory)
        instance = instance_of(scope, policy, mutant)
        sizes = {"limit": scope.depth, **dict.fromkeys(COUNTED, policy.period)}
        self.reals = reals = {word: sizes.get(word, 1) for word in text.triggers()}
        takes = any(isinstance(t, Ghost) and t.op == "taken" for t in compile_graph(text, "mutator", instance).trees)
        adds = text.is_custom and not takes
        compiled = compile_anew if adds else compile_graph
        mutator = compiled(text, "mutator", instance)
        others = [compiled(text, role, instance) for role in scope.roles]
        self.mutated = any(graph.mutated for graph in (mutator, *others))
        who: list[tuple[Graph, int | str, str]] = [(mutator, i, f"T{i}") for i in range(scope.threads)]
        for graph, name in zip(others, _numbered(scope.roles), strict=True):
            if graph.owner == WORLD:
                who.append((graph, WORLD, name))
            elif scope.threads == 1:
                who.append((graph, 0, name))
            else:
                who += [(graph, i, f"{name} of T{i}") for i in range(scope.threads)]
        graphs = [graph for graph, _, _ in who]
        if adds:
            say_cleared([(me, graph) for graph, me, _ in who])
        # first of all where each thread stands: a set of integers tells them apart by their lowest bits first
        places = [self._field(max(1, (len(graph.steps) - 1).bit_length())) for graph in graphs]
        self.widths = Widths(text, (mutator, *others), {**reals, "limit": scope.depth + policy.base}, wider or {})
        cells = {Cell(me, c.word) if c.owner == SELF else c for graph, me, _ in who for c in graph.cells()}
        order = sorted(cells, key=str)
        self.cells = {c: self._field(self.widths.of(c.word)) for c in order}
        kinds = max(len(REQUESTS), self.widths.kinds.bit_length())
        ghosts: dict[int | str, tuple[Field, Field, Field]] = {
            i: (self._field(kinds), self._field(kinds), self._field(kinds)) for i in range(scope.threads)
        }
        self.owed, self.held = ({i: fields[n] for i, fields in ghosts.items()} for n in (0, 1))
        waits = [self._waits(graph) for graph in graphs]
        hint = 0 if text.is_custom else HANDSHAKE  # the kinds of a custom text are its own
        waiting = [w for w in waits if w]
        self.layout = Layout(self.cells, ghosts, waiting, reals, scope.threads + 1, self.widths, takes, hint)
        self.handlers = [graph for graph in others if text.functions[graph.name].kind == HANDLER]
        self.processes: list[Process] = []
        for (graph, me, name), pc, w in zip(who, places, waits, strict=True):
            self.processes.append(self._process(graph, me, name, pc, w))
        self.mutators, self.requesters = self.processes[: scope.threads], self.processes[scope.threads :]
        self._fence()
        self._brake()
        if self.is_weak:
            initial = {cell: self.initial_of(cell) for cell in self.cells}
            number, is_exclusive = self._field(WIDTH), "exclusive" in scope.slices
            self.views = attach(self.processes, self.cells, initial, number, memory, is_exclusive=is_exclusive)
        self.initial = self._start()

    def _field(self, width: int) -> Field:
        self.bits += width
        return Field(self.bits - width, (1 << width) - 1)

    def _waits(self, graph: Graph) -> Field | None:
        """For what asks for operations: where it says which thread's it waits for, or that it has run."""
        asks = any(isinstance(t, Ghost) and t.op in ("asked", "finished") for t in graph.trees)
        return self._field((self.scope.threads + 1).bit_length()) if asks else None

    def _process(self, graph: Graph, me: int | str, name: str, pc: Field, waits: Field | None) -> Process:
        privates = sorted({a.word for e in graph.expressions() for a in atoms(e) if isinstance(a, Private)}
                          | {t.target.word for t in graph.trees if isinstance(t, Let) and isinstance(t.target, Private)})  # fmt: skip
        alive = sorted({n for names in graph.live.values() for n in names})
        is_handler = graph in self.handlers
        if privates and me != WORLD and not (is_handler or graph.name == "mutator"):
            raise self.text.complaint(graph.name, f"{privates[0]} is the mutator's alone", "a Word")
        locals_ = {n: self._field(self.widths.of(n)) for n in alive}
        own = self.processes[int(me)].privates if is_handler else {}  # a handler's are the thread's
        for n in privates:
            if n not in own:
                own[n] = self._field(self.widths.of(n))
        process = (WeakProcess if self.is_weak else Process)(
            self.layout,
            graph,
            me,
            name,
            pc=pc,
            locals=locals_,
            privates={n: own[n] for n in privates},
            waits_for=waits,
        )
        cells = {Cell(me, c.word) if c.owner == SELF else c for c in graph.cells()}
        stored = {
            Cell(me, s.cell.word) if s.cell.owner == SELF else s.cell
            for g in (graph, *(self.handlers if graph.name == "mutator" else ()))
            for s in g.steps
            if s.cell and s.op == "store" and not s.publishes
        }
        if is_handler:
            self._interrupt(self.processes[int(me)], process)
        elif self.memory == "tso" and stored:
            process.stored = sorted(stored, key=str)
            width = max(self.widths.of(c.word) for c in stored)
            process.fill = self._field(BUFFER.bit_length())
            process.buffer = [(self._field(len(stored).bit_length()), self._field(width)) for _ in range(BUFFER)]
        touched = [
            process.pc,
            *process.locals.values(),
            *process.privates.values(),
            *(f for pair in process.buffer for f in pair),
        ]
        touched += [process.fill] if process.fill else []
        touched += [self.cells[c] for c in cells]
        said = [t for t in graph.trees if isinstance(t, Ghost)]
        of = {me if ghost.owner == SELF else ghost.owner for ghost in said}
        touched += [f for owner, fields in self.layout.ghosts.items() if owner in of for f in fields]
        if any(ghost.op in ("asked", "ran", "finished") for ghost in said):
            touched += self.layout.waiting
        process.footprint |= sum({f.mask << f.shift for f in touched})
        return process

    def _interrupt(self, thread: Process, handler: Process) -> None:
        """The handler runs on the thread: it has the thread's store buffer, and the thread stands still until it returns."""
        begins = list(handler.graph.next_steps(handler.graph.start))
        if not all(step.op == "pause" or step.guard is not None for step in begins):
            raise self.text.complaint(handler.graph.name, "a handler does not run at its first step", "pause() first")
        handler.is_handler = True
        handler.stored, handler.fill, handler.buffer = thread.stored, thread.fill, thread.buffer
        handler.handlers = list(thread.handlers)
        handler.footprint = sum({other.pc.mask << other.pc.shift for other in handler.handlers})
        for other in (thread, *thread.handlers):
            other.handlers.append(handler)
            other.footprint |= handler.pc.mask << handler.pc.shift

    def _brake(self) -> None:
        """A thread, and what runs on it, stands still while a word of its own that is declared so is not 0."""
        for process in (*self.mutators, *(p for p in self.requesters if p.is_handler)):
            words = [self.cells.get(Cell(process.me, word)) for word in self.text.declared("Suspension")]
            process.brakes = tuple(field for field in words if field)
            for brake in process.brakes:
                process.footprint |= brake.mask << brake.shift

    def _fence(self) -> None:
        """What a thread may do that makes the others' stores visible depends on whether any are on their way."""
        fills = tuple(process.fill for process in self.processes if process.fill)
        for process in self.processes:
            if any(step.op == "fence_others" for step in process.graph.steps):
                process.fences = fills
                process.footprint |= sum(
                    fill.mask << fill.shift for fill in fills if not process.footprint >> fill.shift & 1
                )

    def _start(self) -> int:
        """The initial state: every trigger word is real, everything else as it is declared to begin."""
        state = 0
        for cell, where in self.cells.items():
            state = where.put(state, self.initial_of(cell))
        for process in self.processes:
            privates = {word: self.text.begins(False, word) for word in process.privates}
            activation = Activation(process.graph, process.me, {}, privates, self.reals)
            activation.begin(process)
            process.rest = activation.at.number if activation.at else 0
            state = process.pack(state, activation)
        return state

    def initial_of(self, cell: Cell) -> int:
        word = cell.word.split("[", maxsplit=1)[0]
        begins = self.reals.get(word, self.text.begins(cell.owner == WORLD, word))
        return begins + (self.policy.base if word == "limit" and not self.text.is_custom else 0)

    @cached_property
    def checked_by_all(self) -> list[Cell]:
        """The trigger words of the world that the policy's checks read.  Of such a word any value but the real one fails a check."""
        return [c for c in self.cells if c.owner == WORLD and c.word.split("[")[0] in self.policy.words]

    @cached_property
    def rests(self) -> list[frozenset[int]]:
        """Of each process, the numbers of the steps at which it may stand for ever."""
        right = Model(self.text, self.scope, "", self.policy, self.memory, self.wider) if self.mutant else self
        silent = {place(step) for process in right.processes for step in unended(process.graph, right.widths)}
        return [places(process.graph, self.widths, silent) for process in self.processes]

    def is_quiet(self, state: int) -> bool:
        """Does every process rest?  Then it is no deadlock that none can move."""
        return all(process.pc.get(state) in rest for process, rest in zip(self.processes, self.rests, strict=True))

    @property
    def buffer_was_full(self) -> str:
        """The first store that had to wait, so that a longer store buffer might show more states; "": none had to."""
        return self.layout.buffer_was_full

    def value(self, state: int, owner: int | str, word: str) -> int:
        return self.cells[Cell(owner, word)].get(state)

    def successors(self, state: int) -> Iterator[tuple[int, Process, int]]:
        """Each state that one move leads to: the process that moves, and the delta."""
        for process in self.processes:
            for delta in process.row(state):
                yield state ^ delta, process, delta

    def following(self, state: int) -> Iterator[int]:
        """The same states alone: several times as fast."""
        for process in self.processes:
            row = process.table.get(state & process.footprint)
            for delta in process.row(state) if row is None else row:
                yield state ^ delta

    def places(self) -> tuple[set[str], set[str]]:
        """Steps, both ways of branches, and global claims of the text: all, and those that no state of the search came by.

        Where a place is never reached, every property holds there vacuously.
        """
        everywhere, reached = {*self.claims}, {*self.asked}
        for m in self.processes:
            names = {s.number: f"{s.file}:{s.line} {s.op}" for s in m.graph.steps}
            everywhere.update(names.values())
            reached.update(names[number] for number in m.visited)
            ways = {(t.place, way) for t in m.graph.trees if isinstance(t, If) for way in (True, False)}
            everywhere.update(map(_never, ways))
            reached.update(map(_never, ways & m.branches))
        return everywhere, everywhere - reached


def _never(way: tuple[str, bool]) -> str:
    """A way of an `if` or a `while` that was not taken: its place, and what its condition was."""
    place, taken = way
    return f"{place} where its condition is {'true' if taken else 'false'}"


def _numbered(roles: tuple[str, ...]) -> list[str]:
    """The names of the requesters; two of one role are numbered."""
    return [f"{role} {roles[:i].count(role) + 1}" if roles.count(role) > 1 else role for i, role in enumerate(roles)]
