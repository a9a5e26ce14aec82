"""Fuzzed programs: made from a seed, judged apart, and what is wrong made small and repeated."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from safepoint.cli.main import cli
from safepoint.differential.fuzz import (
    CODE,
    KINDS,
    MOST_EDITS,
    REFUSED,
    TEXT,
    Instance,
    drawn,
    guests,
    made,
    parse,
    text_of,
)
from safepoint.show.failures import failure_text
from safepoint.verify.failures import WrongFuzzed
from safepoint.verify.fuzzing import apart, fuzz, smallest

pytest.importorskip("llvmlite")

MANY = 300


def test_a_seed_is_an_instance_and_an_instance_its_string() -> None:
    found = [drawn(kind, seed) for kind in KINDS for seed in range(MANY)]
    assert found == [parse(str(instance)) for instance in found]
    assert len(set(found)) == len(found)
    assert {instance.program for instance in found} == set(guests())
    assert {len(instance.edits) for instance in found} == {*range(1, MOST_EDITS + 1)}
    assert {instance.step < 0 for instance in found} == {True, False}


@pytest.mark.parametrize("string", ["f:", "f:text:fib:1", "f:words:fib:1:0", "f:text:fib:1:0@", "f:text:fib:-1:0"])
def test_what_is_no_string_of_an_instance_is_refused(string: str) -> None:
    with pytest.raises(ValueError, match="copy it from a failure, whole"):
        parse(string)


def test_an_edit_changes_the_program() -> None:
    """Without edits it is the corpus's; an edit that changes nothing is rare."""
    plain = guests()["fib"]
    assert text_of(Instance(TEXT, "fib", 1, ())) == plain.source
    good = made(Instance(CODE, "fib", 1, ()))
    same = {TEXT: 0, CODE: 0}
    for seed in range(MANY):
        same[TEXT] += text_of(Instance(TEXT, "fib", seed, (0,))) == plain.source
        same[CODE] += made(Instance(CODE, "fib", seed, (0,))) == good
    assert max(same.values()) < MANY // 5


def test_what_is_smaller_has_less_and_comes_in_order() -> None:
    instance = Instance(TEXT, "fib", 7, (0, 1), 12)
    assert [str(less) for less in instance.smaller()] == [
        "f:text:fib:7:-", "f:text:fib:7:-@12", "f:text:fib:7:0", "f:text:fib:7:0@12", "f:text:fib:7:1", "f:text:fib:7:1@12",
        "f:text:fib:7:0,1",
    ]  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_the_interpreter_runs_what_nobody_would_write_as_the_reference_machine(kind: str) -> None:
    found = fuzz(kind, 1_000_000, 60)
    assert found.wrong is None
    assert found.ways.total() == 60
    assert found.ways[REFUSED] < 60, "some run"


def test_a_mutant_is_found_made_small_and_repeated() -> None:
    """What shows it is the program as it stands: no edit is left over."""
    mutant = "back-edge-forgets-its-jump"
    wrong = fuzz(TEXT, 0, 60, mutant).wrong
    assert wrong is not None
    instance = parse(wrong.string)
    assert instance.edits == ()
    runner = CliRunner()
    again = failure_text(wrong).rpartition("    again: safepoint ")[2].replace("'", "").split()
    assert runner.invoke(cli, again).exit_code == 1
    right = runner.invoke(cli, ["replay", wrong.string])
    assert (right.exit_code, right.output.endswith(": agreed: nothing is wrong\n")) == (0, True)


def test_what_takes_its_process_down_is_a_failure_and_what_came_before_is_kept() -> None:
    good, bad = Instance(TEXT, "gcd", 0, ()), Instance(TEXT, "nowhere", 0, (0, 1))
    (_, how, what), (_, died, why) = apart([good, bad, good])
    assert (how, what) == ("agreed", "")
    assert (died, why) == ("died", "it died (exit status 1): KeyError: 'nowhere'")
    assert smallest(bad, why) == WrongFuzzed("f:text:nowhere:0:-", why)


@pytest.mark.parametrize(
    ("string", "said"),
    [
        ("f:text:nowhere:0:-", "no program 'nowhere' (copy the string from a failure, whole)"),
        ("f:text:fib", "'f:text:fib' is not the string of a fuzzed program (copy it from a failure, whole)"),
    ],
)
def test_a_string_that_cannot_be_replayed_is_refused(string: str, said: str) -> None:
    result = CliRunner().invoke(cli, ["replay", string])
    assert (result.exit_code, result.stderr) == (2, f"safepoint: {said}\n")
