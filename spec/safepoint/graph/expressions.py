"""The expressions of a protocol text: what a name, a word or a helper's call means, and at most one shared access."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass, field

from safepoint.graph.ir import ACCESSES, RESULT, Cell, Const, Expr, Fixed, If, Private, Step, Tree, fold
from safepoint.graph.text import Record, Text, Value

OPERATORS: dict[type[ast.AST], str] = {
    ast.BitAnd: "&", ast.BitOr: "|", ast.Add: "+", ast.Sub: "-", ast.Eq: "==", ast.NotEq: "!=",
    ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Invert: "~",
}  # fmt: skip
ENVIRONMENT_ONLY = ("choose", "when", "pause", "rest", "claim", "eventually")

Return = Callable[[Expr | None], Tree]
Next = Callable[[], Tree]


@dataclass(frozen=True)
class Instance:
    """What is fixed when a text is compiled.  `threads` None: any number, a loop at run time.  `widths`: rows of trigger words."""

    threads: int | None = 1
    mutant: str = ""
    widths: tuple[tuple[str, int], ...] = (("entry", 1),)
    slices: tuple[str, ...] = ()  # features of the scope
    word: int = 0  # which word of its row a root's parameter of type Trigger is


@dataclass
class Scope:
    """Names of one inlined procedure, the way back, the path of procedures, and the file it stands in."""

    names: dict[str, Value]
    ret: Return
    path: tuple[str, ...]
    file: str

    def left(self) -> Scope:
        """The caller's place, for a jump: the procedure that jumps is over."""
        return Scope(self.names, self.ret, self.path[:-1], self.file)

    def binding(self, name: str, value: Value) -> Scope:
        return Scope({**self.names, name: value}, self.ret, self.path, self.file)


@dataclass
class Expressions:
    """What lowering a statement needs to know of the expressions in it."""

    text: Text
    instance: Instance
    steps: list[Step] = field(default_factory=list)
    mutated: bool = False  # has the instance's mutant been met?

    def _step(
        self, node: ast.AST, op: str, scope: Scope, cell: Cell | None = None, operands: tuple[Expr, ...] = ()
    ) -> Step:
        line = getattr(node, "lineno", 0)
        made = Step(
            len(self.steps), op, cell, operands, scope.path, line, self.text.source(scope.file, line), scope.file
        )
        self.steps.append(made)
        return made

    def _procedure(self, node: ast.expr, within: frozenset[str] = frozenset()) -> str | None:
        """The procedure that a call names, when it has steps: not a helper, which is an expression."""
        match node:
            case ast.Call(func=ast.Name(id=name)) if name in self.text.functions and name != "threads":
                return None if name not in within and self.helper(name, within) else name
        return None

    def helper(self, name: str, within: frozenset[str] = frozenset()) -> ast.expr | None:
        """The expression that a helper is short for; None of a procedure.  `within`: whose expressions it is part of."""
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
            case ast.Call(func=ast.Attribute(value=word, attr=op), args=args) if op in ACCESSES:
                cell = self._constant(word, scope)
                if not isinstance(cell, Cell):
                    self.text.error(node, scope.file, "not a shared word", "t.word.load()")
                found.append(self._step(node, op, scope, cell, tuple(self.pure(a, scope) for a in args)))
                return RESULT
            case ast.Call(func=ast.Name(id="mutant"), args=[ast.Constant(value=name), *_]):
                self.mutated = self.mutated or name == self.instance.mutant
                return Const(int(name == self.instance.mutant))
            case ast.Call(func=ast.Name(id="slice_on"), args=[ast.Constant(value=name)]):
                return Const(int(name in self.instance.slices))
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
            case ast.UnaryOp(op=ast.Invert(), operand=a):
                return fold("~", self._expression(a, scope, found))
        value = self._constant(node, scope)
        if isinstance(value, Record | Cell | tuple):
            self.text.error(node, scope.file, "a thread, a word or a row of words is not a number", "t.word.load()")
        return value

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
                return self._constant(body, Scope(names, scope.ret, scope.path, scope.file))
            case ast.BinOp(op=op) | ast.Compare(ops=[op]) | ast.UnaryOp(op=op) if type(op) in OPERATORS:
                return self.pure(node, scope)
            case ast.Call(func=ast.Name(id=name)) if name in ENVIRONMENT_ONLY:
                self.text.error(
                    node,
                    scope.file,
                    f"{name}() is no part of an expression",
                    "x = choose(words), alone in its statement",
                )
        self.text.error(
            node,
            scope.file,
            "not an expression of the protocol language",
            "constants, locals, & | + - ~ == != < <= > >=",
        )

    def _attribute(self, node: ast.Attribute, scope: Scope) -> Value:
        base = self._constant(node.value, scope)
        match base:
            case Record(owner=owner, cls=cls):
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
        return tuple(Cell(record.owner, f"{word}[{i}]") for i in range(dict(self.instance.widths).get(word, 1)))

    def _arguments(self, node: ast.expr, scope: Scope) -> list[Value]:
        assert isinstance(node, ast.Call)
        return [self._constant(a, scope) for a in node.args]

    def _static(self, node: ast.expr, scope: Scope) -> tuple[Value, ...]:
        if is_call(node, "threads") and self.instance.threads is not None:
            return tuple(Record(i, "Thread") for i in range(self.instance.threads))
        match node:
            case ast.Subscript(value=row, slice=ast.Slice(lower=lower, upper=upper, step=None)):
                return self._static(row, scope)[_index(lower) : _index(upper)]
        value = self._constant(node, scope)
        if not isinstance(value, tuple):
            self.text.error(
                node,
                scope.file,
                "a loop runs over something known when the text is compiled",
                "t.entry, a tuple of words, or threads()",
            )
        return value


def _index(node: ast.expr | None) -> int | None:
    """An end of a slice."""
    return None if node is None else int(ast.literal_eval(node))


def is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def is_call(node: ast.expr, name: str) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name


def say(value: Value) -> str:
    """Names a static value to people."""
    match value:
        case Record(owner=int(owner)):
            return f"T{owner}"
        case Cell(word=word):
            return word
    return str(value)


def branch(test: Expr | None, yes: Next, no: Next, place: str) -> Tree:
    if isinstance(test, Const):
        return yes() if test.value else no()
    assert test is not None
    return If(test, yes(), no(), place)


def place_of(node: ast.AST, scope: Scope) -> str:
    return f"{scope.file}:{getattr(node, 'lineno', 0)}"
