"""What is waited for, and so which accesses end a wait: there the C wakes who sleeps on the word."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

from safepoint.emit.fold import Bodies, is_wait
from safepoint.graph import ir
from safepoint.graph.scope import OPERATORS
from safepoint.graph.text import Text

VALUES = range(4)
"""What a word that is waited for may hold: the states of a thread, of an operation, a flag."""
Condition = tuple[ast.expr, ast.Call]
"""A condition, and the access in it."""


def access_in(condition: ast.expr) -> ast.Call:
    """The one access of a condition."""
    (found,) = (
        n for n in ast.walk(condition)
        if isinstance(n, ast.Call) and isinstance(n.func, ast.Attribute) and n.func.attr in ir.ACCESSES
    )  # fmt: skip
    return found


def word_of(access: ast.Call) -> str:
    """The name of the word that an access is made to."""
    assert isinstance(access.func, ast.Attribute)
    word = access.func.value
    return word.attr if isinstance(word, ast.Attribute) else "entry"


@dataclass
class Waits:
    """`on`: word to the conditions that some procedure waits for."""

    text: Text
    bodies: Bodies
    on: dict[str, list[Condition]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        nodes = (n for body in self.bodies.values() for s in body for n in ast.walk(s) if isinstance(n, ast.stmt))
        for node in nodes:
            if condition := is_wait(node):
                access = access_in(condition)
                self.on.setdefault(word_of(access), []).append((condition, access))

    def ended_by(self, access: ast.Call) -> bool:
        """May an access make a condition true that was not?"""
        assert isinstance(access.func, ast.Attribute)
        if access.func.attr in ("load", "look"):
            return False
        conditions = self.on.get(word_of(access), [])
        return any(self._ends(condition, access, old) for condition in conditions for old in VALUES)

    def _ends(self, condition: Condition, access: ast.Call, old: int) -> bool:
        new = self._left(access, old)
        return not self._holds(condition, old) and (new is None or self._holds(condition, new))

    def _left(self, access: ast.Call, old: int) -> int | None:
        """What an access leaves in a word that holds `old`; None: that is not known here."""
        assert isinstance(access.func, ast.Attribute)
        operands = [self._constant(a) for a in access.args]
        match access.func.attr, operands:
            case (("store" | "publish" | "swap"), [value]):
                return value
            case "cas", [int(expected), new]:
                return new if old == expected else old
            case op, [int(value)] if op in ir.MODIFIES:
                return int(ir.FOLD[ir.MODIFIES[op]](old, value))
        return None

    def _constant(self, node: ast.expr) -> int | None:
        match node:
            case ast.Constant(value=int(value)):
                return value
            case ast.Name(id=name) if isinstance(known := self.text.constants.get(name), ir.Const):
                return known.value
        return None

    def _holds(self, condition: Condition, value: int) -> bool:
        """Does a condition hold of a word with this value?  True where it is not known."""
        whole, access = condition

        def of(node: ast.expr) -> int | None:
            if node is access:
                assert isinstance(access.func, ast.Attribute)
                return value if access.func.attr != "cas" else int(value == self._constant(access.args[0]))
            match node:
                case ast.BinOp(left=left, op=op, right=right) | ast.Compare(left=left, ops=[op], comparators=[right]):
                    sides = of(left), of(right)
                    return None if None in sides else int(ir.FOLD[OPERATORS[type(op)]](*sides))
            return self._constant(node)

        known = of(whole)
        return known is None or bool(known)
