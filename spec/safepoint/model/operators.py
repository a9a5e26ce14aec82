"""The operators of `mutation`: each makes simple mistakes of one kind in one procedure of a protocol text."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Mapping, Sequence

from safepoint.graph.ir import ACCESSES, LOCKED, MODIFIES
from safepoint.model.edits import Edit, edit, expression, expressions, is_ghost, parsed, replaced, statements, swap
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
    ast.Eq: (ast.NotEq,), ast.NotEq: (ast.Eq,), ast.Is: (ast.IsNot,), ast.IsNot: (ast.Is,),
}  # fmt: skip
ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd, ast.Add: ast.Sub, ast.Sub: ast.Add,
}  # fmt: skip
TURNS = ("[1:]", "[:-1]", "[:1]", "[-1:]")
WAS = "was"
"""The local in which a locked access that has become plain keeps what it read."""

Words = Mapping[str, Mapping[str, str]]


def edits(function: ast.FunctionDef, procedures: Collection[str], words: Words) -> Iterator[Edit]:
    """Every simple mistake in a procedure.  `procedures`: of the text, those at least that it calls.  `words`: of the text, class to word to type."""
    for place, statement in statements(function):
        block = place.of(function)
        following = next((n for n in range(place.at + 1, len(block)) if not is_ghost(block[n])), None)
        for operator, new in _of_statement(statement, function, procedures):
            yield edit(function, place, operator, statement, new)
        if following is not None:
            yield swap(function, place, following)
        for old in (e for root in expressions(statement) for e in ast.walk(root) if isinstance(e, ast.expr)):
            for operator, changed in _of_expression(old, statement, function, words):
                yield edit(function, place, operator, statement, [replaced(statement, old, changed)])


def _of_statement(
    statement: ast.stmt, function: ast.FunctionDef, procedures: Collection[str]
) -> Iterator[tuple[str, list[ast.stmt]]]:
    """Operator, and the statements in the place of this one."""
    yield "delete", []
    gives = ast.unparse(function.returns or ast.Constant(None)) != "None"
    zero = "return 0" if gives else "return"
    match statement:
        case ast.If(test=test, body=body, orelse=orelse):
            yield "always", body
            yield "never", orelse
            yield "negate", [ast.If(expression(negated(test)), body, orelse)]
        case ast.Expr(value=ast.Call(func=ast.Name(id="wait"), args=[condition])):
            yield "wait", parsed(f"wait({negated(condition)})")
            for access in _accesses(condition, ACCESSES):
                yield "wait", parsed(ast.unparse(access))
        case ast.Return(value=ast.Call(func=ast.Name(id=name)) as call) if name in procedures and gives:
            yield "drop-result", parsed(f"{ast.unparse(call)}\nreturn 0")
        case ast.Assign(value=ast.Call(func=ast.Name(id=name)) as call, targets=[target]) if name in procedures:
            yield "drop-result", parsed(f"{ast.unparse(call)}\n{ast.unparse(target)} = 0")
        case ast.For(iter=over):
            for turn in TURNS:
                yield "loop", [ast.For(statement.target, expression(ast.unparse(over) + turn), statement.body, [])]
    if isinstance(statement, ast.Return) and statement.value is not None:
        yield "return-0", parsed(zero)
    for root in expressions(statement):
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
            yield parsed(f"wait({word}.load() == {value})\n{word}.store({rest[0]})")
            return
        case "cas", _:
            store, gives = f"if {WAS} == {value}:\n    {word}.store({rest[0]})", f"{WAS} == {value}"
            alone = f"{word}.store({rest[0]})"
        case "swap", _:
            store, gives = f"{word}.store({value})", WAS
            alone = store
        case op, _:
            store, gives = f"{word}.store({WAS} {MODIFIES[op]} {value})", WAS
            alone = ""
    if unused and alone:
        yield parsed(alone)
    if not unused or access.func.attr != "swap":
        looks = [] if unused else [replaced(statement, access, expression(gives))]
        yield [*parsed(f"{WAS} = {word}.load()\n{store}"), *looks]


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
            yield from (("name", ast.Name(other, ast.Load())) for other in _alike(kinds, name))
        case ast.Attribute(value=record, attr=word):
            for own in [own for own in words.values() if own.get(word) in ("Word", "int")][:1]:
                yield from (("word", ast.Attribute(record, other, e.ctx)) for other in _alike(own, word))


def _alike(kinds: Mapping[str, str], name: str) -> list[str]:
    """The other names of the same kind."""
    return [other for other, kind in kinds.items() if kind == kinds.get(name) and other != name]


def _variables(function: ast.FunctionDef, before: ast.stmt) -> dict[str, str]:
    """The parameters, and the locals that are assigned before the statement, each with its type."""
    kinds = {a.arg: ast.unparse(a.annotation) if a.annotation else "" for a in function.args.args}
    for node in ast.walk(function):
        if isinstance(node, ast.Assign) and node.lineno < before.lineno:
            kinds |= {target.id: "int" for target in node.targets if isinstance(target, ast.Name)}
    return kinds
