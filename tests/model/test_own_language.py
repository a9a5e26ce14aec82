"""What an own text can say of its words and its roles, and what that means; `test_spin` has Spin's opinion."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from safepoint.cli.main import cli
from safepoint.graph.ir import Cell
from safepoint.graph.text import ProtocolError, Text
from safepoint.model.custom import read, scopes_of
from safepoint.model.explore import NotExplored
from safepoint.model.roles import roles
from safepoint.model.widths import BELOW, MOST
from tests.model.own_worlds import DEBUGGER, HEAD, MUTATOR, explored, text_of, values

# -- words


def test_a_text_may_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    text_of(tmp_path, MUTATOR, DEBUGGER)
    (marked := tmp_path / "marked.py").write_bytes(b"\xef\xbb\xbf" + (tmp_path / "mine.py").read_bytes())
    assert roles(read(marked)) == ("debugger",)


def test_words_begin_as_they_are_declared(tmp_path: Path) -> None:
    claims = 'def mutator(t: Me) -> None:\n    world.full.load()\n    claim("three", t.j == 3)\n    claim("zero", t.i == 0)\n    return mutator(t)\n'
    result = explored(text_of(tmp_path, claims, DEBUGGER))
    assert not result.broken
    assert values(result, "world", "full") == {2}


def test_adding_is_one_step_and_gives_the_old_value(tmp_path: Path) -> None:
    """Two roles that add to one counter lose nothing: it never is 0 while one of them is between its two steps."""
    adds = 'def {0}() -> None:\n    old = world.count.fetch_add(1)\n    claim("one of two", old < 2)\n    left = world.count.fetch_sub(1)\n    claim("mine", left > 0)\n    return {0}()\n'
    for memory in ("sc", "tso"):
        result = explored(text_of(tmp_path, MUTATOR, adds.format("a"), adds.format("b")), memory=memory)
        assert not result.broken
        assert values(result, "world", "count") == {0, 1, 2}


def test_a_fence_makes_stores_visible(tmp_path: Path) -> None:
    """Dekker: without a fence each may look before its own store has reached memory."""
    side = "def {0}() -> None:\n    world.{1}.store(1)\n{3}    other = world.{2}.load()\n    world.{1}.swap(other + 2)\n    wait(world.{1}.load() == 9)\n    return {0}()\n"
    for memory, fence, both_zero in (("sc", "", False), ("tso", "", True), ("tso", "    fence()\n", False)):
        roles_ = side.format("a", "count", "full", fence), side.format("b", "full", "count", fence)
        text = text_of(tmp_path, MUTATOR.replace("pause()", "t.x.load()"), *roles_)
        text.first["World"]["full"] = 0
        result = explored(text, memory=memory)
        cells = [result.model.cells[Cell("world", word)] for word in ("count", "full")]
        assert any(all(cell.get(state) == 2 for cell in cells) for state in result.reached) == both_zero, (
            memory,
            fence,
        )


@pytest.mark.parametrize("bound", [4, 7, 100, 255])
def test_a_counter_is_followed_to_its_bound(bound: int, tmp_path: Path) -> None:
    counts = f"def mutator(t: Me) -> None:\n    if t.i < {bound}:\n        t.i += 1\n    t.x.store(t.i)\n    return mutator(t)\n"
    assert values(explored(text_of(tmp_path, counts, DEBUGGER)), 0, "x") == set(range(bound + 1))


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("t.i = t.i + 1", "values of i below 256"),
        ("t.x.fetch_add(1)", "values of x below 256"),
        ("n = t.i + 1\n    t.x.store(n)\n    t.i = n", "values of n below 256"),
    ],
)
def test_what_has_no_bound_is_named_where_it_is_computed(line: str, said: str, tmp_path: Path) -> None:
    text = text_of(tmp_path, f"def mutator(t: Me) -> None:\n    {line}\n    pause()\n    return mutator(t)\n", DEBUGGER)
    number = HEAD.count("\n") + 2
    with pytest.raises(
        ProtocolError, match=rf"^mine\.py:{number}:5: nothing keeps the {said}, and a model is finite"
    ) as error:
        explored(text)
    assert "(write instead: a bound: x = x + 1 & 3, or `when(x < 3)` before it)\n    " + line.split("\n", maxsplit=1)[
        0
    ] in str(error.value)
    assert MOST == 8


@pytest.mark.parametrize("line", ["t.x.fetch_sub(1)", "t.i = t.i - 1", "n = t.i - 1\n    t.x.store(n)"])
@pytest.mark.parametrize("memory", ["sc", "tso"])
def test_what_falls_below_0_is_refuted_with_its_path(line: str, memory: str, tmp_path: Path) -> None:
    body = f"def mutator(t: Me) -> None:\n    pause()\n    {line}\n    pause()\n    return mutator(t)\n"
    result = explored(text_of(tmp_path, body, DEBUGGER), memory=memory)
    assert result.broken == BELOW
    assert len(result.path) == (3 if "fetch_sub" in line else 2), "what is local belongs to the step before it"


def test_what_is_below_0_from_the_start_is_refused(tmp_path: Path) -> None:
    text = text_of(
        tmp_path, "def mutator(t: Me) -> None:\n    t.i = 0 - 1\n    pause()\n    return mutator(t)\n", DEBUGGER
    )
    with pytest.raises(ProtocolError, match=r"i would fall below 0 \(write instead: a constant of the text for it"):
        explored(text)


def test_a_full_store_buffer_says_whose_and_what_to_do(tmp_path: Path) -> None:
    text = text_of(tmp_path, "def mutator(t: Me) -> None:\n    t.x.store(1)\n    return mutator(t)\n", DEBUGGER)
    with pytest.raises(
        NotExplored, match=r"with 5 stores: T0 at mine\.py:\d+: t\.x\.store\(1\); .*\(write instead: a locked"
    ):
        explored(text, memory="tso")


def test_a_claim_of_a_case_counts_before_its_access(tmp_path: Path) -> None:
    cases = 'def mutator(t: Me) -> None:\n    match choose():\n        case "a":\n            claim("never", t.j == 2)\n            t.x.load()\n    return mutator(t)\n'
    assert explored(text_of(tmp_path, cases, DEBUGGER)).broken == "never"


# -- who runs


def test_threads_are_compared(tmp_path: Path) -> None:
    stops = "def mutator(t: Me) -> None:\n    for u in threads():\n        if u is not t:\n            u.x.store(1)\n        else:\n            u.y.store(1)\n    return mutator(t)\n"
    result = explored(text_of(tmp_path, stops, DEBUGGER), threads=1)
    assert (
        (values(result, 0, "x"), values(result, 0, "y")) == ({0}, {0, 1})
        if Cell(0, "x") in result.model.cells
        else True
    )
    two = explored(text_of(tmp_path, stops, DEBUGGER), threads=2)
    assert (values(two, 0, "x"), values(two, 1, "y")) == ({0, 1}, {0, 1})
    other = "def debugger() -> None:\n    a = choose(threads())\n    b = choose(threads())\n    when(a is not b)\n    a.x.swap(1)\n    b.y.swap(1)\n    return debugger()\n"
    assert explored(text_of(tmp_path, MUTATOR, other), threads=2).states > 1
    assert explored(text_of(tmp_path, MUTATOR, other), threads=1).states == 1


def test_an_atomic_block_is_one_step(tmp_path: Path) -> None:
    moves = "def mover() -> None:\n    with atomic():\n        n = world.count.load()\n        when(n == 0)\n        world.count.store(1)\n        wait(world.full.load() == 2)\n        world.full.store(1)\n    with atomic():\n        world.count.swap(0)\n        world.full.fetch_add(1)\n    return mover()\n"
    for memory in ("sc", "tso"):
        result = explored(text_of(tmp_path, MUTATOR, moves), memory=memory)
        pairs = {tuple(result.model.value(s, "world", word) for word in ("count", "full")) for s in result.reached}
        assert (result.broken, pairs) == ("", {(0, 2), (1, 1)})


def test_an_atomic_block_waits_for_all_of_it(tmp_path: Path) -> None:
    stuck = "def mover() -> None:\n    with atomic():\n        world.count.store(1)\n        wait(world.full.load() == 3)\n    return mover()\n"
    result = explored(text_of(tmp_path, MUTATOR, stuck))
    assert values(result, "world", "count") == {0}
    result = explored(text_of(tmp_path, MUTATOR, stuck.replace("== 3", "== 2")))
    assert values(result, "world", "count") == {0, 1}


def test_each_thread_has_its_own_server(tmp_path: Path) -> None:
    serves = "@each_thread\ndef backup(t: Thread) -> None:\n    t.x.store(1)\n    t.x.swap(0)\n    return backup(t)\n"
    result = explored(text_of(tmp_path, MUTATOR.replace("pause()", "t.y.load()"), serves), threads=2)
    assert [p.name for p in result.model.processes] == ["T0", "T1", "backup of T0", "backup of T1"]
    assert result.states == 2 * 2
    own = text_of(tmp_path, MUTATOR, serves.replace("t.x.store(1)", "t.i = 1").replace("Thread)", "Me)"))
    with pytest.raises(
        ProtocolError, match=r"^mine\.py:\d+:1: backup: i is the mutator's alone \(write instead: a Word\)"
    ):
        explored(own)


HANDLER = "@handler\ndef preempted(t: Me) -> None:\n    pause()\n    t.i = 1\n    seen = t.x.load()\n    t.y.swap(seen)\n    t.i = 0\n    return preempted(t)\n"
RUNS = 'def mutator(t: Me) -> None:\n    t.x.store(1)\n    claim("not inside", t.i == 0)\n    t.x.swap(0)\n    return mutator(t)\n'


@pytest.mark.parametrize("memory", ["sc", "tso"])
def test_a_handler_runs_between_any_two_steps_with_the_threads_words_and_buffer(memory: str, tmp_path: Path) -> None:
    """It sees the thread's own store before any other thread does, and the thread never runs while it is in it."""
    result = explored(text_of(tmp_path, RUNS, HANDLER), threads=2, memory=memory)
    assert not result.broken
    model = result.model
    assert values(result, 0, "y") == {0, 1}
    assert model.processes[2].privates["i"] is model.mutators[0].privates["i"]
    early = [
        s
        for s in result.reached
        if model.value(s, 1, "y") == 1 and model.mutators[1].pc.get(s) != model.mutators[1].rest
    ]
    assert early
    seen = model.processes[2].locals["preempted.seen"]
    assert any(seen.get(s) and not model.value(s, 0, "x") for s in result.reached) == (memory == "tso")
    steps = {(model.mutators[0].pc.get(s), model.processes[2].pc.get(s)) for s in result.reached}
    assert len(steps) == len(model.mutators[0].graph.steps) * len(model.processes[2].graph.steps)


def test_a_handler_that_has_begun_must_end_first(tmp_path: Path) -> None:
    """It waits for its own thread, which stands still."""
    waits = "@handler\ndef preempted(t: Me) -> None:\n    pause()\n    wait(t.x.load() == 1)\n    return preempted(t)\n"
    assert explored(text_of(tmp_path, RUNS, waits)).broken == "no-deadlock"
    first = HANDLER.replace("    pause()\n    t.i = 1\n", "")
    with pytest.raises(
        ProtocolError, match=r"preempted: a handler does not run at its first step \(write instead: pause"
    ):
        explored(text_of(tmp_path, RUNS, first))


def test_two_handlers_of_a_thread_do_not_interrupt_each_other(tmp_path: Path) -> None:
    other = HANDLER.replace("preempted", "sampled")
    result = explored(text_of(tmp_path, RUNS, HANDLER, other))
    both = [s for s in result.reached if all(h.pc.get(s) != h.rest for h in result.model.requesters)]
    assert not both


def test_a_suspended_thread_stands_still_wherever_it_is(tmp_path: Path) -> None:
    freezes = 'def debugger() -> None:\n    t = choose(threads())\n    t.held.swap(1)\n    first = t.y.load()\n    second = t.y.load()\n    claim("stands still", first == second)\n    t.held.swap(0)\n    return debugger()\n'
    runs = "def mutator(t: Me) -> None:\n    t.y.swap(1)\n    t.y.swap(0)\n    return mutator(t)\n"
    for threads in (1, 2):
        result = explored(text_of(tmp_path, runs, freezes), threads=threads, memory="tso")
        assert not result.broken
        held = {(result.model.value(s, 0, "held"), result.model.mutators[0].pc.get(s)) for s in result.reached}
        assert held == {(h, pc) for h in (0, 1) for pc in (0, 1)}
    stores = explored(text_of(tmp_path, runs.replace("swap(1)", "store(1)"), freezes), memory="tso")
    assert stores.broken == "stands still"  # its store reaches memory while it is held


# -- the texts that were read in part


OWN = Path(__file__).parent / "data" / "own_texts"
LACKS = {
    "ob2": r"ob2\.py:64:1: backup: it is not called, and it is no role: it has a parameter \(write instead: @each_thread above",
    "ob3": r"ob3\.py:64:1: backup: it is not called, and it is no role: it does not come round \(write instead: return backup\(\)",
}


@pytest.mark.parametrize("name", LACKS)
def test_a_function_that_is_no_role_is_refused_with_what_it_lacks(name: str) -> None:
    with pytest.raises(ProtocolError, match=LACKS[name]):
        scopes_of(Text((OWN / f"{name}.py",)))


@pytest.mark.parametrize("kind", ["handler", "each_thread"])
def test_guest_code_is_no_role_of_its_thread(kind: str, tmp_path: Path) -> None:
    with pytest.raises(ProtocolError, match=f"mutator: guest code is no {kind}: it is what the thread runs"):
        roles(text_of(tmp_path, f"@{kind}\n{MUTATOR}", DEBUGGER))


def test_functions_that_call_only_each_other_are_refused(tmp_path: Path) -> None:
    a = "def a() -> None:\n    pause()\n    return b()\n"
    with pytest.raises(ProtocolError, match=r"^mine\.py:\d+:1: a: no role calls it, so it is not explored"):
        roles(text_of(tmp_path, MUTATOR, DEBUGGER, a, "def b() -> None:\n    return a()\n"))


def test_a_role_may_be_an_endless_loop(tmp_path: Path) -> None:
    loop = "def debugger() -> None:\n    while True:\n        world.count.swap(1)\n        world.count.swap(0)\n"
    assert explored(text_of(tmp_path, MUTATOR, loop)).states == 2
    ends = (
        loop.replace("        world.count.swap(0)\n", "        if t_is_done():\n            break\n")
        + "\n\ndef t_is_done() -> int:\n    return 1\n"
    )
    with pytest.raises(
        ProtocolError,
        match=r"^mine\.py:\d+:1: debugger: a role of the model must not end \(write instead: return debugger\(\)",
    ):
        explored(text_of(tmp_path, MUTATOR, ends))


@pytest.mark.parametrize(("name", "most"), [("mask7", 7), ("when6", 6)])
def test_a_counter_above_3_is_explored(name: str, most: int) -> None:
    result = explored(Text((OWN / f"{name}.py",)))
    assert not result.broken
    assert {result.model.mutators[0].privates["mine"].get(state) for state in result.reached} == set(range(most + 1))


def test_a_counter_that_is_claimed_to_stay_below_4_and_does_not() -> None:
    result = explored(Text((OWN / "w1.py",)))
    assert result.broken == "below-four"
    assert len(result.path) - 1 == 5


def test_what_was_decided_before_a_buffer_was_full_is_shown(tmp_path: Path) -> None:
    stores = 'def mutator(t: Me) -> None:\n    t.x.store(1)\n    if mutant("m", breaks="R"):\n        t.y.store(1)\n    return mutator(t)\n'
    path = text_of(tmp_path, stores, DEBUGGER).files[0]
    done = CliRunner().invoke(cli, ["explore", "--protocol", str(path), "--mutant", "m"])
    assert done.exit_code == 2
    assert re.search(r"debugger-1 │ 1 +│ sc .*│ survives", done.output)
    said = r"^safepoint: debugger-1 tso: not explored: a store buffer was full, with 5 stores: T0 at mine\.py:\d+: "
    assert re.search(said, done.output, re.MULTILINE)
