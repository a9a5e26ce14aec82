"""No line that obeys a rule is idle: without it, a named property is broken, or the compiler refuses what is left."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from safepoint.graph.check import check
from safepoint.graph.gather import text_of
from safepoint.graph.text import ProtocolError, Text
from safepoint.model.engines import engine
from safepoint.model.eventually import EVENTUALLY
from safepoint.model.memory.names import SC, TSO
from safepoint.model.mutants import first_of_each_trigger
from safepoint.model.mutation import changed
from safepoint.model.properties import ALWAYS
from safepoint.model.scopes import SCOPES, chosen
from safepoint.model.system import Model
from safepoint.protocol import TRIGGERS, files
from safepoint.protocol.policies import FOLDED, POLICIES
from safepoint.protocol.policy import Policy
from safepoint.protocol.rules import RULES
from safepoint.protocol.trigger import elsewhere
from safepoint.verify.explore import explore
from safepoint.verify.mutation import digest_of

WHOSE = dict.fromkeys(files()[:-1], FOLDED) | {TRIGGERS[p.trigger]: p for p in first_of_each_trigger()}
"""File of the text to a policy that has it."""
ELSEWHERE = {TRIGGERS[p.trigger]: p for p in reversed(POLICIES.values()) if p.elsewhere}
"""The same, of its line in `elsewhere`."""
LINES = [
    (path, number, line.partition("  # ")[2].strip())
    for path in WHOSE
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
    if any(rule in line.partition("  # ")[2] for rule in RULES)
]
ALSO = ("births-exclusive-1",)
"""Scopes that are not tiny, which alone have some of these lines."""
ONLY_UNDER_TSO = ("BLOCK-IS-A-BARRIER", "REQUESTER-IS-A-BARRIER")
"""Needed for a barrier alone: the store that publishes a sleeper (a requester that posts wakes it, whatever the state says), and a fence."""


class Deletion(ast.NodeTransformer):
    """Leaves out the statement that begins at a line."""

    def __init__(self, number: int) -> None:
        self.number = number

    def visit(self, node: ast.AST) -> ast.AST:
        after: ast.AST = super().visit(node)
        is_it = isinstance(after, ast.stmt) and after.lineno == self.number
        return ast.copy_location(ast.Pass(), after) if is_it and not isinstance(after, ast.FunctionDef) else after


def function_at(path: Path, number: int) -> ast.FunctionDef:
    """The procedure that has the line."""
    functions = (n for n in ast.parse(path.read_text(encoding="utf-8")).body if isinstance(n, ast.FunctionDef))
    return next(f for f in functions if f.lineno <= number <= (f.end_lineno or 0))


def policy_of(path: Path, number: int) -> Policy:
    """A policy that has the line."""
    return ELSEWHERE[path] if function_at(path, number).name == elsewhere.__name__ else WHOSE[path]


def cited(comment: str) -> list[str]:
    return [word for word in re.findall(r"[A-Z-]+", comment) if word in RULES]


@pytest.mark.parametrize(
    ("path", "number", "rules"),
    [
        pytest.param(
            path, number, rules, id=f"{path.stem}-{rules.split(':')[0]}", marks=pytest.mark.rule(*cited(rules))
        )
        for path, number, rules in LINES
    ],
)
def test_a_line_with_a_rule_is_missed(path: Path, number: int, rules: str) -> None:
    left, policy = Deletion(number).visit(function_at(path, number)), policy_of(path, number)
    assert isinstance(left, ast.FunctionDef)
    assert ast.unparse(left) != ast.unparse(function_at(path, number))
    try:
        assert_missed(changed(text_of(policy), left), policy, rules)
    except ProtocolError as refused:
        said = str(refused)
    else:
        return
    assert "(write" in said


@cache
def right_digest(policy: str, scope: str) -> tuple[object, ...]:
    """What the scope is with every line: where it is the same without one, nothing can be missed."""
    return digest_of(Model(text_of(POLICIES[policy]), SCOPES[scope], policy=POLICIES[policy]))


def assert_missed(text: Text, policy: Policy, rules: str) -> None:
    """Some property is broken without the line.  Raises ProtocolError, where what is left is refused."""
    check(text)
    for memory in (SC, TSO):
        small = [SCOPES[name] for name in ALSO if set(SCOPES[name].slices) <= set(policy.slices)]
        for scope in (*chosen("tiny", slices=policy.slices), *small):
            if digest_of(Model(text, scope, policy=policy)) == right_digest(policy.name, scope.name):
                continue
            found = explore(text, [scope], policy, memory, "", engine(), 3_000_000, lambda _states, _frontier: None)
            if found.refuted is not None:
                assert found.refuted.late or found.refuted.result.broken in ALWAYS | EVENTUALLY
                assert memory == "sc" or rules.startswith(ONLY_UNDER_TSO)
                return
    pytest.fail("the line can be deleted, and everything holds")


def test_there_are_enough_lines() -> None:
    assert {rule for _, _, rules in LINES for rule in RULES if rule in rules} == set(RULES)
