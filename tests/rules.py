"""Tests by rule: a test of every mutant cites the rule that the mutant breaks, in a mark and in its id."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import pytest

from safepoint.graph.text import Mutant

if TYPE_CHECKING:
    from _pytest.mark.structures import ParameterSet


def case(rule: str, name: str, *values: object, nightly: bool = False) -> ParameterSet:
    """A parameter of a test that checks a rule: with the id RULE:name, so that `--rule RULE` and `-k RULE` select it."""
    marks = (pytest.mark.rule(rule), *([pytest.mark.nightly] if nightly else ()))
    return pytest.param(*values, id=f"{rule}:{name}", marks=marks)


def by_rule(mutants: Iterable[Mutant]) -> list[ParameterSet]:
    """The mutants' names, each a case of its rule."""
    return [case(m.rule, m.name, m.name) for m in mutants]
