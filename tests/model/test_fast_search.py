"""The search over arrays finds what the reference finds: the same states in the same order, the same counts, the same path."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from bench import explorers
from safepoint.cli.main import cli
from safepoint.graph.text import Text
from safepoint.model import engines, explore
from safepoint.model.engines import ENGINES, NoEngine, engine
from safepoint.model.explore import Judge, NotExplored, Result, Violation
from safepoint.model.properties import Properties
from safepoint.model.scopes import Scope, chosen
from safepoint.model.system import Model
from safepoint.verify.kept import NotUsable
from tests.model.counterexamples import IN_THE_END, mutated
from tests.model.pinned import CAUGHT

pytest.importorskip("numpy", reason="the search over arrays needs numpy (pip install numpy)")

from safepoint.model.fast import search as arrays
from safepoint.model.fast import table as hashing

TEXT = Text()
LIMIT_ONLY = Path(__file__).parent / "data" / "limit_only.py"
MOST = 3_000  # states of one search: there are many searches
LARGEST = 30_000  # states of one that must come to its end
MEMORIES = ("sc", "tso")
STUCK = """
class Thread:
    pending: Word
class Me(Thread):
    turn: int
class World:
    stop: Word
world: World
def mutator(t: Me) -> None:
    match choose():
        case "once":
            t.pending.store(1)
        case "again":
            t.pending.fetch_or(1)
    wait(world.stop.load() == 1)
    world.stop.store(1)
    return mutator(t)
"""


def good(_state: int) -> None:
    return None


def small(threads: int = 2) -> Model:
    return Model(Text((LIMIT_ONLY,)), Scope("limit-only", "", threads, ("coordinator",), ""))


def found(search: engines.Search, model: Model, judge: Judge, most: int = MOST) -> Result | str:
    try:
        return search(model, judge, most)
    except NotExplored as why:
        return str(why)


def told(result: Result | str) -> object:
    """All that a search tells, but for its time."""
    if isinstance(result, str):
        return result
    r = result
    return r.states, r.transitions, r.depth, r.broken, r.detail, r.path, list(r.reached)


def assert_same(model: Model, most: int = MOST) -> Result | str:
    """Both searches of the same model; the second works all of it out again."""
    expected = found(explore.search, model, Properties(model).judge, most)
    model.layout.buffer_was_full = ""
    for process in model.processes:
        process.table.clear()
        process.broken.clear()
    assert told(found(arrays.search, model, Properties(model).judge, most)) == told(expected)
    return expected


@pytest.mark.parametrize("memory", MEMORIES)
@pytest.mark.parametrize("scope", chosen("tiny"), ids=lambda s: s.name)
def test_the_same_states_in_the_same_order(scope: Scope, memory: str) -> None:
    assert_same(Model(TEXT, scope, memory=memory))


@pytest.mark.parametrize("mutant", TEXT.mutants)
def test_the_same_counterexample(mutant: str) -> None:
    """Where it is caught, so that there is one; a mutant of what happens in the end has none before that."""
    result = assert_same(mutated(mutant), LARGEST)
    assert isinstance(result, Result)
    assert result.broken == ("" if mutant in IN_THE_END else CAUGHT[mutant][2])


def test_states_of_several_lanes_are_among_those() -> None:
    """Two at least, with this number of threads under TSO; a memory model is the cheapest way to a state of over 64 bits."""
    assert all(Model(TEXT, scope, memory="tso").bits > hashing.LANE for scope in chosen("tiny")[:3])


def test_nobody_can_move(tmp_path: Path) -> None:
    (tmp_path / "stuck.py").write_text(STUCK)
    models = [Model(Text((tmp_path / "stuck.py",)), Scope("stuck", "", 2, (), "")) for _ in range(2)]
    results = [found(search, m, good) for search, m in zip((explore.search, arrays.search), models, strict=True)]
    assert told(results[0]) == told(results[1])
    assert isinstance(results[0], Result)
    assert results[0].broken == "no-deadlock"


@pytest.mark.parametrize("chunk", [1, 7, 1 << 20])
def test_chunks_do_not_show(chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrays, "CHUNK", chunk)
    seen = list(explore.search(small(1), good).reached)
    for last in (seen[-1], seen[len(seen) // 2]):

        def judge(state: int, last: int = last) -> Violation | None:
            return Violation("last", "it is") if state == last else None

        assert told(found(arrays.search, small(1), judge)) == told(found(explore.search, small(1), judge))


def test_a_state_that_was_reached_is_in_reached() -> None:
    result = arrays.search(small(), good, 20_000)
    assert result.model.initial in result.reached
    assert next(reversed(list(result.reached))) in result.reached
    assert (1 << result.model.bits) - 1 not in result.reached


def test_too_many_states_are_no_verdict() -> None:
    message = found(arrays.search, small(), good, 1_000)
    assert message == found(explore.search, small(), good, 1_000)
    assert "more than 1,000 states" in str(message)


def test_out_of_memory_is_no_verdict(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise MemoryError("no room for 3 GiB")

    monkeypatch.setattr(hashing.Numbered, "_make_room", full)
    with pytest.raises(NotExplored, match=r"out of memory \(no room for 3 GiB\)"):
        arrays.search(small(), good)


def test_a_full_store_buffer_is_no_verdict() -> None:
    model = small()
    model.layout.buffer_was_full = "T0"
    with pytest.raises(NotExplored, match="buffer"):
        arrays.search(model, good, 20_000)


def test_progress_is_told_after_each_level() -> None:
    ours, theirs = list[tuple[int, int]](), list[tuple[int, int]]()
    arrays.search(small(), good, 20_000, lambda *at: ours.append(at))
    explore.search(small(), good, 20_000, lambda *at: theirs.append(at))
    assert ours == theirs


# ---------------------------------------------------------------------------------------------- sets of keys


@given(st.data(), st.integers(1, 3), st.integers(1, 6))
def test_keys_are_numbered_as_they_come(data: st.DataObject, lanes: int, bits: int) -> None:
    """Few seats and keys that differ in few bits: nearly every key finds its seat taken."""
    widest = (1 << hashing.LANE * lanes - 1) - 1
    keys = st.one_of(st.integers(0, 40), st.integers(0, widest), st.integers(0, 40).map(lambda n: widest - (n << 56)))
    ours, expected = hashing.Numbered(lanes, bits), dict[int, int]()
    for batch in data.draw(st.lists(st.lists(keys, max_size=60), max_size=4)):
        new = [i for i, key in enumerate(batch) if key not in expected and key not in batch[:i]]
        for i in new:
            expected[batch[i]] = len(expected)
        packed = hashing.pack(batch, lanes)
        assert hashing.unpack(packed) == batch
        numbers, found_new = ours.number(packed)
        assert found_new.tolist() == new
        assert numbers.tolist() == [expected[key] for key in batch]


@pytest.mark.parametrize("bits", [1, 63, 64, 127, 128])
def test_no_key_looks_like_a_free_seat(bits: int) -> None:
    lanes = hashing.lanes_for(bits)
    ones, seats = hashing.pack([(1 << bits) - 1], lanes), hashing.Numbered(lanes)
    assert [seats.add(ones).tolist() for _ in range(2)] == [[0], []]


# ---------------------------------------------------------------------------------------------- which engine


def test_each_engine_by_its_name() -> None:
    assert engine("python") is explore.search
    assert engine("numpy") is arrays.search
    assert len({told(engine(name)(small(), good))[:3] for name in ENGINES}) == 1  # type: ignore[index]


@pytest.mark.parametrize(("most", "which"), [(100, "python"), (1_000, "numpy")])
def test_a_small_model_needs_no_arrays(most: int, which: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The model has 268 states with one thread, and 14,622 with two."""
    monkeypatch.setattr(engines, "SMALL", 300)
    assert isinstance(engine()(small(1), good).reached, dict)
    if which == "numpy":
        assert isinstance(engine()(small(2), good).reached, arrays.Reached)
    with pytest.raises(NotExplored, match=f"more than {most:,} states"):
        engine()(small(2), good, most)


def test_without_numpy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr("safepoint.model.fast.search")
    monkeypatch.setitem(sys.modules, "safepoint.model.fast.search", None)
    monkeypatch.setattr(engines, "SMALL", 100)
    assert isinstance(engine()(small(1), good).reached, dict)
    with pytest.raises(NoEngine, match="pip install"):
        engine("numpy")
    said = engines.said_slow()
    assert said.startswith("no numpy here: ")
    assert said.endswith(" (pip install numpy): the reference search explores the scopes of more than 100 states too")


def test_with_numpy_nothing_is_slow() -> None:
    assert engines.said_slow() == ""


@pytest.mark.parametrize("command", ["verify", "mutate", "orders"])
def test_a_long_command_says_at_once_that_numpy_is_missing(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before it has any worker."""

    def begins(*_: object) -> None:
        raise NotUsable("begins")

    monkeypatch.setattr("safepoint.model.engines.said_slow", lambda: "no numpy here")
    monkeypatch.setattr("safepoint.verify.workers.workers", begins)
    result = CliRunner().invoke(cli, [command])
    assert (result.exit_code, result.output.count("no numpy here")) == (2, 1)


# ---------------------------------------------------------------------------------------------- other tools


def test_the_promela_by_hand_has_as_many_states(tmp_path: Path) -> None:
    try:
        theirs = explorers.spin(2, tmp_path)()
    except explorers.Missing as missing:
        pytest.skip(str(missing))
    ours = arrays.search(small(2), good)
    assert (theirs.states, theirs.transitions) == (ours.states, ours.transitions)
