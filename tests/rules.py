"""Tests by rule: a test of every mutant cites the rule that the mutant breaks, in a mark and in its id."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import pytest

from safepoint.graph.text import Mutant

if TYPE_CHECKING:
    from _pytest.mark.structures import ParameterSet


def by_rule(mutants: Iterable[Mutant]) -> list[ParameterSet]:
    """Parameters for `parametrize`: the mutants' names, with ids RULE:mutant, so that `--rule RULE` and `-k RULE` select."""
    return [pytest.param(m.name, id=f"{m.rule}:{m.name}", marks=pytest.mark.rule(m.rule)) for m in mutants]
