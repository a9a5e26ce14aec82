"""Words that all threads check, as the jumps of policy `patched`: what is asked of them, what commands make of them, what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from safepoint.cli.main import cli
from safepoint.graph.gather import text_of
from safepoint.graph.ir import WORLD, Cell
from safepoint.guest.compiler.program import compile_program
from safepoint.guest.reference.world import World
from safepoint.model.bounds import bound_of
from safepoint.model.explore import search
from safepoint.model.own_policies import PolicyError, find_policy
from safepoint.model.properties import Properties
from safepoint.model.scopes import SCOPES
from safepoint.model.system import Model
from safepoint.protocol.policies import FOLDED, PATCHED
from tests.model.patched import ONE, TEXT, TWO


def test_a_word_of_all_threads_fails_the_check_of_each_unless_it_is_real() -> None:
    """Also while it holds a claim; and a post is under way until it is overwritten."""
    model = Model(TEXT, TWO, policy=PATCHED)
    properties, code = Properties(model), model.cells[Cell(WORLD, "code[0]")]
    assert [properties.poisoned(model.initial, thread) for thread in (0, 1)] == [[False, False]] * 2
    for value in (0, 2, 3):
        state = code.put(model.initial, value)
        assert [properties.poisoned(state, thread)[-1] for thread in (0, 1)] == [True, True]
    reached = search(model, lambda _: None, 200_000).reached
    assert {code.get(state) for state in reached} == {0, 1, 2, 3}


def test_no_other_policy_has_such_a_word() -> None:
    """So its graphs, and its goals, are what they were."""
    model = Model(text_of(FOLDED), SCOPES["interrupt-2"], policy=FOLDED)
    assert model.checked_by_all == []
    assert not any("code" in cell.word for cell in model.cells)


GUEST = "def f(n):\n    while n:\n        n -= 1\n    return n\n\n\nprint(f(30))\n"


def test_the_reference_machine_overwrites_and_puts_back() -> None:
    """It has no compiled code: the word is overwritten by each post, and put back in each slow path."""
    seen = []
    world = World(compile_program(GUEST, "f.py"), 300, policy=PATCHED)
    for n in range(400):
        if n % 7 == 3:
            world.sites[0].go_on(world.sites[0].begin("post", 8))  # SAMPLE
        seen.append(world.words[Cell(WORLD, "code[0]")])
        world.advance(0)
        if world.ended:
            break
    assert world.ended
    assert world.output == "0\n"
    assert {*seen} == {0, 1}
    assert world.counts.slow_entries > 5


def refused(*args: str) -> str:
    result = CliRunner().invoke(cli, args)
    assert (result.exit_code, result.stdout) == (2, "")
    return result.stderr


def test_it_has_no_header() -> None:
    said = refused("emit", "--c", "-p", PATCHED.name)
    assert "policy patched has no header: requesters overwrite jumps that the VM's own compiler emits" in said


OWN = """\
from safepoint.protocol.policy import Bound, Policy

MINE = Policy(
    name="mine",
    title="as patched",
    trigger="patched_jumps",
    sites=("push", "back-edge", "compiled back-edge"),
    words=("limit", "entry", "code"),
    declared=Bound(frames=1, back_edges=1),
    slices=("masks", "loops"),
    widths=(("entry", 1), ("code", 1)),
)
"""
"""A policy of a user's own, with the same trigger."""


def test_a_policy_of_ones_own_may_have_such_words_too(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(OWN)
    mine = find_policy(f"{tmp_path}/own.py:MINE")
    assert (mine.sites, mine.words, mine.slices) == (PATCHED.sites, PATCHED.words, ("masks", "loops"))
    said = refused("emit", "--c", "-p", f"{tmp_path}/own.py:MINE")
    assert "has no header: requesters overwrite jumps that the VM's own compiler emits" in said


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('("limit", "entry", "code")', '("limit", "entry")', "words: leaves out code, which a check of trigger patched_jumps reads"),
        ('("push", "back-edge", "compiled back-edge")', '("push", "back-edge")', "words: code: no check of trigger patched_jumps reads it"),
        ('trigger="patched_jumps"', 'trigger="limit_and_table"', "sites: trigger limit_and_table has no came_back(), so that a thread which comes back may be unseen at a compiled back-edge"),
        ('("code", 1)', '("code", 9)', "widths: (('entry', 1), ('code', 9)) is no size of a row of trigger words"),
    ],
)  # fmt: skip
def test_a_policy_that_says_half_is_refused(old: str, new: str, said: str, tmp_path: Path) -> None:
    assert OWN.count(old) == 1
    (tmp_path / "own.py").write_text(OWN.replace(old, new))
    with pytest.raises(PolicyError, match=r"own\.py:\d+:\d+: ") as error:
        find_policy(f"{tmp_path}/own.py:MINE")
    assert said in str(error.value)


def test_the_bound_of_compiled_code_is_counted_with_the_other_back_edges() -> None:
    model = Model(TEXT, ONE, "code-forgotten", PATCHED)
    assert bound_of(model, search(model, lambda _: None)).back_edges is None
