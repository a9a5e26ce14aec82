"""A second opinion on the targets: whole executions of a small program, and the axioms of the architecture.

Independent of the machine of views and of `effect_of`: what each instruction orders stands here once more, as the relation that the
architecture's manual defines over events.  x86-TSO in the axiomatic form of Owens, Sarkar, Sewell 2009; AArch64's ordered-before of Pulte et al.,
POPL 2018, and Arm ARM B2.3; RVWMO's preserved program order, RISC-V unprivileged manual.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import permutations, product

from safepoint.model.memory.targets import TARGETS
from tests.model.memory import power
from tests.model.memory.litmus import FENCES, Op, Outcome, Program, words_of

INITIAL = -1
"""The thread of the stores that stand in memory at first."""


@dataclass(eq=False)
class Event:
    """A load or a store of one instruction.  `at`: the statement's place in its thread.  `index`: that of the instruction in the thread."""

    thread: int
    at: int
    index: int
    instruction: str
    word: str
    is_store: bool
    value: int = 0  # of a store; of a load, what it gives
    pair: Event | None = None  # of a store, the load that it is attached to


@dataclass
class Thread:
    events: list[Event] = field(default_factory=list)
    instructions: list[str] = field(default_factory=list)
    registers: dict[str, int] = field(default_factory=dict)


BARRIERS = {
    "lock or": "full",
    "dmb ish": "full",
    "fence rw,rw": "full",
    "fence r,rw": "r,rw",
    "fence rw,w": "rw,w",
    "sync": "full",
    "lwsync": "lw",
    "isync": "i",
}


def written(op: Op, old: int) -> int | None:
    """What an operation leaves in its word."""
    match op.op:
        case "swap":
            return op.operands[0]
        case "fetch_or":
            return old | op.operands[0]
        case _:
            return op.operands[1] if old == op.operands[0] else None


def threads_of(program: Program, memory: str, loads: tuple[int, ...]) -> list[Thread]:
    """The program's events, if its loads give these values, one after another."""
    target, values, found = TARGETS[memory], iter(loads), []
    for t, ops in enumerate(program):
        thread = Thread()
        for at, op in enumerate(ops):
            old = next(values) if op.op not in ("store", *FENCES) else 0
            new = op.operands[0] if op.op == "store" else None if op.op in ("load", *FENCES) else written(op, old)
            fails = op.op == "cas" and new is None
            text = target.failed[op.order] if fails else target.table[op.op, op.order]
            accesses: list[int] = []
            for instruction in text.split("; "):
                if op.op not in FENCES and not (instruction in BARRIERS and instruction != "lock or"):
                    accesses.append(len(thread.instructions))
                thread.instructions.append(instruction)
            if op.op in FENCES:
                continue
            if memory == "x86-64":
                accesses = accesses[-1:]  # before a lock cmpxchg, the mov is a guess
            load = None
            if op.op != "store":
                load = Event(t, at, accesses[0], thread.instructions[accesses[0]], op.word, False, old)
                thread.events.append(load)
            if new is not None:
                last = accesses[-1]
                thread.events.append(Event(t, at, last, thread.instructions[last], op.word, True, new, load))
            if op.register:
                thread.registers[op.register] = old if op.op != "cas" else int(not fails)
        found.append(thread)
    return found


def between(thread: Thread, a: Event, b: Event) -> set[str]:
    """The barriers between two events of a thread."""
    return {BARRIERS.get(each, "") for each in thread.instructions[a.index + 1 : b.index]}


def kept(memory: str, thread: Thread, a: Event, b: Event) -> bool:
    """Does the architecture keep b behind a, which precedes it?"""
    if a.pair is b or b.pair is a:
        return True
    if not a.is_store and b.is_store:
        return True  # assumed: else LB, which our machine does not show
    barriers = between(thread, a, b)
    if "full" in barriers:
        return True
    if memory == "x86-64":
        locked = {a.instruction, b.instruction, *thread.instructions[a.index + 1 : b.index]} - {"mov"}
        return bool(locked) or not (a.is_store and not b.is_store)
    if memory == "riscv64":
        by_fence = ("r,rw" in barriers and not a.is_store) or ("rw,w" in barriers and b.is_store)
        aq = a.instruction.endswith((".aq", ".aqrl"))
        rl = b.instruction.endswith((".rl", ".aqrl"))
        return by_fence or aq or rl
    acquiring = ("ldapr", "ldar", "ldaxr")
    a_acquires = not a.is_store and (a.instruction in acquiring or _ends(a, "a", "al"))
    in_turn = not b.is_store and (b.instruction in ("ldar", "ldaxr") or _ends(b, "a", "al"))
    releases = b.is_store and (b.instruction in ("stlr", "stlxr") or _ends(b, "l", "al"))
    released = a.is_store and (a.instruction in ("stlr", "stlxr") or _ends(a, "l", "al"))
    full = a.is_store and _ends(a, "al")  # an atomic that acquires and releases, and has written
    if b.is_store and a.word == b.word:
        return True  # a store stays behind what its thread did to the word before
    ended = b.is_store and any(  # what a release is behind, a later store of its word is behind, too
        each.is_store and each.word == b.word and (each.instruction in ("stlr", "stlxr") or _ends(each, "l", "al"))
        for each in thread.events
        if a.index < each.index < b.index
    )
    middle = any(each.is_store and _ends(each, "al") for each in thread.events if a.index < each.index < b.index)
    return a_acquires or releases or (released and in_turn) or full or middle or ended


LSE = ("ldset", "swp", "cas")


def _ends(event: Event, *ends: str) -> bool:
    return any(event.instruction == stem + end for stem in LSE for end in ends)


def cyclic(pairs: list[tuple[Event, Event]]) -> bool:
    """Does any way lead round?"""
    edges: dict[Event, set[Event]] = {}
    for a, b in pairs:
        edges.setdefault(a, set()).add(b)
    is_open: dict[Event, bool] = {}

    def visit(event: Event) -> bool:
        is_open[event] = True
        if any(is_open.get(after) or (after not in is_open and visit(after)) for after in edges.get(event, ())):
            return True
        is_open[event] = False
        return False

    return any(event not in is_open and visit(event) for event in edges)


def executions(program: Program, memory: str) -> Iterator[Outcome]:
    """The outcomes that the axioms allow."""
    words = words_of(program)
    possible = {0} | {v for ops in program for op in ops for v in op.operands}
    possible |= {a | b for a in possible for b in possible}
    reads = sum(op.op not in ("store", *FENCES) for ops in program for op in ops)
    for loads in product(sorted(possible), repeat=reads):
        threads = threads_of(program, memory, loads)
        events = [e for thread in threads for e in thread.events]
        first = {w: Event(INITIAL, 0, 0, "", w, True) for w in words}
        stores = {w: [e for e in events if e.is_store and e.word == w] for w in words}
        sources = [
            [s for s in (first[e.word], *stores[e.word]) if s.value == e.value and s.pair is not e]
            for e in events
            if not e.is_store
        ]
        for chosen in product(*sources):
            source = dict(zip([e for e in events if not e.is_store], chosen, strict=True))
            for orders in product(*(permutations(stores[w]) for w in words)):
                order = {w: [first[w], *each] for w, each in zip(words, orders, strict=True)}
                if allowed(memory, threads, source, order):
                    registers = {item for thread in threads for item in thread.registers.items()}
                    yield frozenset(registers), tuple((w, order[w][-1].value) for w in words)


def allowed(memory: str, threads: list[Thread], source: dict[Event, Event], order: dict[str, list[Event]]) -> bool:
    """Coherence, atomicity, and one order of all that others can see."""
    place = {e: n for each in order.values() for n, e in enumerate(each)}
    if any(e.pair and place[e] != place[source[e.pair]] + 1 for e in place):
        return False
    communicates = [(a, b) for each in order.values() for n, a in enumerate(each) for b in each[n + 1 :]]
    for load, store in source.items():
        communicates.append((store, load))
        communicates += [(load, e) for e in order[load.word][place[store] + 1 :] if e.pair is not load]
    precedes = [(t, a, b) for t in threads for n, a in enumerate(t.events) for b in t.events[n + 1 :]]
    if memory == "power":
        inside = [*communicates, *((a, b) for _, a, b in precedes if a.word == b.word)]
        return not cyclic(inside) and power.allowed(communicates, [(a, b, between(t, a, b)) for t, a, b in precedes])
    inside = [*communicates, *((a, b) for _, a, b in precedes if a.word == b.word)]
    outside = [(a, b) for a, b in communicates if a.thread != b.thread]
    outside += [(a, b) for t, a, b in precedes if kept(memory, t, a, b)]
    outside += [(store, load) for load, store in source.items() if waits(memory, store, load)]
    return not cyclic(inside) and not cyclic(outside)


def waits(memory: str, store: Event, load: Event) -> bool:
    """What an operation has written is not forwarded to such a load of its own thread."""
    acquires = memory == "riscv64" or load.instruction in ("ldapr", "ldar", "ldaxr") or _ends(load, "a", "al")
    return store.thread == load.thread and store.pair is not None and acquires
