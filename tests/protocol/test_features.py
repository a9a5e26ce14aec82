"""What a policy's docstring says of its features: those that its text is written for, and of each other one why it has none."""

from __future__ import annotations

import importlib
import re

import pytest

from safepoint.model.scopes import SLICES, VARIANTS
from safepoint.protocol import policies
from safepoint.protocol.policies import POLICIES

NAMES = "|".join(SLICES)
NONE = re.compile(rf"\bNo ((?:{NAMES})(?:, (?:{NAMES}))*): ([^.]*)\.")
"""`No FEATURE, FEATURE: why.`"""


def paragraph(policy: str) -> str:
    """Where a docstring speaks of features; if they are another's, what that one says."""
    said = importlib.import_module(f"{policies.__name__}.{policy}").__doc__ or ""
    (found,) = re.findall(r"^Features: (.*?)(?:\n\n|\Z)", said, re.DOTALL | re.MULTILINE)
    if other := re.match(r"those of `(\w+)`", found):
        return paragraph(other[1])
    return " ".join(found.split())


def has(said: str) -> set[str]:
    """The features that a paragraph names as there, in parentheses what they are."""
    if said.startswith("all,"):
        return {*SLICES}
    rest = re.sub(r"\([^)]*\)", "", NONE.sub("", said))
    return {name for name in SLICES if re.search(rf"\b{name}\b", rest)}


def lacks(said: str) -> dict[str, str]:
    """The features that it names as those that the VM has not, to the reason."""
    return {name: why for names, why in NONE.findall(said) for name in names.split(", ")}


@pytest.mark.parametrize("policy", POLICIES)
def test_a_policy_names_every_feature_and_gives_a_reason_for_each_that_it_has_not(policy: str) -> None:
    said, mine = paragraph(policy), {*POLICIES[policy].slices} & {*SLICES}
    assert has(said) == mine
    assert {*lacks(said)} == {*SLICES} - mine
    assert all(len(why.split()) >= 4 for why in lacks(said).values()), lacks(said)


@pytest.mark.parametrize(
    ("said", "there", "not_there"),
    [
        ("masks (a limit), births. No limit: it has one size. No blocking, collect: why not.", {"masks", "births"}, {"limit", "blocking", "collect"}),
        ("all, and the variants.", {*SLICES}, set()),
        ("handlers. No masks and no births", {"handlers", "masks", "births"}, set()),  # no reason: it does not count
    ],
)  # fmt: skip
def test_how_it_is_read(said: str, there: set[str], not_there: set[str]) -> None:
    assert (has(said), {*lacks(said)}) == (there, not_there)


def test_the_variants_are_of_one_policy() -> None:
    """`scopes` explores them with it; the docstring of `policies` says so."""
    assert [p.name for p in POLICIES.values() if {*p.slices} & {*VARIANTS}] == ["folded"]
    assert {*VARIANTS} <= {*POLICIES["folded"].slices}
    assert "variants" in (policies.__doc__ or "")
