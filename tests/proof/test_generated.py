"""An argument for any number of threads that holds is never contradicted by a larger number: small generated texts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, note, settings

from safepoint.graph.ir import WORLD
from safepoint.graph.text import ProtocolError, Text
from safepoint.model.fields import Field
from safepoint.model.process import Process
from safepoint.model.scopes import Scope
from safepoint.model.system import Model
from safepoint.proof.any_number import accesses, argument, resized
from tests.generated.texts import HEAD, ROLES, texts

MOST = 3_000
"""States of a larger world that are explored: all that are found must be known from the world of one."""
SCOPE = Scope("generated", "tiny", 1, ROLES, "for generated texts", widths=())


def model_of(source: str, where: Path) -> Model:
    path = where / "generated.py"
    path.write_text(source)
    return Model(Text((path,)), SCOPE)


def states(model: Model, most: int) -> set[int]:
    """States that are reached, the nearest first; all of them if there are fewer than `most`."""
    found, todo = {model.initial}, [model.initial]
    for state in todo:
        for new, _, _ in model.successors(state):
            if new not in found and len(found) < most:
                found.add(new)
                todo.append(new)
    return found


def seen(model: Model, reached: set[int], process: Process) -> set[tuple[int, ...]]:
    """What a thread sees of the states: where it stands, its locals, and the words that it reads."""
    cells = {cell: model.cells[cell] for cell in accesses(process, reads=True)}
    own = [cells[c] for c in sorted(cells, key=lambda c: (c.owner == WORLD, c.word))]
    fields: list[Field] = [process.pc, *process.locals.values(), *process.privates.values(), *own]
    return {tuple(f.get(state) for f in fields) for state in reached}


def broken(model: Model) -> set[str]:
    """The claims of the text that some step breaks which `states` has made."""
    return {claim for m in model.processes for key in m.table for edge in m.edges(key) for claim in edge.claims}


def contradicted(one: Model, threads: int, most: int = MOST) -> list[str]:
    """What a larger world shows that the world of one does not: nothing, if the argument is right."""
    alone = states(one, 10 * most)
    if len(alone) == 10 * most:
        return []
    many = resized(one, threads)
    reached = states(many, most)
    new = [
        f"{threads} threads: {process.name} sees {len(extra)} states"
        for process in many.mutators
        if (extra := seen(many, reached, process) - seen(one, alone, one.mutators[0]))
    ]
    return new + [f"{threads} threads: {claim} is broken" for claim in sorted(broken(many) - broken(one))]


@pytest.mark.timeout(14_400)  # nightly: 5000 texts; 100 take 5 s
@pytest.mark.parametrize("busy", [False, True], ids=["anything", "busy"])
def test_what_holds_for_any_number_holds_for_the_next(busy: bool, tmp_path: Path, say: Callable[[str], None]) -> None:
    counts = Counter[str]()

    @settings(max_examples=settings().max_examples)
    @given(texts(busy))
    def holds(source: str) -> None:
        counts["texts"] += 1
        try:
            one = model_of(source, tmp_path)
        except ProtocolError:
            return
        counts["compiled"] += 1
        if not argument(one).holds:
            return
        counts["held"] += 1
        note(source)
        for threads in (2, 3, 4):
            assert contradicted(one, threads) == []

    holds()
    kind = "busy texts" if busy else "texts with anything in them"
    say(f"{counts['texts']} {kind}: {counts['compiled']} compiled, {counts['held']} held for any number of threads")
    assert counts["held"] * (4 if busy else 40) > counts["texts"], "next to nothing was put to the test"


# ---------------------------------------------------------------------------------------------- texts that were found


ONLY_THE_FIRST = """

def mutator(t: Me) -> None:
    x = t.b.load()
    claim("asked", x == 0)
    return mutator(t)


def coordinator() -> None:
    asked = 0
    for t in threads():
        if asked < 3:
            asked = asked + 1
            t.a.store(1)
        else:
            t.b.store(1)
    return coordinator()


def requester() -> None:
    pause()
    return requester()
"""
READS_ANOTHER = """

def mutator(t: Me) -> None:
    mine = t.a.load()
    for o in threads():
        x = o.a.load()
        if mine == 1:
            claim("all", x == 1)
    return mutator(t)


def coordinator() -> None:
    pause()
    return coordinator()


def requester() -> None:
    t = choose(threads())
    t.a.store(1)
    return requester()
"""
COUNTS_THREADS = """

def mutator(t: Me) -> None:
    t.n = 0
    for o in threads():
        t.n = t.n + 1 & 3
    claim("few", t.n < 3)
    pause()
    return mutator(t)


def coordinator() -> None:
    pause()
    return coordinator()


def requester() -> None:
    pause()
    return requester()
"""
COMPARES_TWO = """

def mutator(t: Me) -> None:
    pause()
    return mutator(t)


def coordinator() -> None:
    for t in threads():
        t.a.store(1)
    return coordinator()


def requester() -> None:
    x = 0
    match choose():
        case "look":
            t = choose(threads())
            x = t.a.load()
        case "no":
            pause()
    u = choose(threads())
    y = u.a.load()
    if x == 1:
        claim("same", y == 1)
    return requester()
"""
REMEMBERS = """

def mutator(t: Me) -> None:
    pause()
    return mutator(t)


def coordinator() -> None:
    world.g.store(0)
    for t in threads():
        turns = world.g.load()
        claim("few", turns < 2)
        world.g.store(turns + 1 & 3)
    return coordinator()


def requester() -> None:
    pause()
    return requester()
"""


@pytest.mark.parametrize(
    ("source", "threads", "reason"),
    [
        pytest.param(ONLY_THE_FIRST, 4, "asked: a local that the coordinator carries", id="only-the-first-three"),
        pytest.param(READS_ANOTHER, 2, "a: the requester writes it", id="reads-another"),
        pytest.param(COUNTS_THREADS, 3, "a thread's own text names other threads", id="counts-threads"),
        pytest.param(COMPARES_TWO, 2, "the requester treats a thread by what it finds in another", id="compares-two"),
        pytest.param(REMEMBERS, 3, "world.g: in a turn for one thread the coordinator accesses", id="remembers"),
    ],
)
def test_what_a_larger_world_contradicts_is_refused(source: str, threads: int, reason: str, tmp_path: Path) -> None:
    """Each breaks a claim with this number of threads, and with no smaller one."""
    one = model_of(HEAD + source, tmp_path)
    assert [r for r in argument(one).reasons if r.startswith(reason) and "(generated.py:" in r], argument(one).reasons
    fewer = [n for n in range(1, threads) if broken_in(one, n)]
    assert fewer == []
    assert broken_in(one, threads)


SPEAKS_OF_ALL = """

def mutator(t: Me) -> None:
    pause()
    for o in threads():
        posted(o, 1)
    return mutator(t)


def coordinator() -> None:
    pause()
    return coordinator()


def requester() -> None:
    pause()
    return requester()
"""


def test_a_ghost_of_another_thread_is_refused(tmp_path: Path) -> None:
    """It changes what is owed to the other thread, which is no word."""
    (reason,) = argument(model_of(HEAD + SPEAKS_OF_ALL, tmp_path)).reasons
    assert reason.startswith("a thread's own text names other threads (generated.py:"), reason


def broken_in(one: Model, threads: int) -> set[str]:
    model = resized(one, threads)
    assert len(states(model, 10 * MOST)) < 10 * MOST
    return broken(model)
