"""Statements of the text in C, a procedure at a time."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from safepoint.emit.accesses import weak
from safepoint.emit.events import PRIVATE, REACHED, Events, event, passed, site, trigger_word
from safepoint.emit.expressions import Expressions
from safepoint.emit.fold import Body, jump, named
from safepoint.emit.kinds import BOOL
from safepoint.emit.locals import early_locals
from safepoint.emit.vms import COMPILER_FENCE, HOOK_OF, LOOK_AT_IT, SLEEP, replaces_a_barrier, word_checked
from safepoint.emit.waits import Waits, access_in
from safepoint.graph import ir
from safepoint.trace.observe import GHOSTS

COLD = ("push_failed", "slow_path")
"""What a check site calls when it fails: out of the way of the code that passes."""
OPERATION = "operate"
"""The procedure whose look at the operation stands for the operation itself."""


@dataclass(frozen=True)
class Line:
    """A line of C.  `depth`: how far it is indented; -1: a directive.  `source`: the line of the text that it comes from, 0: none."""

    depth: int
    code: str
    source: int = 0


@dataclass
class Statements:
    """Writes the body of one procedure.

    circle: the procedures that it jumps round with; head: the one of them that has the loop.
    checked: is its check behind us?  tested: the local that the next statement tests; held: the event that is true if it is.
    """

    name: str
    expressions: Expressions
    waits: Waits
    events: Events
    circle: tuple[str, ...] = ()
    head: str = ""
    declared: set[str] = field(default_factory=set)
    read: set[str] = field(default_factory=set)
    checked: bool = False
    tested: str = ""
    held: str = ""

    @property
    def file(self) -> str:
        return self.expressions.chosen.text.functions[self.name].file

    @property
    def result(self) -> str:
        return self.expressions.kinds.result(self.name)

    def lines(self, body: Body) -> list[Line]:
        """The whole body."""
        depth = 2 if self.name == self.head else 1
        names = (n for s in body for n in ast.walk(s) if isinstance(n, ast.Name))
        self.read = {n.id for n in names if isinstance(n.ctx, ast.Load)}
        self.declared |= {*early_locals(body)}
        early = [Line(1, f"{self.expressions.kinds.of(self.name, name)} {name};") for name in early_locals(body)]
        made = [*self._block(body, depth), *self._end(body, depth)]
        if self.name == self.head:
            if made[-1].code == "continue;":
                made.pop()
            return [*early, Line(1, "for (;;) {"), *made, Line(1, "}")]
        while made and made[-1].code == "return;":
            made.pop()
        return [*early, *made]

    def _end(self, body: Body, depth: int) -> Iterator[Line]:
        """What falls off the end."""
        if not (body and isinstance(body[-1], ast.Return)):
            yield from self._reached(depth)
            if self.circle:
                yield Line(depth, "return;" if self.name == self.head else "return false;")

    def _reached(self, depth: int) -> Iterator[Line]:
        if self.name in REACHED:
            yield Line(depth, self._event(REACHED[self.name], "NULL"))

    def _block(self, body: Sequence[ast.stmt], depth: int) -> Iterator[Line]:
        for node, following in zip(body, [*body[1:], None], strict=True):
            self.tested = (
                following.test.id if isinstance(following, ast.If) and isinstance(following.test, ast.Name) else ""
            )
            yield from self._statement(node, depth)

    def _statement(self, node: ast.stmt, depth: int) -> Iterator[Line]:
        at = node.lineno
        match node:
            case ast.Expr(value=ast.Call() as call):
                yield from self._command(node, call, depth)
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                kinds = self.expressions.kinds
                if name not in self.read:
                    yield from self._command(node, value, depth) if isinstance(value, ast.Call) else ()
                    return
                said = self.expressions.fitting(self.name, value, kinds.of(self.name, name))
                first = name not in self.declared and not self._is_parameter(name)
                self.declared.add(name)
                yield Line(depth, f"{kinds.of(self.name, name) + ' ' if first else ''}{name} = {said};", at)
                yield from self._after(value, depth, guard=name)
            case ast.Assign(targets=[ast.Attribute(attr=word) as target], value=value):
                said = self.expressions.fitting(self.name, value, self.expressions.kinds.private(word))
                yield Line(depth, f"{self.expressions.place(self.name, target)} = {said};", at)
                if word in PRIVATE:
                    yield Line(depth, self._event(PRIVATE[word][ast.unparse(value) != "0"], "t"))
            case ast.If():
                yield from self._if(node, depth)
            case ast.For():
                yield from self._for(node, depth)
            case ast.Return():
                yield from self._return(node, depth)
            case ast.Pass():
                pass
            case _:
                raise self.expressions.cannot(self.name, node)

    @property
    def _own(self) -> list[ast.arg]:
        return self.expressions.chosen.text.functions[self.name].node.args.args

    def _is_parameter(self, name: str) -> bool:
        return name in (a.arg for a in self._own)

    def _if(self, node: ast.If, depth: int) -> Iterator[Line]:
        if said := named(node.test, "slice_on"):
            yield Line(-1, f"#if SP_{said[1].upper()}", node.lineno)
            yield from self._block(node.body, depth)
            if replaces_a_barrier(node, said[1]):
                yield from (Line(depth, line) for line in COMPILER_FENCE)
            if node.orelse:
                yield Line(-1, "#else")
                yield from self._block(node.orelse, depth)
            yield Line(-1, "#endif")
            return
        fails = bool(site(self.name)) and not self.checked and any(jump(s, dict.fromkeys(COLD)) for s in node.body)
        test = self.expressions.expression(self.name, node.test, checks=fails)
        yield Line(depth, f"if ({f'SP_UNLIKELY({test})' if fails else test}) {{", node.lineno)
        if fails:
            word = word_checked(self._own, node)
            yield Line(depth + 1, f"SP_EVENT(ENTERED, t, {site(self.name)}{word and f' + {word}'});")
        if self.held:
            yield Line(depth + 1, self.held)
            self.held = ""
        yield from self._block(node.body, depth + 1)
        yield from self._else(node.orelse, depth)
        if fails:
            self.checked = True
            if passed(self.name):
                yield Line(depth, self._event(passed(self.name), "t", word_checked(self._own, node) or "0"))

    def _else(self, body: list[ast.stmt], depth: int) -> Iterator[Line]:
        match body:
            case []:
                yield Line(depth, "}")
            case [ast.If(test=test, body=yes, orelse=no)] if not named(test, "slice_on"):
                yield Line(depth, f"}} else if ({self.expressions.expression(self.name, test)}) {{", body[0].lineno)
                yield from self._block(yes, depth + 1)
                yield from self._else(no, depth)
            case _:
                yield Line(depth, "} else {")
                yield from self._block(body, depth + 1)
                yield Line(depth, "}")

    def _for(self, node: ast.For, depth: int) -> Iterator[Line]:
        match node:
            case ast.For(target=ast.Name(id=name), iter=ast.Call(func=ast.Name(id="threads"))):
                yield Line(depth, f"SP_EACH_THREAD({name}) {{", node.lineno)
            case ast.For(target=ast.Name(id=name), iter=ast.Attribute(attr=row)):
                self.expressions.rows[name] = row
                yield Line(
                    depth, f"for (unsigned {name} = 0; {name} < SP_{row.upper()}_WORDS; {name}++) {{", node.lineno
                )
            case _:
                raise self.expressions.cannot(self.name, node)
        yield from self._block(node.body, depth + 1)
        yield Line(depth, "}")

    def _return(self, node: ast.Return, depth: int) -> Iterator[Line]:
        at = node.lineno
        yield from self._reached(depth)
        if jumped := jump(node, self.expressions.chosen.bodies):
            name, call = jumped
            if name in self.circle:
                yield from self._jump(name, call, depth)
                return
            if self.result == "void":
                yield Line(depth, f"{self.expressions.expression(self.name, call)};", at)
                yield Line(depth, "return;" if self.name == self.head or not self.circle else "return false;")
                return
        if self.circle and self.name != self.head:
            yield Line(depth, "return false;", at)
        elif node.value is None or ast.unparse(node.value) == "None":
            yield Line(depth, "return;", at)
        else:
            yield Line(depth, f"return {self.expressions.fitting(self.name, node.value, self.result)};", at)

    def _jump(self, name: str, call: ast.Call, depth: int) -> Iterator[Line]:
        """`return f(t)`, where f and this procedure go round."""
        own = [a.arg for a in self._own]
        if [ast.unparse(a) for a in call.args] != own:
            raise self.expressions.cannot(self.name, call)
        said = ", ".join(own)
        if name == self.head and self.name == self.head:
            yield Line(depth, "SP_RELAX();")
            yield Line(depth, "continue;", call.lineno)
        elif name == self.head:
            yield Line(depth, "return true;", call.lineno)
        elif self.name == self.head:
            yield Line(depth, f"if (sp_{name}_once({said})) {{", call.lineno)
            yield Line(depth + 1, "continue;")
            yield Line(depth, "}")
            yield Line(depth, "return;")
        else:
            yield Line(depth, f"return sp_{name}_once({said});", call.lineno)

    def _command(self, node: ast.stmt, call: ast.Call, depth: int) -> Iterator[Line]:
        at = node.lineno
        match call:
            case ast.Call(func=ast.Name(id="wait"), args=[condition]):
                yield from self._wait(condition, at, depth)
            case ast.Call(func=ast.Name(id=op), args=[first, second]) if op in ir.GHOSTS:
                whom, kinds = (first, second) if ir.GHOSTS[op] else (second, first)
                if op in GHOSTS or op == "served":
                    detail = self.expressions.fitting(self.name, kinds, "uint32_t")
                    yield Line(depth, self._event(GHOSTS.get(op, op), ast.unparse(whom), detail))
                if op == "served" and (hook := HOOK_OF.get(ast.unparse(kinds))):
                    yield Line(depth, hook)
            case ast.Call(func=ast.Name(id="pause")):
                pass
            case ast.Call(func=ast.Name(id="fence_others")):
                yield Line(depth, "SP_FENCE_OTHERS();", at)
            case ast.Call(func=ast.Attribute(attr="load")) if self.name == OPERATION:
                yield Line(depth, "SP_BEFORE();")
                yield Line(depth, "SP_OPERATION(t);")
            case ast.Call(func=ast.Attribute()):
                yield Line(depth, f"{self.expressions.access(self.name, call)};", at)
                yield from self._after(call, depth)
            case _:
                yield Line(depth, f"{self.expressions.expression(self.name, call)};", at)

    def _wait(self, condition: ast.expr, at: int, depth: int) -> Iterator[Line]:
        access = access_in(condition)
        assert isinstance(access.func, ast.Attribute)
        place = self.expressions.place(self.name, access.func.value)
        if self.name == SLEEP:
            yield from (Line(depth, line) for line in LOOK_AT_IT)
        if access.func.attr == "cas":
            old, new = (self.expressions.expression(self.name, a) for a in access.args)
            claim = weak("sp_claim", self.expressions.order(self.name, access))
            yield Line(depth, f"for (uint32_t seen; !{claim}(&{place}, {old}, {new}, &seen);) {{", at)
        else:
            self.expressions.kept = access
            test = self.expressions.negated(self.name, condition)
            self.expressions.kept = None
            yield Line(depth, f"for (uint32_t seen; {test};) {{", at)
        yield Line(depth + 1, f"SP_WAIT(&{place}, seen);")
        yield Line(depth, "}")
        yield from self._after(access, depth)

    def _after(self, value: ast.expr, depth: int, guard: str = "") -> Iterator[Line]:
        """Whom an access wakes, and which event it is; `guard`: the local that has what it gave."""
        match value:
            case ast.Call(func=ast.Attribute(value=word, attr=op)) if op in ir.ACCESSES:
                place = self.expressions.place(self.name, word)
                if kind := self.events.of(self.file, value.lineno):
                    owner = place.partition("->")[0] if "->" in place else "NULL"
                    if_done = (
                        f"if ({guard}) "
                        if op == "cas" and guard and self.expressions.kinds.of(self.name, guard) == BOOL
                        else ""
                    )
                    detail = place.partition("->")[2] if kind in ("poisoned", "restored") else ""
                    said = self._event(kind, owner, trigger_word(detail))
                    if if_done and guard == self.tested:
                        self.held = said
                    elif if_done:
                        yield from (Line(depth, f"{if_done}{{"), Line(depth + 1, said), Line(depth, "}"))
                    else:
                        yield Line(depth, said)
                if self.waits.ended_by(value):
                    yield Line(depth, f"SP_WAKE(&{place});")

    @staticmethod
    def _event(kind: str, whom: str, detail: str = "0") -> str:
        return f"SP_EVENT({event(kind)}, {whom}, {detail});"
