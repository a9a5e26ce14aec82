"""What is an address, what a number, an outcome or a truth: the text says `int`, and C has four types."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

from safepoint.emit.fold import Bodies, CannotEmit, expression
from safepoint.emit.vms import READY, SLEEP
from safepoint.graph.text import Text

BOOL, OUTCOME, WORD, ADDRESS = "bool", "enum sp_outcome", "uint32_t", "uintptr_t"
WIDTH = (BOOL, OUTCOME, WORD, ADDRESS)
"""From the narrowest."""
OUTCOMES = "GO"
"""A constant of the family of outcomes."""


@dataclass
class Kinds:
    """The types of a text's locals, parameters, results and private words: `procedure.name`, `procedure.`, `.word`."""

    text: Text
    bodies: Bodies
    found: dict[str, str] = field(default_factory=dict)
    settled: bool = False

    def __post_init__(self) -> None:
        """Go over all statements until nothing becomes wider; a number is what nothing makes more or less."""
        for name in self.bodies:
            self.found |= {f"{name}.{a.arg}": WORD for a in self.text.functions[name].node.args.args}
        nodes = [(name, n) for name, body in self.bodies.items() for s in body for n in ast.walk(s)]
        before: dict[str, str] | None = None
        while before != self.found:
            before = dict(self.found)
            for name, node in nodes:
                self._visit(name, node)
        self.settled = True

    def of(self, procedure: str, name: str) -> str:
        """The type of a local or a parameter."""
        return self.found.get(f"{procedure}.{name}", self._least)

    def result(self, procedure: str) -> str:
        """What a procedure returns; "void": nothing."""
        node = self.text.functions[procedure].node
        said = ast.unparse(node.returns) if node.returns else "None"
        if said != "int":
            return {"None": "void", "bool": BOOL}[said]
        return self.found.get(f"{procedure}.", self._least)

    @property
    def _least(self) -> str:
        return WORD if self.settled else BOOL

    def private(self, word: str) -> str:
        """The type of a word that only its owner touches."""
        return self.found.get(f".{word}", WORD)

    def expression(self, procedure: str, node: ast.expr) -> str:
        """The type of an expression."""
        match node:
            case ast.Constant(value=bool()) | ast.Compare() | ast.BoolOp() | ast.UnaryOp(op=ast.Not()):
                return BOOL
            case ast.Name(id=name) if name in self.text.constants:
                families = self.text.families
                return OUTCOME if name in families and families[name] == families.get(OUTCOMES) else WORD
            case ast.Name(id=name):
                return self.of(procedure, name)
            case ast.Attribute(attr="real" | "poison"):
                return ADDRESS
            case ast.Attribute(attr=word):
                return self.private(word)
            case ast.Call(func=ast.Attribute(value=word, attr=op)):
                return BOOL if op == "cas" else self.of_word(word)
            case ast.Call(func=ast.Name(id=called)) if called in self.bodies:
                return self.result(called)
            case ast.BinOp(left=left, right=right):
                return max(WORD, *(self.expression(procedure, each) for each in (left, right)), key=WIDTH.index)
            case ast.UnaryOp(operand=inner):
                return self.expression(procedure, inner)
        return WORD

    def of_word(self, node: ast.expr) -> str:
        """The type of a shared word: trigger words hold addresses."""
        match node:
            case ast.Attribute(attr=word):
                return ADDRESS if word in self.text.triggers() else WORD
        return ADDRESS  # `word`, of a row of trigger words

    def _widen(self, key: str, kind: str) -> None:
        before = self.found.get(key, BOOL)
        self.found[key] = max(before, kind, key=WIDTH.index)

    def _visit(self, procedure: str, node: ast.AST) -> None:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                self._widen(f"{procedure}.{name}", self.expression(procedure, value))
            case ast.Assign(targets=[ast.Attribute(attr=word)], value=value):
                self._is(procedure, value, self.private(word))
            case (
                ast.Compare(left=left, comparators=[right])
                | ast.BinOp(left=left, op=ast.Add() | ast.Sub(), right=right)
            ):
                if ADDRESS in (self.expression(procedure, left), self.expression(procedure, right)):
                    self._is(procedure, left, ADDRESS)
                    self._is(procedure, right, ADDRESS)
            case ast.Call(func=ast.Name(id=called), args=args) if called in self.bodies:
                self._pass(procedure, called, args)
            case ast.Return(value=ast.expr() as value):
                self._returned(procedure, value)

    def _is(self, procedure: str, node: ast.expr, kind: str) -> None:
        """What is compared with an address, or becomes one, is one."""
        match node:
            case ast.Name(id=name) if name not in self.text.constants:
                self._widen(f"{procedure}.{name}", kind)
            case ast.Attribute(attr=word) if word not in ("real", "poison"):
                self._widen(f".{word}", kind)
            case ast.BinOp(left=left, op=ast.Add() | ast.Sub(), right=right):
                self._is(procedure, left, kind)
                self._is(procedure, right, kind)

    def _pass(self, procedure: str, called: str, args: list[ast.expr]) -> None:
        """What is handed on as an address is one; what a procedure does with a parameter says what that is."""
        for parameter, value in zip(self.text.functions[called].node.args.args, args, strict=True):
            if self.of(called, parameter.arg) == ADDRESS:
                self._is(procedure, value, ADDRESS)

    def _returned(self, procedure: str, value: ast.expr) -> None:
        kind = self.expression(procedure, value)
        if kind not in WIDTH:  # `return f(t)` of a procedure without a result
            return
        is_number = kind == ADDRESS and expression(list(self.bodies[procedure])) is None
        self._widen(f"{procedure}.", WORD if is_number else kind)

    def parameters(self, procedure: str) -> list[tuple[str, str]]:
        """The parameters as C declares them: type and name.  Raises CannotEmit."""
        found = []
        for a in self.text.functions[procedure].node.args.args:
            declared = ast.unparse(a.annotation) if a.annotation else ""
            if declared in self.text.words:
                found.append(("struct sp_thread *", a.arg))
            elif declared == "Trigger":
                if uses(self.bodies, procedure, a.arg):
                    found.append(("unsigned ", a.arg))
            elif declared == "int":
                found.append((f"{self.of(procedure, a.arg)} ", a.arg))
            else:
                raise CannotEmit(
                    f"{procedure}: a parameter of type {declared or 'unknown'} has no C (write: a thread, a Trigger or an int)"
                )
        return [*found, *READY] if procedure == SLEEP else found


def uses(bodies: Bodies, procedure: str, name: str) -> bool:
    """Does a procedure do more with a trigger word than hand it on to one that has no use for it?"""
    for node in (n for statement in bodies[procedure] for n in ast.walk(statement)):
        match node:
            case ast.Call(func=ast.Name(id="back_edge"), args=[_, ast.Name(id=given)]) if given == name:
                if uses(bodies, "back_edge", name):
                    return True
            case ast.Attribute(value=ast.Name(id=used)) if used == name:
                return True
    return False
