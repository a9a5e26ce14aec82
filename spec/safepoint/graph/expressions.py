"""The expressions of a protocol text: what a name, a word or a helper's call means, and at most one shared access."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cached_property

from safepoint.graph.accesses import Place, weakened
from safepoint.graph.instance import Answer, Instance, Question
from safepoint.graph.ir import (
    ACCESSES,
    OPERANDS,
    RESULT,
    SELF,
    WORLD,
    Cell,
    Const,
    Expr,
    Fixed,
    Local,
    Me,
    Private,
    Step,
    Tree,
    fold,
    truth,
)
from safepoint.graph.orders import PLAIN, SEQ_CST, STRONG
from safepoint.graph.scope import OPERATORS, Return, Scope, fixed, is_call, is_docstring, operates
from safepoint.graph.text import Record, Text, Value

ENVIRONMENT_ONLY = ("choose", "when", "pause", "rest", "claim", "eventually")
EXPRESSIONS = "constants, locals, words of type int, w.real, w.poison, & | + - ~ == != < <= > >= not and or, t is u"


@dataclass
class Expressions:
    """What lowering a statement needs to know of the expressions in it."""

    text: Text
    instance: Instance
    steps: list[Step] = field(default_factory=list)
    mutated: bool = False  # has the instance's mutant been met?
    answers: dict[Question, Answer] = field(default_factory=dict)  # of the instance, to all that it was asked
    read: set[str] = field(default_factory=set)  # the procedures that were looked into
    helpers: dict[tuple[str, frozenset[str]], ast.expr | None] = field(default_factory=dict)

    def _ask(self, what: str, name: str = "") -> Answer:
        answer = self.answers[what, name] = self.instance.says((what, name))
        return answer

    def _step(
        self, node: ast.AST, op: str, scope: Scope, cell: Cell | None = None, operands: tuple[Expr, ...] = ()
    ) -> Step:
        line = getattr(node, "lineno", 0)
        made = Step(
            len(self.steps),
            STRONG.get(op, op),
            cell,
            operands,
            scope.path,
            line,
            self.text.source(scope.file, line),
            scope.file,
        )
        made.joined, made.order = scope.atomic, self._order(op, scope.file, line) if cell else ""
        made.publishes = op == "publish" and made.order == SEQ_CST
        self.steps.append(made)
        return made

    @cached_property
    def _weakened(self) -> dict[Place, str]:
        return weakened(self.text, self.instance.mutant)

    def _order(self, op: str, file: str, line: int) -> str:
        """The text's, if the mutant takes no other."""
        weaker = self._weakened.get((file, line))
        self.mutated = self.mutated or weaker is not None
        return weaker or PLAIN.get(op, SEQ_CST)

    def _procedure(self, node: ast.expr, within: frozenset[str] = frozenset()) -> str | None:
        """The procedure that a call names, when it has steps: not a helper, which is an expression."""
        match node:
            case ast.Call(func=ast.Name(id=name)) if name in self.text.functions and name != "threads":
                return None if name not in within and self.helper(name, within) else name
        return None

    def helper(self, name: str, within: frozenset[str] = frozenset()) -> ast.expr | None:
        """The expression that a helper is short for; None of a procedure.  `within`: whose expressions it is part of."""
        if (name, within) not in self.helpers:
            self.helpers[name, within] = self._helper(name, within)
        return self.helpers[name, within]

    def _helper(self, name: str, within: frozenset[str]) -> ast.expr | None:
        self.read.add(name)
        body = [s for s in self.text.functions[name].node.body if not is_docstring(s)]
        match body:
            case [ast.Return(value=ast.expr() as value)]:
                shared = any(isinstance(n, ast.Attribute) and n.attr in ACCESSES for n in ast.walk(value))
                calls = any(self._procedure(n, within | {name}) for n in ast.walk(value) if isinstance(n, ast.Call))
                return None if shared or calls else value
        return None

    def _evaluate(self, node: ast.expr, scope: Scope, then: Return) -> Tree:
        """An expression with at most one shared access; what follows belongs to that access's step."""
        found: list[Step] = []
        value = self._expression(node, scope, found)
        if len(found) > 1:
            self.text.error(
                node,
                scope.file,
                "two accesses to shared memory in one step",
                "a statement for each: x = t.word.load(), then use x",
            )
        if not found:
            return then(value)
        found[0].then = [then(value)]
        return found[0]

    def pure(self, node: ast.expr, scope: Scope) -> Expr:
        found: list[Step] = []
        value = self._expression(node, scope, found)
        if found:
            self.text.error(node, scope.file, "a shared access inside an operand", "a local variable first")
        return value

    def _expression(self, node: ast.expr, scope: Scope, found: list[Step]) -> Expr:
        match node:
            case ast.Call(func=ast.Attribute(value=word, attr=op), args=args, keywords=keywords) if op in ACCESSES:
                cell = self._constant(word, scope)
                if not isinstance(cell, Cell):
                    self.text.error(node, scope.file, "not a shared word", "t.word.load()")
                if keywords or len(args) != OPERANDS[op]:
                    says = ", ".join(("old", "new") if op == "cas" else ("value",) * OPERANDS[op])
                    self.text.error(node, scope.file, f"{op}() has {OPERANDS[op]} operands", f"t.word.{op}({says})")
                found.append(self._step(node, op, scope, cell, tuple(self.pure(a, scope) for a in args)))
                return RESULT
            case ast.Call(func=ast.Name(id="mutant"), args=[ast.Constant(value=name), *_]):
                is_in = bool(self._ask("mutant", str(name)))
                self.mutated = self.mutated or is_in
                return Const(int(is_in))
            case ast.Call(func=ast.Name(id="slice_on" | "checks_at" as asked), args=[ast.Constant(value=name)]):
                return fixed(self.text, node, scope.file, (asked, name), bool(self._ask(asked, str(name))))
            case ast.Call() if name := self._procedure(node):
                self.text.error(
                    node, scope.file, f"{name}() has steps, so it is no part of an expression", "x = f(t), then use x"
                )
            case ast.BinOp(left=a, op=op_, right=b) if type(op_) in OPERATORS:
                return fold(OPERATORS[type(op_)], self._expression(a, scope, found), self._expression(b, scope, found))
            case ast.Compare(left=a, ops=[relation], comparators=[b]) if type(relation) in OPERATORS:
                return fold(
                    OPERATORS[type(relation)], self._expression(a, scope, found), self._expression(b, scope, found)
                )
            case ast.Compare(left=a, ops=[ast.Is() | ast.IsNot() as relation], comparators=[b]):
                same = self._same_thread(node, a, b, scope)
                return same if isinstance(relation, ast.Is) else fold("==", same, Const(0))
            case ast.Compare(left=a, ops=[relation, *relations], comparators=[b, *others]) if operates(node):
                parts = [ast.Compare(a, [relation], [b]), ast.Compare(b, relations, others)]
                return self._decided(node, ast.And(), [ast.copy_location(p, node) for p in parts], scope, found)
            case ast.BoolOp(op=junction, values=values):
                return self._decided(node, junction, values, scope, found)
            case ast.UnaryOp(op=ast.Not(), operand=a):
                return fold("==", self._expression(a, scope, found), Const(0))
            case ast.UnaryOp(op=ast.Invert(), operand=a):
                return fold("~", self._expression(a, scope, found))
        value = self._constant(node, scope)
        if isinstance(value, Record | Cell | tuple):
            what = "a thread, a word or a row of words is not a number"
            self.text.error(node, scope.file, what, "t.word.load(), or t is u")
        return value

    def _decided(
        self, node: ast.expr, junction: ast.boolop, values: Sequence[ast.expr], scope: Scope, found: list[Step]
    ) -> Expr:
        """`and`, `or`: 1 or 0.  Only the first operand may access a word: whether the others are looked at depends on it."""
        first = truth(self._expression(values[0], scope, found))
        if len(values) == 1:
            return first
        rest = ast.copy_location(ast.BoolOp(junction, list(values[1:])), node)
        ends = isinstance(junction, ast.Or)
        if isinstance(first, Const):
            return Const(int(ends)) if bool(first.value) == ends else self._expression(rest, scope, found)
        late: list[Step] = []
        others = truth(self._expression(rest, scope, late))
        if late:
            self.text.error(rest, scope.file, "an access that and/or may leave out", "it first, or an if inside an if")
        return fold("|" if ends else "&", first, others)

    def _same_thread(self, node: ast.expr, a: ast.expr, b: ast.expr, scope: Scope) -> Expr:
        numbers: list[Expr] = []
        for value in (self._constant(a, scope), self._constant(b, scope)):
            if not isinstance(value, Record) or value.owner == WORLD:
                self.text.error(node, scope.file, "`is` compares threads", "a == b")
            owner = value.owner
            numbers.append(Me() if owner == SELF else owner if isinstance(owner, Local) else Const(int(owner)))
        return Const(1) if numbers[0] == numbers[1] else fold("==", *numbers)

    def _constant(self, node: ast.expr, scope: Scope) -> Value:
        """What a name, an attribute or a helper's call means, without touching shared memory."""
        match node:
            case ast.Constant(value=int(value)):
                return Const(int(value))
            case ast.Name(id=name):
                if name in scope.names:
                    return scope.names[name]
                if name in self.text.constants:
                    return self.text.constants[name]
                self.text.error(
                    node,
                    scope.file,
                    f"unknown name {name}",
                    "a parameter, a local set before, or a constant of the text",
                )
            case ast.Tuple(elts=elements):
                parts: list[Value] = []
                for e in elements:
                    parts += self._static(e.value, scope) if isinstance(e, ast.Starred) else [self._constant(e, scope)]
                return tuple(parts)
            case ast.Attribute():
                return self._attribute(node, scope)
            case ast.Call(func=ast.Name(id=name)) if (
                name in self.text.functions and (body := self.helper(name)) is not None
            ):
                parameters = self.text.functions[name].node.args.args
                names = dict(zip((a.arg for a in parameters), self._arguments(node, scope), strict=True))
                return self._constant(body, Scope(names, scope.ret, scope.path, self.text.functions[name].file))
            case _ if operates(node):
                return self.pure(node, scope)
            case ast.Call(func=ast.Name(id=name)) if name in ENVIRONMENT_ONLY:
                self.text.error(
                    node,
                    scope.file,
                    f"{name}() is no part of an expression",
                    "x = choose(words), alone in its statement",
                )
            case ast.Call(func=ast.Name(id=name)) if name not in self.text.functions:
                near = ", ".join(get_close_matches(name, self.text.functions, 3)) or "a procedure of the text"
                self.text.error(node, scope.file, f"no procedure {name}()", near)
            case ast.UnaryOp(op=ast.USub()):
                self.text.error(node, scope.file, "no value is below 0", "a constant of the text for it, from 0 up")
        self.text.error(
            node,
            scope.file,
            "not an expression of the protocol language",
            EXPRESSIONS,
        )

    def _attribute(self, node: ast.Attribute, scope: Scope) -> Value:
        base = self._constant(node.value, scope)
        match base:
            case Record(owner=owner, cls=cls):
                if cls not in self.text.words:
                    self.text.error(node, scope.file, f"the text has no class {cls}", f"class {cls}: with its words")
                declared = self.text.words[cls].get(node.attr)
                if declared is None:
                    self.text.error(
                        node,
                        scope.file,
                        f"{cls} declares no word {node.attr}",
                        f"one of {', '.join(self.text.words[cls])}",
                    )
                if declared == "Triggers":
                    return self._row(base, node.attr)
                return Private(node.attr) if declared == "int" else Cell(owner, node.attr)
            case Cell() if node.attr in ("real", "poison"):
                return Fixed(base, node.attr)
        self.text.error(node, scope.file, "no such attribute", "t.word, or word.real, word.poison")

    def _row(self, record: Record, word: str) -> tuple[Cell, ...]:
        return tuple(Cell(record.owner, f"{word}[{i}]") for i in range(self._ask("width", word) or 0))

    def _arguments(self, node: ast.expr, scope: Scope) -> list[Value]:
        assert isinstance(node, ast.Call)
        return [self._constant(a, scope) for a in node.args]

    def _index(self, node: ast.expr | None, scope: Scope) -> int | None:
        """An end of a slice."""
        match node:
            case None | ast.Constant(value=int()) | ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int())):
                return None if node is None else int(ast.literal_eval(node))
        self.text.error(node, scope.file, "an end of a slice is a number", "t.entry[1:], t.entry[:-1]")

    def _static(self, node: ast.expr, scope: Scope) -> tuple[Value, ...]:
        if is_call(node, "threads") and (threads := self._ask("threads")) is not None:
            return tuple(Record(i, "Thread") for i in range(threads))
        match node:
            case ast.Subscript(value=row, slice=ast.Slice(lower=lower, upper=upper, step=None)):
                return self._static(row, scope)[self._index(lower, scope) : self._index(upper, scope)]
        value = self._constant(node, scope)
        if not isinstance(value, tuple):
            self.text.error(
                node,
                scope.file,
                "a loop runs over something known when the text is compiled",
                "t.entry, a tuple of words, or threads()",
            )
        return value
