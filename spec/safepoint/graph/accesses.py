"""The accesses of a text by name, and its orders made weaker: a mutant for each order that an access has and might not need.

An access is named PROCEDURE.WORD.OP, as in reenter.stop.look; the second of that name in the procedure has -2 behind it.  The
mutant reenter.stop.look.acquire takes acquire there; several at once are joined by +.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from safepoint.graph.ir import ACCESSES
from safepoint.graph.orders import ACQ_REL, ACQUIRE, PLAIN, RELAXED, RELEASE, SEQ_CST, STRONG
from safepoint.graph.scope import is_call
from safepoint.graph.text import Mutant, Procedure, ProtocolError, Text

WEAKER: Mapping[str, tuple[str, ...]] = {
    "load": (RELAXED, ACQUIRE, SEQ_CST),
    "store": (RELAXED, RELEASE, SEQ_CST),
    "locked": (RELAXED, RELEASE, ACQUIRE, ACQ_REL, SEQ_CST),
}
"""The orders that a sort of access may have, none before one that is weaker; release and acquire are not compared."""

RULE = re.compile(r"\b[A-Z]+(-[A-Z]+)+\b")
"""The id of a rule, in a comment."""

Place = tuple[str, int]
"""File and line of a statement: it has at most one access."""


@dataclass(frozen=True)
class Access:
    """One access that the text writes down.  `order`: as the text has it."""

    name: str
    procedure: str
    file: str
    line: int
    op: str
    order: str

    @property
    def place(self) -> Place:
        return self.file, self.line

    @property
    def orders(self) -> tuple[str, ...]:
        """What it might have, the weakest first, up to what it has."""
        op = STRONG.get(self.op, self.op)
        ladder = WEAKER.get(op, WEAKER["locked"])
        return ladder[: ladder.index(self.order) + 1]

    def with_order(self, order: str) -> str:
        """The mutant that takes this order."""
        return f"{self.name}.{order}"


def accesses(text: Text) -> dict[str, Access]:
    """Every access of the right text, by its name; those of its mutants are none."""
    if text not in _FOUND:
        _FOUND[text] = {
            access.name: access for procedure in text.functions.values() for access in _in(procedure, procedure.node)
        }
    return _FOUND[text]


def _in(procedure: Procedure, node: ast.FunctionDef) -> Iterator[Access]:
    before: dict[str, int] = {}
    for call in _right(node.body):
        match call.func:
            case ast.Attribute(value=ast.Attribute(attr=word) | ast.Name(id=word), attr=op) if op in ACCESSES:
                name = f"{node.name}.{word}.{op}"
                before[name] = count = before.get(name, 0) + 1
                numbered = name + (f"-{count}" if count > 1 else "")
                yield Access(numbered, node.name, procedure.file, call.lineno, op, PLAIN.get(op, SEQ_CST))


def _right(body: list[ast.stmt]) -> Iterator[ast.Call]:
    """The calls of these statements, as they stand there, without those of a mutant."""
    for statement in body:
        if isinstance(statement, ast.If) and is_call(statement.test, "mutant"):
            yield from _right(statement.orelse)
            continue
        inner = {"body", "orelse"} if isinstance(statement, ast.If | ast.While | ast.For | ast.With) else set[str]()
        for name, value in ast.iter_fields(statement):
            if name in inner:
                yield from _right(value)
            else:
                for part in value if isinstance(value, list) else [value]:
                    if isinstance(part, ast.AST):
                        yield from (call for call in ast.walk(part) if isinstance(call, ast.Call))


def weakened(text: Text, mutant: str) -> dict[Place, str]:
    """The orders that a mutant takes, by place; {} for one that stands in the text.  Raises ProtocolError for what is neither."""
    if not mutant or mutant in text.mutants or "." not in mutant:
        return {}
    found: dict[Place, str] = {}
    for each in mutant.split("+"):
        name, _, order = each.rpartition(".")
        if each in text.mutants or not name:
            raise ProtocolError(
                f"mutant {mutant}: {each or 'nothing'} is no order of an access (write: PROCEDURE.WORD.OP.ORDER, joined by +)"
            )
        access = accesses(text).get(name)
        if access is None:
            raise ProtocolError(f"mutant {mutant}: the text has no access {name} (safepoint orders names them all)")
        if order not in access.orders[:-1]:
            weaker = (
                f"write: {', '.join(map(access.with_order, access.orders[:-1]))}"
                if access.orders[1:]
                else "choose another"
            )
            raise ProtocolError(f"mutant {each}: the access is {access.order}, and {order} is not weaker ({weaker})")
        if access.place in found:
            raise ProtocolError(f"mutant {mutant}: {name} is there twice (leave one out)")
        found[access.place] = order
    return found


def find_mutant(text: Text, name: str) -> Mutant:
    """A mutant that stands in the text, or one of its orders: its rule is the first that the comment of the line names, or "".

    Raises ProtocolError.
    """
    if name in text.mutants:
        return text.mutants[name]
    if not weakened(text, name):
        raise ProtocolError(f"no mutant {name!r} in the text; there are: {', '.join(sorted(text.mutants))}")
    changed = [accesses(text)[each.rpartition(".")[0]] for each in name.split("+")]
    rule = RULE.search(text.source(changed[0].file, changed[0].line).partition("#")[2])
    return Mutant(name, rule[0] if rule else "", tuple((a.file, a.line, a.procedure) for a in changed))


_FOUND: WeakKeyDictionary[Text, dict[str, Access]] = WeakKeyDictionary()
