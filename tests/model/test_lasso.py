"""Where a request may never be seen: the loop that shows it; and the traps after which something can never happen.

The loops here are known beforehand, from texts and policies that are made for it: each states how it is known.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path as File
from xml.etree import ElementTree as ET

import pytest
from click.testing import CliRunner

from safepoint.cli.main import cli
from safepoint.graph.text import Text
from safepoint.model.bounds import bound_of, kinds_of, lasso_of
from safepoint.model.counterexample import AGAIN, counterexample
from safepoint.model.eventually import EVENTUALLY, NEVER, check_liveness, goals, kept
from safepoint.model.explore import Result, Violation, search
from safepoint.model.path import Path, ReplayError, path_of, replay
from safepoint.model.properties import Properties
from safepoint.model.scopes import SCOPES
from safepoint.model.system import Model
from safepoint.protocol import TRIGGERS, files
from safepoint.protocol.policies import FOLDED, GO, HOTSPOT, OCAML, POLICIES, PYPY, SKYBISON, YARV
from safepoint.protocol.policy import Bound, Policy
from safepoint.show import report as page
from safepoint.show import svg
from safepoint.show.lanes import source_of
from safepoint.verify.explore import Decision
from safepoint.verify.report import Report

TEXT = Text()
NS = "{http://www.w3.org/2000/svg}"

PUSH_ONLY = replace(FOLDED, words=("limit",), declared=Bound(frames=1, back_edges=None))
"""A VM that is asked by its stack limit alone: what `word-forgotten` makes of ours, and no mistake if that is what it claims."""

REFILLED = "ticker-refilled"
"""A ticker that begins anew instead of running out, so that a poison that the owner's store has overwritten is never healed."""


@pytest.fixture(scope="module")
def refilled(tmp_path_factory: pytest.TempPathFactory) -> Text:
    """The same as a text of its own, in which it is no mutant."""
    ours = files(PYPY.trigger)
    file = tmp_path_factory.mktemp("text") / "ticker.py"
    source = TRIGGERS[PYPY.trigger].read_text(encoding="utf-8")
    asked = 'if mutant("ticker-refilled", breaks="EXPIRED-IS-SEEN"):'
    assert source.count(asked) == 2
    file.write_text(source.replace(asked, "if left == 1:"), encoding="utf-8")
    return Text(tuple(file if path.name == file.name else path for path in ours), {file: TRIGGERS[PYPY.trigger]})


def explored(text: Text, policy: Policy, mutant: str = "", scope: str = "interrupt-1") -> Result:
    """All of it, and no property of a single state broken: whatever is wrong is for the bound to say."""
    model = Model(text, SCOPES[scope], mutant, policy)
    result = search(model, Properties(model).judge)
    assert result.broken == ""
    return result


def lasso(result: Result, kind: str) -> Path | None:
    found = lasso_of(result.model, result, kind)
    return path_of(found) if found else None


def loop_of(path: Path) -> list[str]:
    """The loop's statements, with the thread before each."""
    assert path.loop is not None
    return [f"{step.move.who} {source_of(step)}" for step in path.steps[path.loop :]]


def test_a_loop_without_a_check_of_the_limit_goes_on_for_ever() -> None:
    """Known: a push reads the limit, so the next one sees; a back-edge reads its entry, which no requester poisons.  So the shortest
    loop is one back-edge, and the shortest way to it one whole post: request, limit, wake."""
    result = explored(TEXT, PUSH_ONLY, "word-forgotten")
    assert bound_of(result.model, result) == PUSH_ONLY.declared
    assert not PUSH_ONLY.declared.within(FOLDED.declared)
    assert lasso(result, "frames") is None
    path = lasso(result, "back_edges")
    assert path is not None
    assert [step.move.who for step in path.steps] == ["interrupter"] * 3 + ["T0"]
    assert loop_of(path) == ["T0 if word.load() == word.poison"]
    assert path.steps[-1].changes == ()
    assert path.detail == "T0 checks 1 time a round (back-edge), and never sees INTERRUPT"


@pytest.mark.parametrize("policy", [SKYBISON, GO], ids=lambda policy: policy.name)
def test_a_loop_that_pushes_no_frame_is_never_asked_where_loops_check_nothing(policy: Policy) -> None:
    """Known: a back-edge of theirs is no step of the protocol at all, so the shortest loop is one, after a whole post."""
    result = explored(TEXT, policy)
    assert bound_of(result.model, result) == policy.declared == Bound(1, None)
    assert lasso(result, "frames") is None
    path = lasso(result, "back_edges")
    assert path is not None
    assert [step.move.who for step in path.steps] == ["interrupter"] * 3 + ["T0"]
    assert path.loop == 3
    assert path.steps[-1].move.cases.split(", ")[0] == "back-edge"
    assert path.steps[-1].changes == ()
    assert path.detail == "T0 goes round by back-edge, where it checks nothing, and never sees INTERRUPT"


@pytest.mark.parametrize("policy", [YARV, HOTSPOT], ids=lambda policy: policy.name)
def test_where_returns_check_and_pushes_do_not_a_stack_that_is_full_is_unwound_unseen(policy: Policy) -> None:
    """Known: a push, and one that overflows and unwinds: neither is a return."""
    result = explored(TEXT, policy)
    assert bound_of(result.model, result) == policy.declared == Bound(None, 1, returns=1)
    assert lasso(result, "returns") is None
    path = lasso(result, "frames")
    assert path is not None
    assert path.loop == len(path.steps) - 2
    assert [step.move.cases.split(", ")[0] for step in path.steps[-2:]] == ["push", "push"]
    assert path.detail == "T0 goes round by frame, where it checks nothing, and never sees INTERRUPT"


@pytest.mark.parametrize("policy", [YARV, HOTSPOT], ids=lambda policy: policy.name)
def test_a_return_that_checks_nothing_is_the_check_in_the_loop(policy: Policy) -> None:
    """It changes what a push that overflows changes too; the loop shows the check for which there is a declared bound."""
    result = explored(TEXT, policy, "checks-at-loops-only")
    assert bound_of(result.model, result) == Bound(None, 1)
    path = lasso(result, "returns")
    assert path is not None
    assert [step.move.cases.split(", ")[0] for step in path.steps[-2:]] == ["push", "pop"]
    assert path.detail == "T0 checks 1 time a round (return; frame: no check), and never sees INTERRUPT"


def test_recursion_that_allocates_nothing_has_no_bound_where_allocations_check() -> None:
    """Known: a push and a return, since neither is a check; a loop and an allocation see at once."""
    result = explored(TEXT, OCAML)
    assert bound_of(result.model, result) == OCAML.declared == Bound(None, 1, allocations=1)
    path = lasso(result, "frames")
    assert path is not None
    assert len(path.steps) - (path.loop or 0) == 2


@pytest.mark.parametrize("period", [1, 2, 3])
def test_a_ticker_that_never_runs_out_goes_on_for_ever(period: int) -> None:
    """Known: it comes round after `period` back-edges, each a load and a store, by the owner alone; and to get there takes the
    owner's load, the three steps of the post, and the owner's store over the poison."""
    policy = replace(PYPY, period=period, declared=Bound(period, period))
    result = explored(TEXT, policy, REFILLED)
    assert bound_of(result.model, result) == Bound(None, None)
    path = lasso(result, "back_edges")
    assert path is not None
    assert path.loop == 5
    store = "T0 t.ticker.store"
    assert [told.replace(store, "").split("(")[0] for told in loop_of(path)] == ["T0 left = t.ticker.load", ""] * period
    assert f"T0 checks {period} time" in path.detail


def test_pushes_alone_go_on_for_ever_too() -> None:
    """Known: with two checks to a round and room for one frame, a push and one that overflows lead back to where they began."""
    path = lasso(explored(TEXT, PYPY, REFILLED), "frames")
    assert path is not None
    assert path.loop == 5
    assert [step.move.cases for step in path.steps[5:]] == ["push", "", "push", ""]
    assert path.detail == "T0 checks 2 times a round (frame), and never sees INTERRUPT"


def test_the_check_in_a_loop_is_that_of_the_thread_that_is_late() -> None:
    """Where nothing changes, any thread's back-edge leads from the state to itself; only T1 owes an answer."""
    model = Model(TEXT, SCOPES["interrupt-2"], "word-forgotten")
    asked = search(model, lambda state: Violation("asked", "T1") if model.value(state, 1, "wake") else None)
    path = path_of(replace(asked, broken="declared-bound", path=(*asked.path, asked.path[-1])))
    assert loop_of(path) == ["T1 if word.load() == word.poison"]
    assert path.detail == "T1 checks 1 time a round (back-edge), and never sees INTERRUPT"


@pytest.mark.parametrize("policy", ["folded", "pypy"])
def test_where_there_is_a_bound_there_is_no_lasso(policy: str) -> None:
    result = explored(TEXT, POLICIES[policy])
    for kind in kinds_of(result.model):
        assert lasso_of(result.model, result, kind) is None


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        ("requester.py", "post(t, STOP)\n\n\ndef start_world", "pass\n\n\ndef start_world"),  # the thread is not told
        ("requester.py", "post(t, STOP)\n\n\ndef start_world", "post(t, SAMPLE)\n\n\ndef start_world"),
        ("owner.py", "park(t)                                         # STOP-PARKS", "pass"),  # it is told, and goes on
    ],
)
def test_a_stop_that_a_coordinator_waits_with_is_held_to_the_bound_too(
    name: str, before: str, after: str, tmp_path: File
) -> None:
    """Where trigger words may be overwritten nothing else says that it is seen: native code, in the end, comes to a stop all the same."""
    ours = files(PYPY.trigger)
    source = next(path for path in ours if path.name == name).read_text(encoding="utf-8")
    assert source.count(before) == 1
    (tmp_path / name).write_text(source.replace(before, after), encoding="utf-8")
    changed = Text(tuple(tmp_path / name if path.name == name else path for path in ours))
    result = explored(changed, PYPY, scope="stop-1")
    assert bound_of(result.model, result) == Bound(frames=None, back_edges=None)
    found = lasso(result, "frames")
    assert found is not None
    assert found.detail.endswith("never sees the stop that a coordinator waits with")


@pytest.mark.parametrize("mutant", ["word-forgotten", "take-before-restore"])
def test_a_lasso_is_made_of_moves_and_nothing_is_seen_in_its_loop(mutant: str) -> None:
    """Walked again by the model's own moves, in a text whose always-properties are broken too, and not asked here."""
    model = Model(TEXT, SCOPES["both-1"], mutant)
    result = search(model, lambda _: None)
    found = lasso_of(model, result, "back_edges")
    assert found is not None
    states, loop = found.path, found.path.index(found.path[-1])
    assert states[0] == model.initial
    for before, after in pairwise(states):
        assert after in {new for new, _, _ in model.successors(before)}
    assert len(set(states[:-1])) == len(states) - 1
    owed = [model.owed[0].get(state) for state in states[loop:]]
    assert all(kinds & owed[0] for kinds in owed)
    assert len(set(owed)) == 1
    mine = [step for step in path_of(found).steps[loop:] if step.move.who == "T0"]
    assert any("back-edge" in step.move.cases for step in mine)


# ---------------------------------------------------------------------------------------------- shown and replayed


@pytest.fixture
def path(refilled: Text) -> Path:
    found = lasso(explored(refilled, PYPY), "back_edges")
    assert found is not None
    return found


def test_the_text_says_where_the_loop_begins(refilled: Text) -> None:
    result = explored(refilled, PYPY)
    found = lasso_of(result.model, result, "back_edges")
    assert found is not None
    lines = counterexample(found, found.model.text).splitlines()
    assert (
        lines[1]
        == "declared-bound: A request is seen within the number of checks that the policy declares; so is a stop that a coordinator waits with."
    )
    here = next(n for n, line in enumerate(lines) if AGAIN in line)
    assert lines[here - 1].split()[0] == "5"
    assert [line.split()[0] for line in lines[here + 1 : here + 5]] == ["6", "7", "8", "9"]
    assert (
        lines[here + 5].strip() == "-> declared-bound: T0 checks 2 times a round (back-edge), and never sees INTERRUPT"
    )


def test_a_lasso_replays_with_its_loop(refilled: Text, path: Path) -> None:
    again = replay(refilled, path.replay)
    assert (again.steps, again.loop, again.broken, again.detail) == (path.steps, 5, "declared-bound", path.detail)
    with pytest.raises(ReplayError, match=r"from step 6, does not lead back: .* the protocol's text has changed"):
        replay(TEXT, path.replay)  # in which the ticker runs out


def test_a_loop_that_does_not_come_round_is_an_error(refilled: Text, path: Path) -> None:
    stem, loop = path.replay.split("@")
    with pytest.raises(ReplayError, match="the loop of the path, from step 1, does not lead back"):
        replay(refilled, path.replay.replace("//", "//@").replace(f"@{loop}", loop))
    with pytest.raises(ReplayError, match="is not a path"):
        replay(refilled, f"{stem}@~{loop.split('~')[1]}")


def test_a_loop_in_which_nothing_is_owed_breaks_nothing() -> None:
    """A back-edge of a thread that no requester has asked for anything."""
    model = Model(TEXT, SCOPES["interrupt-1"])
    idle = path_of(Result(model, 0, 0, 1, 0.0, "declared-bound", path=(model.initial, model.initial)))
    assert (idle.loop, idle.detail) == (0, "")
    assert replay(TEXT, idle.replay).broken == ""


def test_the_command_replays_a_loop(path: Path) -> None:
    done = CliRunner().invoke(cli, ["replay", "--protocol", str(path.model.text.files[4]), path.replay])
    assert done.exit_code == 1
    assert AGAIN in done.stdout
    assert path.detail in done.stdout


def test_the_picture_brackets_the_loop(path: Path) -> None:
    root = ET.fromstring(svg.picture(path, path.model.text))
    said = [t.text for t in root.iter(f"{NS}text")]
    assert AGAIN in said
    assert "broken by this loop: declared-bound" in said
    bracket = list(root.iter(f"{NS}polyline"))
    assert len(bracket) == 1
    heights = [float(point.split(",")[1]) for point in (bracket[0].get("points") or "").split()]
    boxes = [r for r in root.iter(f"{NS}rect") if r.findtext(f"{NS}title")]
    middles = [float(r.get("y", "0")) + float(r.get("height", "0")) / 2 for r in boxes]
    assert [min(heights) < middle < max(heights) for middle in middles] == [False] * 5 + [True] * 4
    assert not [r for r in boxes if float(r.get("stroke-width", "0")) > 2]  # no single step is to blame


def test_the_page_shows_it(refilled: Text) -> None:
    result = explored(refilled, PYPY)
    found = lasso_of(result.model, result, "frames")
    assert found is not None
    late = Decision(found, PYPY, bound_of(result.model, result))
    source = page.html(Report(failures=[late]), refilled, [])
    assert source.count("<svg ") == 1
    assert (
        source.index("pypy declares frames 2, back-edges 2, and has frames unbounded, back-edges unbounded")
        < source.index("declared-bound: A request is seen within")
        < source.index("broken by this loop")
        < source.index("Every state of the protocol")
    )


def test_the_page_finds_a_mutant_where_it_was_caught() -> None:
    found = page.find_again(TEXT, mutant="reenter-unfenced", scope="stop-1", memory="tso")
    assert (found.model.mutant, found.model.scope.name, found.model.memory) == ("reenter-unfenced", "stop-1", "tso")
    assert found.broken == "world-stopped"


# ---------------------------------------------------------------------------------------------- traps


@pytest.mark.parametrize(("mutant", "scope"), [("stays-stopped", "stop-1"), ("never-restored", "interrupt-1")])
def test_a_trap_is_told_in_words(mutant: str, scope: str) -> None:
    """The number of states that can follow is that of a search that begins in the trap; its goal is met in none of them."""
    model = Model(TEXT, SCOPES[scope], mutant)
    result = check_liveness(search(model, Properties(model).judge))
    path = path_of(result)
    assert path.broken in EVENTUALLY
    condition = result.detail.partition(": ")[2]
    (asked,) = (each for each in goals(model) if each.assumption.says == condition)
    beyond, todo = {result.path[-1]}, [result.path[-1]]
    while todo:
        state = todo.pop()
        fresh = {state ^ delta for process in kept(model, asked.assumption) for delta in process.row(state)} - beyond
        beyond |= fresh
        todo += fresh
    assert path.detail.startswith(f"from here on, {condition}, ")
    assert path.detail.endswith(f" (all {len(beyond):,} states that can follow were looked at)")
    missed = [goal for name, _, goal in asked.goals if name == path.broken]
    assert any(not any(map(goal, beyond)) for goal in missed)
    assert replay(TEXT, path.replay).detail == path.detail


def test_every_property_of_the_end_has_its_words() -> None:
    assert set(NEVER) == set(EVENTUALLY)
