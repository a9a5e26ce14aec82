"""Expressions of the text in C."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

from safepoint.emit.accesses import ACCESSES, COUNTED, COUNTS, weak
from safepoint.emit.choose import Chosen
from safepoint.emit.fold import CannotEmit
from safepoint.emit.kinds import ADDRESS, WORD, Kinds
from safepoint.graph.accesses import Place, weakened
from safepoint.graph.orders import ACQUIRE
from safepoint.graph.scope import OPERATORS
from safepoint.graph.text import Record

BINDS = {"|": 1, "&": 3, "==": 4, "!=": 4, "<": 5, "<=": 5, ">": 5, ">=": 5, "+": 7, "-": 7}
"""How tight C binds."""
BITWISE = ("|", "&")
UNARY, WHOLE = 8, 0
FLIPPED = {"==": "!=", "!=": "==", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}


@dataclass
class Expressions:
    """rows: loop variables over rows of trigger words: name to row.  weaker: the orders of a mutant.  kept: the access whose result goes into `seen`, too."""

    chosen: Chosen
    kinds: Kinds
    rows: dict[str, str] = field(default_factory=dict)
    kept: ast.Call | None = None
    weaker: dict[Place, str] = field(init=False)

    def __post_init__(self) -> None:
        self.weaker = weakened(self.chosen.text, self.chosen.folded.mutant)

    def order(self, procedure: str, access: ast.Call) -> str:
        """The order of an access: the text's, or a mutant's."""
        assert isinstance(access.func, ast.Attribute)
        usual = ACCESSES[access.func.attr].order
        return self.weaker.get((self.chosen.text.functions[procedure].file, access.lineno), usual)

    def expression(self, procedure: str, node: ast.expr, tight: int = WHOLE, *, checks: bool = False) -> str:
        """An expression; in parentheses if what stands around it binds as tight.  `checks`: a comparison is the fast path's own."""
        match node:
            case ast.Constant(value=bool(value)):
                return str(value).lower()
            case ast.Constant(value=int(value)):
                return str(value)
            case ast.Name(id=name):
                return f"SP_{name}" if name in self.chosen.text.constants else name
            case ast.Attribute():
                return self.place(procedure, node)
            case ast.Call(func=ast.Attribute()):
                return self.access(procedure, node)
            case ast.Call(func=ast.Name(id=name)) if name in self.chosen.bodies:
                return f"sp_{name}({', '.join(self.arguments(procedure, name, node))})"
            case ast.UnaryOp(op=ast.Invert() | ast.Not() as op, operand=inner):
                sign = "~" if isinstance(op, ast.Invert) else "!"
                return f"{sign}{self.expression(procedure, inner, UNARY)}"
            case ast.Compare(left=left, ops=[op], comparators=[right]) if checks and (
                made := self._check(procedure, left, op, right)
            ):
                return made
            case ast.BinOp(left=left, op=op, right=right) | ast.Compare(left=left, ops=[op], comparators=[right]) if (
                type(op) in OPERATORS
            ):
                return self._binary(procedure, left, OPERATORS[type(op)], right, tight)
        raise self.cannot(procedure, node)

    def _binary(self, procedure: str, left: ast.expr, op: str, right: ast.expr, tight: int) -> str:
        binds = BINDS[op]
        one, other = (self.expression(procedure, each, binds) for each in (left, right))
        said = f"{one} {op} {other}"
        same = tight == binds and op in (*BITWISE, "+")
        return f"({said})" if (tight >= binds and not same) or (op in BITWISE and tight not in (WHOLE, binds)) else said

    def _check(self, procedure: str, left: ast.expr, op: ast.cmpop, right: ast.expr) -> str:
        """A comparison of a trigger word with a value: one instruction where the machine has it.  "": it is none."""

        def trigger(node: ast.expr) -> tuple[str, str] | None:
            match node:
                case ast.Call(func=ast.Attribute(value=word, attr="load")) if self.kinds.of_word(word) == ADDRESS:
                    return self.place(procedure, word), self.order(procedure, node)
            return None

        name = OPERATORS[type(op)]
        for word, value, flipped in (
            (left, right, {"<": "below", "==": "equals"}),
            (right, left, {">": "below", "==": "equals"}),
        ):
            if (found := trigger(word)) and name in flipped:
                place, order = found
                return f"{weak(f'sp_{flipped[name]}', order, ACQUIRE)}(&{place}, {self.expression(procedure, value)})"
        return ""

    def negated(self, procedure: str, node: ast.expr) -> str:
        """The contrary of a condition."""
        match node:
            case ast.Compare(left=left, ops=[op], comparators=[right]):
                return self._binary(procedure, left, FLIPPED[OPERATORS[type(op)]], right, WHOLE)
        return f"!{self.expression(procedure, node, UNARY)}"

    def place(self, procedure: str, node: ast.expr) -> str:
        """A word, as C names it."""
        match node:
            case ast.Attribute(value=ast.Attribute(attr=word), attr="poison"):
                return f"SP_{word.upper()}_POISON"
            case ast.Attribute(value=ast.Name(id=name), attr="poison"):
                return f"SP_{self.row(procedure, name).upper()}_POISON"
            case ast.Attribute(value=ast.Attribute(value=owner, attr=word), attr="real"):
                return f"{self.expression(procedure, owner)}->{word}_real"
            case ast.Attribute(value=ast.Name(id=name), attr="real"):
                return f"t->{self.row(procedure, name)}_real[{name}]"
            case ast.Attribute(value=ast.Name(id=name), attr=word):
                is_world = isinstance(self.chosen.text.constants.get(name), Record)
                return f"sp_{name}.{word}" if is_world else f"{name}->{word}"
            case ast.Name(id=name):
                return f"t->{self.row(procedure, name)}[{name}]"
        raise self.cannot(procedure, node)

    def row(self, procedure: str, name: str) -> str:
        """The row that a trigger word is of; a parameter is of the one row that a thread has."""
        if name in self.rows:
            return self.rows[name]
        (row,) = (word for word, kind in self.chosen.text.words["Thread"].items() if kind == "Triggers")
        return row

    def access(self, procedure: str, node: ast.Call) -> str:
        """An access to a shared word."""
        assert isinstance(node.func, ast.Attribute)
        op, word = node.func.attr, node.func.value
        if op not in ACCESSES:
            raise self.cannot(procedure, node)
        order = self.order(procedure, node)
        name = ACCESSES[op].with_order(order)
        if op == "cas" and self.kinds.of_word(word) == ADDRESS:
            name = weak("sp_cas_trigger", order)
        operands = [self.expression(procedure, a) for a in node.args]
        if isinstance(word, ast.Attribute) and word.attr in COUNTED and op in COUNTS:
            name, operands = ACCESSES[COUNTS[op]].with_order(order), ["1"]
        said = f"{name}({', '.join([f'&{self.place(procedure, word)}', *operands])})"
        return f"(seen = {said})" if node is self.kept else said

    def arguments(self, procedure: str, called: str, node: ast.Call) -> list[str]:
        """What is handed to a procedure, without what that has no use for."""
        kept = {name: kind.strip() for kind, name in self.kinds.parameters(called)}
        names = (a.arg for a in self.chosen.text.functions[called].node.args.args)
        return [
            self.fitting(procedure, value, kept[name])
            for name, value in zip(names, node.args, strict=True)
            if name in kept
        ]

    def fitting(self, procedure: str, node: ast.expr, kind: str) -> str:
        """An expression where a value of this type is wanted: an address that is cut to a number says so."""
        narrow = kind == WORD and self.kinds.expression(procedure, node) == ADDRESS
        return f"(uint32_t){self.expression(procedure, node, UNARY)}" if narrow else self.expression(procedure, node)

    def cannot(self, procedure: str, node: ast.AST) -> CannotEmit:
        """For what has no C."""
        file = self.chosen.text.functions[procedure].file
        line = getattr(node, "lineno", 0)
        return CannotEmit(
            f"{file}:{line}: {procedure}: has no C: {ast.unparse(node)} (write: what the core of the text is written in)"
        )
