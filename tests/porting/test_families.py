"""The table of the rules that fall away is what exploring them finds, and each that falls away has its reason."""

from __future__ import annotations

import re

import pytest

from safepoint.protocol.policies import DART, FOLDED
from safepoint.protocol.rules import RULES
from tests.porting.families import FALLS, KINDS, MUST, PAGE, UNASKED, found, shown, table, tries

SHOWN = shown()
CELLS = [(rule, policy, said) for rule, row in SHOWN.items() for policy, said in zip(KINDS, row, strict=True)]
EXCEPTIONS = [cell for cell in CELLS if cell[2] != MUST]


def test_the_table_has_rows() -> None:
    assert len(SHOWN) > 10
    assert set(SHOWN) <= set(RULES)


@pytest.mark.parametrize(
    ("rule", "policy", "said"), EXCEPTIONS, ids=[f"{rule}-{policy}" for rule, policy, _ in EXCEPTIONS]
)
def test_what_is_no_must_is_found_anew(rule: str, policy: str, said: str) -> None:
    assert found(policy, rule) == said


@pytest.mark.parametrize(
    ("rule", "policy", "said"), [cell for cell in CELLS if cell[2] == MUST and cell[1] != FOLDED.name][::5]
)
def test_a_must_is_broken_by_a_mutant(rule: str, policy: str, said: str) -> None:
    """One in five of the table; the rest nightly."""
    assert found(policy, rule) == said


def test_every_rule_that_falls_away_has_its_reason() -> None:
    page = PAGE.read_text(encoding="utf-8")
    section = page.partition("\n## Which rules fall away\n")[2].partition("\n## ")[0]
    reasons = re.findall(r"^\* ([A-Z]+(?:-[A-Z]+)+)", section, re.MULTILINE)
    falls = [rule for rule, row in SHOWN.items() if any(said.startswith(FALLS) for said in row)]
    assert reasons == falls


def test_what_is_not_asked_is_said() -> None:
    assert {policy for _, policy, said in CELLS if said.startswith(UNASKED)} == {DART.name}


def test_a_mistake_about_a_word_that_the_text_has_not_is_no_answer() -> None:
    """dart's bits are in its limit: a mutant that waits for `pending` waits for nothing, and shows nothing."""
    handled = [one.needs for one in tries(DART.name, "post-waits-its-turn") if one.scope == "signal-1"]
    assert handled
    assert set(handled) == {frozenset({"pending"})}
    assert all(not one.needs for one in tries(FOLDED.name, "post-waits-its-turn"))


@pytest.mark.nightly  # two minutes and a half: every mutant in every small world of four policies
@pytest.mark.timeout(1200)
def test_the_whole_table_is_made_anew() -> None:
    assert table() in PAGE.read_text(encoding="utf-8")
