"""Every simple mistake of a protocol text: the measure of the properties is how many of them they catch.

The mistakes that stand in the text by name (`if mutant(…)`) are folded out first: only right lines are changed.  The roles
are not changed: they are part of what judges.
"""

from __future__ import annotations

import ast
import copy
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import lru_cache

from safepoint.graph.gather import text_of
from safepoint.graph.text import Procedure, Text
from safepoint.model.edits import copied
from safepoint.model.operators import edits
from safepoint.protocol import ROLES
from safepoint.protocol.policy import Policy

Words = tuple[tuple[str, tuple[tuple[str, str], ...]], ...]
"""As `operators.Words`, in pairs, so that it can be a key."""


@dataclass(frozen=True)
class Change:
    """What a mutation does, without line numbers: (file, procedure, operator, statement before, statement after)."""

    file: str
    procedure: str
    operator: str
    before: str
    after: str

    def __str__(self) -> str:
        return f"{self.file} {self.procedure} {self.operator}: {self.before} -> {self.after or '(nothing)'}"


@dataclass(frozen=True)
class Mutation:
    """One simple mistake.  `line`: of `change.file`.  `function`: the procedure with the mistake in it."""

    change: Change
    line: int
    function: ast.FunctionDef = field(compare=False, repr=False)

    def made_in(self, text: Text) -> Text:
        """The text with the mistake."""
        return changed(text, self.function)


def right(policy: Policy) -> Text:
    """The text of a policy as it is without any mutant."""
    return without_mutants(text_of(policy))


def without_mutants(text: Text) -> Text:
    made = copy.copy(text)
    made.functions = {name: Procedure(_folded(p.node), p.file) for name, p in text.functions.items()}
    made.mutants, made.base = {}, None
    return made


def changed(text: Text, function: ast.FunctionDef) -> Text:
    """The text with another procedure in the place of the one of its name."""
    made = copy.copy(text)
    made.functions = text.functions | {function.name: replace(text.functions[function.name], node=function)}
    made.base = text
    return made


class _Fold(ast.NodeTransformer):
    """Leaves every `if mutant(…)` out."""

    def visit_If(self, node: ast.If) -> ast.AST | list[ast.AST] | None:
        self.generic_visit(node)
        match node.test:
            case ast.Call(func=ast.Name(id="mutant")):
                return list(node.orelse)
        return node


@lru_cache(maxsize=1024)
def _folded(function: ast.FunctionDef) -> ast.FunctionDef:
    made = _Fold().visit(copied(function))
    assert isinstance(made, ast.FunctionDef)
    made.body = [s for s in made.body if not (isinstance(s, ast.Expr) and isinstance(s.value, ast.Constant))]
    made.body = made.body or [ast.copy_location(ast.Pass(), function)]
    return made


def used(text: Text) -> list[str]:
    """The procedures that a role calls, or a procedure that it calls: without the broken twins."""
    found = [name for name, p in text.functions.items() if p.file == ROLES]
    for name in found:
        found += dict.fromkeys(other for other in _called(text, name) if other not in found)
    return [name for name, p in text.functions.items() if name in found and p.file != ROLES and name != "threads"]


def mutations(text: Text) -> Iterator[Mutation]:
    """Every simple mistake of a right text, in the order of its files and lines; each text that it makes, once."""
    words = tuple((record, tuple(own.items())) for record, own in text.words.items())
    for name in used(text):
        yield from _of_procedure(text.functions[name], frozenset(_called(text, name)), words)


def _called(text: Text, name: str) -> Iterator[str]:
    """The procedures that a procedure calls."""
    for node in ast.walk(text.functions[name].node):
        match node:
            case ast.Call(func=ast.Name(id=other)) if other in text.functions:
                yield other


@lru_cache(maxsize=1024)
def _of_procedure(procedure: Procedure, called: frozenset[str], words: Words) -> tuple[Mutation, ...]:
    """Those of one procedure, made once for all the texts that have it.  `words`: of the text, class to word to type, as pairs."""
    node, made = procedure.node, list[Mutation]()
    seen, times = {ast.unparse(node)}, Counter[Change]()
    for edit in sorted(edits(node, called, {record: dict(own) for record, own in words}), key=lambda e: e.line):
        source = ast.unparse(edit.function)
        if source in seen:
            continue
        seen.add(source)
        change = Change(procedure.file, node.name, edit.operator, edit.before, edit.after)
        times[change] += 1
        if times[change] > 1:  # the same statement, at another place of the procedure
            change = replace(change, before=f"{change.before} #{times[change]}")
        made.append(Mutation(change, edit.line, edit.function))
    return tuple(made)
