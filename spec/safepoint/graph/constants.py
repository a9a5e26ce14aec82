"""What a text itself calls the values of a word: the constants that it puts there, passes on to there, or compares it with."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator

from safepoint.graph.ir import ACCESSES, Const
from safepoint.graph.text import Text

Node = tuple[str, ...]
"""("word", its name), ("local", procedure, its name), ("result", procedure) or ("constant", its name)."""


def said(text: Text, word: str, value: int) -> str:
    """The value as the text would write it: by a constant's name, by several if they are bits, or as a number."""
    names = names_of(text, word)
    if value in names:
        return names[value]
    bits = {bit: name for bit, name in sorted(names.items()) if bit & bit - 1 == 0 and bit & value}
    return "|".join(bits.values()) if value and sum(bits) == value else str(value)


def names_of(text: Text, word: str) -> dict[int, str]:
    """Value to name, the nearest; a value that has two names equally near has none.  Constants declared together belong together."""
    beside = defaultdict[Node, set[Node]](set)
    for name, procedure in text.functions.items():
        for a, b in _same(text, name, procedure.node):
            beside[a].add(b)
            beside[b].add(a)
    found: dict[int, str] = {}
    level: set[Node] = {("word", word)}
    seen = set(level)
    while level:
        level = {node for known in level for node in beside[known]} - seen
        seen |= level
        names = sorted(node[1] for node in level if node[0] == "constant")
        values = [(constant.value, name) for name in names if isinstance(constant := text.constants[name], Const)]
        for value, name in values:
            if value not in found:
                found[value] = name if [v for v, _ in values].count(value) == 1 else ""
        level = {node for node in level if node[0] != "constant"}
    families = {text.families[name] for name in found.values() if name in text.families}
    for name, family in text.families.items():
        if family in families and isinstance(constant := text.constants[name], Const):
            found.setdefault(constant.value, name)
    return {value: name for value, name in found.items() if name}


def _same(text: Text, name: str, function: ast.FunctionDef) -> Iterator[tuple[Node, Node]]:
    """What may have one value: what is assigned, compared, passed and returned."""
    for node in ast.walk(function):
        pairs: list[tuple[ast.expr, ast.expr]] = []
        match node:
            case ast.Assign(targets=[target], value=value):
                pairs = [(target, value)]
            case ast.AnnAssign(target=target, value=ast.expr() as value):
                pairs = [(target, value)]
            case ast.Compare(left=left, comparators=others):
                pairs = [(left, other) for other in others]
            case ast.Call(func=ast.Attribute(value=ast.Attribute() as word, attr=op), args=args) if op in ACCESSES:
                pairs = [(word, arg) for arg in args]
            case ast.Call(func=ast.Name(id=called), args=args) if called in text.functions:
                parameters = text.functions[called].node.args.args
                for parameter, arg in zip(parameters, args, strict=False):
                    yield from ((("local", called, parameter.arg), b) for b in _nodes(text, name, arg))
            case ast.Return(value=ast.expr() as value):
                yield from ((("result", name), b) for b in _nodes(text, name, value))
        for one, other in pairs:
            yield from ((a, b) for a in _nodes(text, name, one) for b in _nodes(text, name, other))


def _nodes(text: Text, function: str, e: ast.expr) -> Iterator[Node]:
    """What an expression has its value from."""
    match e:
        case ast.Name(id=name) if isinstance(text.constants.get(name), Const):
            yield "constant", name
        case ast.Name(id=name):
            yield "local", function, name
        case ast.Attribute(attr=word):
            yield "word", word
        case ast.Call(func=ast.Attribute(value=word, attr=op)) if op in ACCESSES and op != "cas":
            yield from _nodes(text, function, word)
        case ast.Call(func=ast.Name(id=called)) if called in text.functions:
            yield "result", called
        case ast.BinOp(left=left, right=right):
            yield from _nodes(text, function, left)
            yield from _nodes(text, function, right)
        case ast.UnaryOp(operand=operand):
            yield from _nodes(text, function, operand)
