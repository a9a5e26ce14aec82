"""Global claims of a text: `def always_…()` reads any word of any thread, and where each stands, and is no step of any of them.

It is lowered as a procedure is, but that a load is a name, whose value the packed state has.  What it reads is memory: not the
stores that are on their way.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass, field

from safepoint.graph import ir
from safepoint.graph.execute import Activation
from safepoint.graph.instance import Instance
from safepoint.graph.lower import Lowering
from safepoint.graph.scope import Scope, deeply
from safepoint.graph.text import GLOBAL, Record, Value
from safepoint.model.explore import Violation
from safepoint.model.fields import Field
from safepoint.model.roles import calls_of
from safepoint.model.system import Model

Read = Callable[[int], int]


@dataclass
class _Reading(Lowering):
    """Lowers a global claim.  `reads`: how to find the value of each name; `bits`: of the states, that it may depend on."""

    model: Model = field(kw_only=True)
    reads: dict[str, Read] = field(default_factory=dict)
    bits: int = 0

    def _expression(self, node: ast.expr, scope: Scope, found: list[ir.Step]) -> ir.Expr:
        match node:
            case ast.Call(func=ast.Attribute(value=word, attr="load"), args=[]):
                if isinstance(cell := self._constant(word, scope), ir.Cell):
                    return self._value(str(cell), self.model.cells.get(cell), self.model.initial_of(cell))
            case ast.Call(func=ast.Name(id="at"), args=[who, ast.Name(id=procedure)]):
                return self._at(node, who, procedure, scope)
            case ast.Call(func=ast.Name(id="owed"), args=[who]):
                thread = self._constant(who, scope)
                if isinstance(thread, Record) and isinstance(thread.owner, int):
                    return self._field(f"owed by T{thread.owner}", self.model.owed[thread.owner])
        return super()._expression(node, scope, found)

    def _constant(self, node: ast.expr, scope: Scope) -> Value:
        match node:
            case ast.Call(func=ast.Name(id="at" | "owed")):
                return self.pure(node, scope)
        return super()._constant(node, scope)

    def _attribute(self, node: ast.Attribute, scope: Scope) -> Value:
        base = self._constant(node.value, scope)
        mutator = self.model.mutators[0].graph
        if isinstance(base, Record) and isinstance(base.owner, int):
            if self.text.words[mutator.record].get(node.attr) == "int":
                where = self.model.mutators[base.owner].privates.get(node.attr)
                return self._value(f"T{base.owner}.{node.attr}", where, self.text.begins(False, node.attr))
        return super()._attribute(node, scope)

    def _value(self, name: str, where: Field | None, always: int) -> ir.Expr:
        """Of a word; `always`, where no process writes to it: no constant, or what the text claims below a test of it would be gone."""
        if where:
            return self._field(name, where)
        name = name.replace(".", " ")
        self.reads[name] = lambda _: always
        return ir.Local(name)

    def _field(self, name: str, where: Field) -> ir.Expr:
        name = name.replace(".", " ")  # a local of the text has a dot
        self.reads[name] = where.get
        self.bits |= where.mask << where.shift
        return ir.Local(name)

    def _at(self, node: ast.expr, who: ast.expr, procedure: str, scope: Scope) -> ir.Expr:
        """Does the thread, or any process of the role, stand at a step within the procedure?"""
        if procedure not in self.text.functions:
            self.text.error(node, scope.file, f"no procedure {procedure}", "at(t, f), with a procedure f of the text")
        if isinstance(who, ast.Name) and who.id in self.text.functions:
            found = [p for p in self.model.requesters if p.graph.name == who.id]
        else:
            thread = self._constant(who, scope)
            if not isinstance(thread, Record) or not isinstance(thread.owner, int):
                self.text.error(node, scope.file, "neither a thread nor a role", "at(t, f), or at(role, f)")
            found = [self.model.mutators[thread.owner]]
        places = [(p, frozenset(s.number for s in p.graph.steps if procedure in s.where)) for p in found]
        for process, _ in places:
            self.bits |= process.pc.mask << process.pc.shift
        name = f"at {ast.unparse(who)} {[p.name for p in found]} {procedure}"
        self.reads[name] = lambda state: int(any(p.pc.get(state) in steps for p, steps in places))
        return ir.Local(name)

    def _step(
        self, node: ast.AST, op: str, scope: Scope, cell: ir.Cell | None = None, operands: tuple[ir.Expr, ...] = ()
    ) -> ir.Step:
        said = f"{op} is a step, and a global claim makes none"
        self.text.error(node, scope.file, said, "t.word.load(), at(t, f), owed(t), claim(…), eventually(…)")


class _Seen(dict[str, int]):
    """The names of a claim: what it has set itself, or what the state has."""

    def __init__(self, reads: dict[str, Read], state: int) -> None:
        super().__init__()
        self.reads, self.state = reads, state

    def __missing__(self, name: str) -> int:
        return self.reads[name](self.state)


class _Heard:
    """What a global claim says of one state."""

    def __init__(self) -> None:
        self.asked: set[str] = set()
        self.broken: list[str] = []
        self.happened: set[str] = set()

    def ghost(self, op: str, owner: int | str, kind: int) -> None:
        raise AssertionError("a global claim says nothing of requests: it has been refused")

    def claim(self, name: str, holds: bool) -> None:
        self.asked.add(name)
        if not holds:
            self.broken.append(name)

    def happens(self, name: str) -> None:
        self.happened.add(name)

    def branch(self, place: str, taken: bool) -> None:
        """Only a step's branch must be seen taken both ways."""


def eventual(graph: ir.Graph) -> list[str]:
    """The names of what the graph calls `eventually`."""
    return list(dict.fromkeys(t.name for t in graph.trees if isinstance(t, ir.Claim) and not t.always))


class GlobalClaims:
    """Those of a model's text.  `eventual`: the names of what must be true again and again.  Raises ProtocolError."""

    def __init__(self, model: Model) -> None:
        self.model = model
        names = [name for name in model.text.functions if name.startswith(GLOBAL)]
        self.claims = [_lowered(model, name) for name in names]
        self.eventual = tuple(dict.fromkeys(name for claim in self.claims for name in eventual(claim.graph)))

    def judge(self, state: int) -> Violation | None:
        """The first claim that the state breaks."""
        for claim in self.claims:
            if broken := claim.heard(state).broken:
                return Violation(broken[0])
        return None

    def happens(self, name: str, state: int) -> bool:
        return any(name in claim.heard(state).happened for claim in self.claims)


@dataclass
class _Claim:
    """`places`: name of what is claimed always -> where, as `Model.places` has it.  `asked`: those that some state was asked."""

    graph: ir.Graph
    places: dict[str, str]
    asked: set[str]
    reads: dict[str, Read]
    bits: int
    reals: dict[str, int]
    known: dict[int, _Heard] = field(default_factory=dict)

    def heard(self, state: int) -> _Heard:
        key = state & self.bits
        if key not in self.known:
            self.known[key] = heard = _Heard()
            Activation(self.graph, ir.WORLD, _Seen(self.reads, key), {}, self.reals).begin(heard)
            self.asked.update(self.places[name] for name in heard.asked)
        return self.known[key]


def _lowered(model: Model, name: str) -> _Claim:
    procedure = model.text.functions[name]
    if procedure.node.args.args:
        model.text.error(procedure.node, procedure.file, f"{name}() has a parameter", "a loop: for t in threads():")
    instance = Instance(model.scope.threads, widths=model.scope.widths or model.policy.widths)
    lowering = _Reading(model.text, instance, model=model)
    with deeply():
        graph = lowering.root(name)
    for node in graph.trees:
        if isinstance(node, ir.Ghost):
            model.text.error(procedure.node, procedure.file, f"{name}() says {node.op}", "claim(…), in a global claim")
    called = {ast.unparse(call.func) for call in calls_of(procedure.node, *model.text.functions)}
    if not any(calls_of(model.text.functions[each].node, "claim", "eventually") for each in (name, *called)):
        raise model.text.complaint(name, "it claims nothing", 'claim("name", …)')
    always = [node.name for node in graph.trees if isinstance(node, ir.Claim) and node.always]
    places = {each: f'{procedure.file}:{procedure.node.lineno} claim("{each}")' for each in always}
    model.claims.update(places.values())
    return _Claim(graph, places, model.asked, lowering.reads, lowering.bits, model.reals)
