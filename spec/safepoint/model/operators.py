"""The operators of `mutation`: each makes simple mistakes of one kind in one procedure of a protocol text."""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from safepoint.graph.ir import ACCESSES, LOCKED
from safepoint.protocol import language
from safepoint.protocol.names import OPERATIONS, OUTCOMES, REQUESTS, STATES

OPERATORS: dict[str, str] = {
    "delete": "a statement is left out",
    "swap": "two neighbouring statements change places",
    "plain": "a locked access becomes a load and a store, or a store alone",
    "wait": "a wait is not waited for, or its condition is negated",
    "negate": "a condition is negated",
    "always": "a condition is taken to hold",
    "never": "a condition is taken not to hold",
    "relation": "a comparison is another one",
    "arithmetic": "another operation of arithmetic",
    "operand": "one operand alone",
    "constant": "another constant of the same family; 1 for 0, 0 for 1",
    "name": "another variable in scope, of the same type",
    "word": "another word of the same record",
    "drop-result": "a result is dropped: 0 in its place",
    "return-0": "0 is returned, and nothing is called",
    "loop": "a loop skips its first or last turn, or makes that turn alone",
}
"""Name of an operator to what it does to the text."""

FAMILIES = [list(names.values()) for names in (OUTCOMES, STATES, OPERATIONS)] + [[*REQUESTS.values(), "EVERYTHING"]]
RELATIONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Gt: (ast.GtE, ast.LtE), ast.GtE: (ast.Gt, ast.Lt), ast.Lt: (ast.LtE, ast.GtE), ast.LtE: (ast.Lt, ast.Gt),
    ast.Eq: (ast.NotEq,), ast.NotEq: (ast.Eq,),
}  # fmt: skip
ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd, ast.Add: ast.Sub, ast.Sub: ast.Add,
}  # fmt: skip
TURNS = {"skips the first": "[1:]", "skips the last": "[:-1]", "the first alone": "[:1]", "the last alone": "[-1:]"}
GHOSTS = {name for name, f in vars(language).items() if "object" in getattr(f, "__annotations__", {}).values()}
"""The statements that say something of a thread, which they take as an `object`, and do nothing."""
NEW = 0
"""The line of what does not stand in the text."""
WAS = "was"
"""The local in which a locked access that has become plain keeps what it read."""

Words = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True)
class Edit:
    """A procedure with one mistake in it.  before, after: the statement, without the statements that belong to it."""

    operator: str
    line: int
    before: str
    after: str
    function: ast.FunctionDef


@dataclass(frozen=True)
class Place:
    """Statement `at` of a block: attribute `block` of node number `parent` of the procedure, as `ast.walk` counts."""

    parent: int
    block: str
    at: int

    def of(self, function: ast.FunctionDef) -> list[ast.stmt]:
        block: list[ast.stmt] = getattr(list(ast.walk(function))[self.parent], self.block)
        return block


def edits(function: ast.FunctionDef, procedures: Mapping[str, ast.FunctionDef], words: Words) -> Iterator[Edit]:
    """Every simple mistake in a procedure.  `procedures`: of the text, by name.  `words`: of the text, class to word to type."""
    for place, statement in _statements(function):
        block = place.of(function)
        following = next((n for n in range(place.at + 1, len(block)) if not is_ghost(block[n])), None)
        for operator, new in _of_statement(statement, function, procedures):
            yield _edit(function, place, operator, statement, new)
        if following is not None:
            yield _swap(function, place, following)
        for old in _expressions(statement):
            for operator, changed in _of_expression(old, statement, function, words):
                yield _edit(function, place, operator, statement, [_with(statement, old, changed)])


def is_ghost(statement: ast.stmt) -> bool:
    """Says something about the protocol, and does nothing: no mistake of it is one of the protocol."""
    match statement:
        case ast.Expr(value=ast.Call(func=ast.Name(id=name))):
            return name in GHOSTS
        case ast.If(body=body, orelse=orelse):
            return all(map(is_ghost, [*body, *orelse]))
    return False


def said(statement: ast.stmt) -> str:
    """The statement, without the statements that belong to it."""
    return ast.unparse(statement).splitlines()[0]


# ---------------------------------------------------------------------------------------------- where


def _statements(function: ast.FunctionDef) -> Iterator[tuple[Place, ast.stmt]]:
    for number, node in enumerate(ast.walk(function)):
        for name in ("body", "orelse"):
            block = getattr(node, name, None)
            for at, statement in enumerate(block if isinstance(block, list) else ()):
                if not is_ghost(statement) and not isinstance(statement, ast.Pass):
                    yield Place(number, name, at), statement


def _own(statement: ast.stmt) -> list[ast.expr]:
    """The expressions of a statement, without those of the statements that belong to it."""
    match statement:
        case ast.If(test=test):
            return [test]
        case ast.For(iter=over):
            return [over]
    return [node for node in ast.iter_child_nodes(statement) if isinstance(node, ast.expr)]


def _expressions(statement: ast.stmt) -> Iterator[ast.expr]:
    for root in _own(statement):
        yield from (node for node in ast.walk(root) if isinstance(node, ast.expr))


class _Replace(ast.NodeTransformer):
    def __init__(self, old: ast.AST, new: ast.AST) -> None:
        self.old, self.new = old, new

    def visit(self, node: ast.AST) -> ast.AST:
        return self.new if node is self.old else self.generic_visit(node)


def _with(statement: ast.stmt, old: ast.expr, new: ast.expr) -> ast.stmt:
    """A copy of the statement, with an expression of it replaced."""
    marks = {id(old): old}  # deepcopy keeps what its memo says: the old expression, to be found in the copy
    made = _Replace(old, new).visit(copy.deepcopy(statement, marks))
    assert isinstance(made, ast.stmt)
    return made


def _edit(
    function: ast.FunctionDef, place: Place, operator: str, old: ast.stmt, new: Sequence[ast.stmt]
) -> Edit:
    made = copy.deepcopy(function)
    block = place.of(made)
    placed = [_placed(s, old) for s in new]
    block[place.at : place.at + 1] = placed
    if not block and place.block == "body":
        block.append(ast.copy_location(ast.Pass(), old))
    return Edit(operator, old.lineno, said(old), "; ".join(map(said, placed)), made)


def _placed(new: ast.stmt, old: ast.stmt) -> ast.stmt:
    """A copy of a statement that stands in the place of another: what is new in it has the other's line."""
    made = copy.deepcopy(new)
    for node in ast.walk(made):
        if isinstance(node, ast.stmt | ast.expr) and getattr(node, "lineno", NEW) <= NEW:
            ast.copy_location(node, old)
    return made


def _swap(function: ast.FunctionDef, place: Place, other: int) -> Edit:
    made = copy.deepcopy(function)
    block = place.of(made)
    one, two = block[place.at], block[other]
    block[place.at], block[other] = two, one
    return Edit("swap", one.lineno, f"{said(one)}; {said(two)}", f"{said(two)}; {said(one)}", made)


# ---------------------------------------------------------------------------------------------- what


def _parse(source: str) -> list[ast.stmt]:
    """Statements on line NEW."""
    module = ast.parse(source)
    for node in ast.walk(module):
        if isinstance(node, ast.stmt | ast.expr):
            node.lineno = NEW
    return module.body


def _expression(source: str) -> ast.expr:
    (statement,) = _parse(source)
    assert isinstance(statement, ast.Expr)
    return statement.value


def _of_statement(
    statement: ast.stmt, function: ast.FunctionDef, procedures: Mapping[str, ast.FunctionDef]
) -> Iterator[tuple[str, list[ast.stmt]]]:
    """Operator, and the statements in the place of this one."""
    yield "delete", []
    gives = ast.unparse(function.returns or ast.Constant(None)) != "None"
    zero = "return 0" if gives else "return"
    match statement:
        case ast.If(test=test, body=body, orelse=orelse):
            yield "always", body
            yield "never", orelse
            yield "negate", [ast.If(_expression(negated(test)), body, orelse)]
        case ast.Expr(value=ast.Call(func=ast.Name(id="wait"), args=[condition])):
            yield "wait", _parse(f"wait({negated(condition)})")
            for access in _accesses(condition, ACCESSES):
                yield "wait", _parse(ast.unparse(access))
        case ast.Return(value=ast.Call(func=ast.Name(id=name)) as call) if name in procedures and gives:
            yield "drop-result", _parse(f"{ast.unparse(call)}\nreturn 0")
        case ast.Assign(value=ast.Call(func=ast.Name(id=name)) as call, targets=[target]) if name in procedures:
            yield "drop-result", _parse(f"{ast.unparse(call)}\n{ast.unparse(target)} = 0")
        case ast.For(iter=over):
            for turn in TURNS.values():
                yield "loop", [ast.For(statement.target, _expression(ast.unparse(over) + turn), statement.body, [])]
    if isinstance(statement, ast.Return) and statement.value is not None:
        yield "return-0", _parse(zero)
    for root in _own(statement):
        for access in _accesses(root, LOCKED):
            for made in _plain(statement, access):
                yield "plain", made


def negated(condition: ast.expr) -> str:
    match condition:
        case ast.Compare(left=left, ops=[relation], comparators=[right]):
            return ast.unparse(ast.Compare(left, [RELATIONS[type(relation)][-1]()], [right]))
    return ast.unparse(ast.Compare(condition, [ast.Eq()], [ast.Constant(0)]))


def _accesses(root: ast.expr, ops: Sequence[str]) -> Iterator[ast.Call]:
    for node in ast.walk(root):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in ops:
            yield node


def _plain(statement: ast.stmt, access: ast.Call) -> Iterator[list[ast.stmt]]:
    """The ways to make a locked access by a load and a store, and, if what it gives is not looked at, by a store alone."""
    assert isinstance(access.func, ast.Attribute)
    word, (value, *rest) = ast.unparse(access.func.value), map(ast.unparse, access.args)
    unused = isinstance(statement, ast.Expr) and statement.value is access
    match access.func.attr, statement:
        case "cas", ast.Expr(value=ast.Call(func=ast.Name(id="wait"))):
            yield _parse(f"wait({word}.load() == {value})\n{word}.store({rest[0]})")
            return
        case "cas", _:
            store, gives = f"if {WAS} == {value}:\n    {word}.store({rest[0]})", f"{WAS} == {value}"
            alone = f"{word}.store({rest[0]})"
        case "swap", _:
            store, gives = f"{word}.store({value})", WAS
            alone = store
        case op, _:
            store, gives = f"{word}.store({WAS} {'|' if op == 'fetch_or' else '&'} {value})", WAS
            alone = ""
    if unused and alone:
        yield _parse(alone)
    if not unused or access.func.attr != "swap":
        looks = [] if unused else [_with(statement, access, _expression(gives))]
        yield [*_parse(f"{WAS} = {word}.load()\n{store}"), *looks]


def _of_expression(
    e: ast.expr, statement: ast.stmt, function: ast.FunctionDef, words: Words
) -> Iterator[tuple[str, ast.expr]]:
    """Operator, and the expression in the place of this one."""
    match e:
        case ast.Compare(left=left, ops=[relation], comparators=comparators):
            for other in RELATIONS[type(relation)]:
                yield "relation", ast.Compare(left, [other()], comparators)
        case ast.BinOp(left=left, op=op, right=right):
            yield "arithmetic", ast.BinOp(left, ARITHMETIC[type(op)](), right)
            yield "operand", left
            yield "operand", right
        case ast.UnaryOp(op=ast.Invert(), operand=operand):
            yield "operand", operand
        case ast.Constant(value=int(value)) if value in (0, 1):
            yield "constant", ast.Constant(1 - value)
        case ast.Name(id=name, ctx=ast.Load()):
            for family in FAMILIES:
                if name in family:
                    yield from (("constant", ast.Name(other, ast.Load())) for other in family if other != name)
            kinds = _variables(function, statement)
            same = (other for other, kind in kinds.items() if name in kinds and kind == kinds[name] and other != name)
            yield from (("name", ast.Name(other, ast.Load())) for other in same)
        case ast.Attribute(value=record, attr=word):
            same = next((_same(own, word) for own in words.values() if own.get(word) in ("Word", "int")), iter(()))
            yield from (("word", ast.Attribute(record, other, e.ctx)) for other in same)


def _same(own: Mapping[str, str], word: str) -> Iterator[str]:
    return (other for other, kind in own.items() if kind == own[word] and other != word)


def _variables(function: ast.FunctionDef, before: ast.stmt) -> dict[str, str]:
    """The parameters, and the locals that are assigned before the statement, each with its type."""
    kinds = {a.arg: ast.unparse(a.annotation) if a.annotation else "" for a in function.args.args}
    for node in ast.walk(function):
        if isinstance(node, ast.Assign) and node.lineno < before.lineno:
            kinds |= {target.id: "int" for target in node.targets if isinstance(target, ast.Name)}
    return kinds


