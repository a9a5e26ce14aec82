"""The front end: one procedure or role of a text becomes a `Graph`.

Continuation-passing: a call is inlined with what follows it, and `return f(t)` passes the same continuation on, so that
(procedure, arguments, continuation) is a memo key, and cycles close by themselves.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from difflib import get_close_matches
from weakref import WeakKeyDictionary

from safepoint.graph import ir
from safepoint.graph.accesses import find_mutant, weakened
from safepoint.graph.flow import liveness, looks
from safepoint.graph.instance import Answer, Instance, Known, Question
from safepoint.graph.loops import Loops
from safepoint.graph.scope import Next, Return, Scope, branch, deeply, ends, place_of, plain, say
from safepoint.graph.text import ProtocolError, Record, Text, Value

COMMANDS = ("wait", "when", "pause", "rest", "claim", "eventually", "fence", "fence_others", *ir.GHOSTS)
"""The statements that are calls."""


@dataclass
class Lowering(Loops):
    """Lowers one root."""

    entered: dict[tuple[object, ...], int] = field(default_factory=dict)
    kept: list[Return] = field(default_factory=list)  # keeps the ids in `entered` unique

    def root(self, name: str) -> ir.Graph:
        """A parameter that is a thread is the running one; the others are integers."""
        function = self.text.functions[name].node
        args: list[Value] = []
        params: list[str] = []
        owner, record = ir.WORLD, ""
        for a in function.args.args:
            cls = ast.unparse(a.annotation) if a.annotation else ""
            if cls in self.text.words:
                owner, record = ir.SELF, cls
                args.append(Record(ir.SELF, cls))
            elif cls == "Trigger":
                args.append(self._row(Record(ir.SELF, "Thread"), "entry")[self._ask("word") or 0])
            else:
                params.append(f"{name}.{a.arg}")
                args.append(ir.Local(params[-1]))
        start = self._inline(function, name, args, ir.Done, Scope({}, ir.Done, (), self.text.functions[name].file))
        graph = ir.Graph(
            name, owner, tuple(params), start, self.steps, self.labels, mutated=self.mutated, record=record
        )
        self._check_jumps(graph)
        (graph.live, unset), graph.looks, graph.read = liveness(graph), looks(graph), frozenset(self.read)
        for local in sorted(unset - {*graph.params}):
            procedure, _, variable = local.rpartition(".")
            if procedure in self.text.functions:
                said = f"{variable} is not set on every way to its use"
                raise self.text.complaint(procedure, said, f"{variable} = 0 first")
        return graph

    def _check_jumps(self, graph: ir.Graph) -> None:
        """Local work that comes round to itself might never end; a loop over threads does, but its turns are checked."""
        loops = [t for t in self.labels.values() if isinstance(t, ir.If) and ir.Population() in ir.atoms(t.test)]
        for jump, node, file in self.again:
            if any(tree is jump for tree in graph.local(self.labels[jump.label], loops)):
                self.text.error(node, file, f"{graph.name} comes back here without a step", "pause() in each round")

    # -- procedures

    def _inline(self, node: ast.AST, name: str, args: list[Value], ret: Return, caller: Scope) -> ir.Tree:
        self.read.add(name)
        procedure = self.text.functions[name]
        parameters = procedure.node.args.args
        if name in caller.path:
            self.text.error(
                node, caller.file, "recursion that is not `return f(t)`", "that, or a loop over triggers or threads"
            )
        if len(parameters) != len(args):
            self.text.error(
                node,
                caller.file,
                f"{name}() has {len(parameters)} parameters, not {len(args)}",
                ast.unparse(procedure.node.args),
            )
        key = (name, tuple(args), id(ret), caller.path, caller.atomic)
        if key in self.entered:
            if caller.atomic:
                self.text.error(node, caller.file, "an atomic block goes round", "a loop over threads, or no block")
            self.again.append((ir.Goto(self.entered[key]), node, caller.file))
            return self.again[-1][0]
        self.kept.append(ret)
        self.entered[key] = len(self.labels)
        names: dict[str, Value] = {}
        lets: list[tuple[ir.Local, ir.Expr]] = []
        for parameter, value in zip(parameters, args, strict=True):
            local = ir.Local(f"{name}.{parameter.arg}")
            fixed = isinstance(value, ir.Const) and parameter.arg not in procedure.assigned
            if fixed or isinstance(value, Record | ir.Cell | tuple) or value == local:
                names[parameter.arg] = value
            else:
                names[parameter.arg] = local
                lets.append((local, value))

        def body() -> ir.Tree:
            scope = Scope(names, ret, (*caller.path, name), procedure.file, caller.atomic)
            tree = self._block(procedure.node.body, scope, lambda: ret(None))
            for local, value in lets:
                tree = ir.Let(local, value, tree, place_of(node, caller))
            return tree

        return self._label(body)

    # -- statements

    def _block(self, body: list[ast.stmt], scope: Scope, then: Next) -> ir.Tree:
        if not body:
            return then()
        if len(body) > 1 and ends(body[0]) and self.text.is_custom:  # of ours, `mutate` asks what the properties say
            self.text.error(
                body[1],
                scope.file,
                "no way leads here, so it is not explored",
                "it before the statement that never goes on, or not at all",
            )
        match body[0]:
            case (
                ast.Assign(targets=[ast.Name(id=name)], value=ast.Call(func=ast.Name(id="choose"), args=[over])) as node
            ):
                return self._choose_one(node, name, over, body[1:], scope, then)
        return self._statement(body[0], scope, lambda: self._block(body[1:], scope, then))

    def _statement(self, node: ast.stmt, scope: Scope, then: Next) -> ir.Tree:
        match plain(node):
            case ast.Pass() | ast.Expr(value=ast.Constant()):
                return then()
            case ast.Return(value=None | ast.Constant(value=None)):
                return scope.ret(None)
            case ast.Return(value=ast.expr() as value):
                if name := self._procedure(value):
                    return self._inline(node, name, self._arguments(value, scope), scope.ret, scope.left())
                return self._evaluate(value, scope, scope.ret)
            case ast.If(test=test, body=yes, orelse=no):
                after, place = self._join(then), f"{scope.file}:{node.lineno}"
                return self._evaluate(
                    test,
                    scope,
                    lambda v: branch(
                        v, lambda: self._block(yes, scope, after), lambda: self._block(no, scope, after), place
                    ),
                )
            case ast.For(target=ast.Name(id=name), iter=over, body=body, orelse=[]):
                return self._loop(name, over, body, scope, then)
            case ast.Match(subject=ast.Call(func=ast.Name(id="choose"), args=[]), cases=cases):
                if guard := next((c.guard for c in cases if c.guard), None):
                    self.text.error(guard, scope.file, "a case has no `if`", "when(…) as its first statement")
                made = self._step(node, "choose", scope)
                after = self._join(then)
                made.cases = tuple(ast.unparse(c.pattern).strip("'\"") for c in cases)
                made.then = [self._block(c.body, scope, after) for c in cases]
                return made
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                local = ir.Local(f"{scope.path[-1]}.{name}")
                scope.names[name] = local
                return self._assign(node, local, value, scope, then)
            case ast.Assign(targets=[ast.Attribute() as target], value=value):
                private = self._attribute(target, scope)
                if not isinstance(private, ir.Private):
                    instead = "t.word.store(value), t.word.fetch_add(value)"
                    self.text.error(node, scope.file, "a shared word is not assigned", instead)
                return self._assign(node, private, value, scope, then)
            case ast.Expr(value=ast.Call() as call):
                return self._command(call, scope, then)
        return self._control(node, scope, then)

    def _assign(
        self, node: ast.stmt, target: ir.Local | ir.Private, value: ast.expr, scope: Scope, then: Next
    ) -> ir.Tree:
        def let(v: ir.Expr | None) -> ir.Tree:
            if v is None:
                self.text.error(node, scope.file, "a procedure that returns nothing has no value", "the call alone")
            return ir.Let(target, v, then(), place_of(node, scope))

        if name := self._procedure(value):
            return self._inline(node, name, self._arguments(value, scope), let, scope)
        return self._evaluate(value, scope, let)

    def _choose_one(
        self, node: ast.stmt, name: str, over: ast.expr, rest: list[ast.stmt], scope: Scope, then: Next
    ) -> ir.Tree:
        values = self._static(over, scope)
        made = self._step(node, "choose", scope)
        after = self._join(then)
        made.cases = tuple(f"{name}={say(v)}" for v in values)
        made.then = [self._block(rest, scope.binding(name, v), after) for v in values]
        return made

    def _command(self, call: ast.Call, scope: Scope, then: Next) -> ir.Tree:
        if name := self._procedure(call):
            after = self._join(then)
            return self._inline(call, name, self._arguments(call, scope), lambda v: after(), scope)
        match call:
            case ast.Call(func=ast.Name(id="wait" | "rest" as op), args=[condition]):
                return self._wait(condition, scope, then, rests=op == "rest")
            case ast.Call(func=ast.Name(id=op), args=[first, second]) if op in ir.GHOSTS:
                whom, kind = (first, second) if ir.GHOSTS[op] else (second, first)
                return ir.Ghost(op, self._whom(op, whom, scope), self.pure(kind, scope), then())
            case ast.Call(func=ast.Name(id="when"), args=[condition]):
                holds = self.pure(condition, scope)
                return ir.When(holds, ir.Done(None)) if holds == ir.Const(0) else ir.When(holds, then())
            case ast.Call(func=ast.Name(id="claim" | "eventually" as op), args=[ast.Constant(str(name)), condition]):
                return ir.Claim(name, self.pure(condition, scope), then(), op == "claim")
            case ast.Call(func=ast.Name(id="pause" | "rest" | "fence" | "fence_others" as op), args=[]):
                made = self._step(call, op, scope)
                made.guard, made.rests, made.then = ir.Const(0) if op == "rest" else None, op == "rest", [then()]
                return made
            case ast.Call(func=ast.Attribute(attr=op)) if op in ir.ACCESSES:
                return self._evaluate(call, scope, lambda v: then())
        said = ast.unparse(call.func)
        near = get_close_matches(said, [*self.text.functions, *COMMANDS], 3)
        if isinstance(call.func, ast.Attribute):
            near = [f"{ast.unparse(call.func.value)}.{access}(…)" for access in sorted(ir.ACCESSES)]
        instead = ", ".join(near) or f"a procedure of the text, an access, or one of {', '.join(COMMANDS)}"
        self.text.error(call, scope.file, f"unknown command {said}", instead)

    def _whom(self, op: str, node: ast.expr, scope: Scope) -> int | str | ir.Local:
        record = self._constant(node, scope)
        if not isinstance(record, Record):
            instead = f"{op}(t, kind)" if ir.GHOSTS[op] else f"{op}(kind, t)"
            self.text.error(node, scope.file, "not a thread", instead)
        return record.owner

    def _wait(self, condition: ast.expr, scope: Scope, then: Next, *, rests: bool) -> ir.Tree:
        found: list[ir.Step] = []
        guard = self._expression(condition, scope, found)
        if len(found) != 1 or found[0].op not in ("load", "cas"):
            self.text.error(condition, scope.file, "wait needs exactly one load or cas", "wait(t.word.load() == value)")
        found[0].guard, found[0].rests = guard, rests
        found[0].then = [then()]
        return found[0]


_COMPILED: WeakKeyDictionary[Text, dict[tuple[str, str], Known[ir.Graph]]] = WeakKeyDictionary()
"""Of each text the graphs, by procedure or role; and by mutant, if it takes other orders: no instance is asked for those."""


def compile_graph(text: Text, name: str, instance: Instance | None = None) -> ir.Graph:
    """The graph of one procedure or role, which must not be changed: who asks again gets the same one, also with an instance that
    differs in nothing which it asks for.  Raises ProtocolError; also for a mutant that the text does not have.
    """
    instance = instance or Instance()
    mutant = find_mutant(text, instance.mutant).name if instance.mutant else ""
    known = _COMPILED.setdefault(text, {}).setdefault((name, mutant if weakened(text, mutant) else ""), Known())
    if (graph := known.find(instance) or _of_base(text, name, instance)) is None:
        answers: dict[Question, Answer] = {}
        graph = compile_anew(text, name, instance, answers)
        known.keep(answers, graph)
    return graph


def _of_base(text: Text, name: str, instance: Instance) -> ir.Graph | None:
    """The graph of the text's base, if it was made without a look into what differs: nothing else of the two texts does."""
    if text.base is None or weakened(text, instance.mutant):  # an access is looked for in the whole text
        return None
    try:
        graph = compile_graph(text.base, name, instance)
    except ProtocolError:
        return None
    ours, theirs = text.functions, text.base.functions
    return graph if all(ours[each] is theirs[each] for each in graph.read) else None


def compile_anew(text: Text, name: str, instance: Instance, answers: dict[Question, Answer] | None = None) -> ir.Graph:
    """As `compile_graph`, but the caller's own.  `answers`: gets those of the instance."""
    if instance.mutant:
        find_mutant(text, instance.mutant)
    if name not in text.functions:
        raise ProtocolError(f"no procedure {name!r} in the text; there are: {', '.join(sorted(text.functions))}")
    try:
        with deeply():
            return Lowering(text, instance, answers={} if answers is None else answers).root(name)
    except RecursionError:
        raise ProtocolError(
            f"{text.functions[name].file}: {name}: a parameter takes ever new constant values (write instead: a local variable)"
        ) from None


def compile_helper(text: Text, name: str) -> ir.Expr:
    """The expression of a helper of one thread, such as `deliverable(t)`, over that thread's private words.  Raises ProtocolError."""
    lowering = Lowering(text, Instance())
    body = lowering.helper(name) if name in text.functions else None
    if body is None:
        raise ProtocolError(
            f"no helper {name}() in the text (write: def {name}(t: Me) -> int: return …, without an access)"
        )
    procedure = text.functions[name]
    scope = Scope({procedure.node.args.args[0].arg: Record(ir.SELF, "Me")}, ir.Done, (name,), procedure.file)
    return lowering.pure(body, scope)
