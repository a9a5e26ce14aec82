"""The table of the rules that fall away is what exploring them finds, and each that falls away has its reason."""

from __future__ import annotations

import re

import pytest

from safepoint.protocol.policies import DART, FOLDED, PATCHED, POLICIES
from safepoint.protocol.rules import RULES
from tests.porting.families import ALIKE, FALLS, KINDS, MUST, PAGE, UNASKED, found, shown, table, tries

SHOWN = shown()
CELLS = [(rule, policy, said) for rule, row in SHOWN.items() for policy, said in zip(KINDS, row, strict=True)]
ASKED = [cell for cell in CELLS if cell[1:] != (FOLDED.name, MUST)]
"""What of `folded` is a must, `tests/model` shows."""


def test_the_table_has_rows() -> None:
    assert len(SHOWN) >= 10
    assert set(SHOWN) <= set(RULES)


@pytest.mark.parametrize(("rule", "policy", "said"), ASKED, ids=[f"{rule}-{policy}" for rule, policy, _ in ASKED])
def test_each_cell_is_found_anew(rule: str, policy: str, said: str) -> None:
    """What falls away is tried where `folded` is refuted; in every other small world nightly."""
    assert found(policy, rule, only_known=said != MUST) == said


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
    needs = {
        policy: [one.needs for one in tries(policy, "post-waits-its-turn", only_known=True)]
        for policy in (DART.name, FOLDED.name)
    }
    assert needs == {DART.name: [{"pending"}], FOLDED.name: [set()]}


@pytest.mark.nightly  # a minute each
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("policy", ALIKE)
def test_who_needs_no_column_has_that_of_another(policy: str) -> None:
    like, but = ALIKE[policy]
    column = {rule: row[list(KINDS).index(like)] for rule, row in SHOWN.items()}
    for rule in RULES:
        assert found(policy, rule) == {**column, **but}.get(rule, MUST), rule


def test_who_has_no_column_is_named() -> None:
    section = PAGE.read_text(encoding="utf-8").partition("Ten more need no column.")[2].partition("\n\n")[0]
    assert set(re.findall(r"`(\w+)`", section)) - {*KINDS} == {*POLICIES} - {*KINDS}
    assert {*POLICIES} - {*KINDS, *ALIKE} == {
        "skybison",
        "go",
        "pypy_sampling",
        PATCHED.name,
    }  # another's text, without a site; or with one more


@pytest.mark.nightly  # three minutes: every mutant in every small world of four policies
@pytest.mark.timeout(1200)
def test_the_whole_table_is_made_anew() -> None:
    assert table() in PAGE.read_text(encoding="utf-8")
