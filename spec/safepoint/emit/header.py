"""The whole header, in the order in which a person reads it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from safepoint.emit import fixed, title
from safepoint.emit.choose import ELSEWHERE, Chosen, choose
from safepoint.emit.events import EVENTS, Events, event, site
from safepoint.emit.expressions import Expressions
from safepoint.emit.fold import Called, CannotEmit, called, expression, head, loops, only
from safepoint.emit.kinds import BOOL, OUTCOME, Kinds
from safepoint.emit.layout import Layout
from safepoint.emit.prose import comment, comments_of, docstring, heading, in_c, rules_in, set_lines, table
from safepoint.emit.statements import COLD, Line, Statements
from safepoint.emit.vms import AT, DESCRIBED, MORE, READY_TYPE, SLEEP
from safepoint.emit.waits import Waits
from safepoint.graph.gather import text_of
from safepoint.graph.ir import SELF
from safepoint.model.scopes import SLICES, VARIANTS
from safepoint.protocol.own import OwnPolicy
from safepoint.protocol.policy import Policy, option
from safepoint.protocol.rules import RULES
from safepoint.trace.observe import SITES

RULER = "/* " + "-" * 40 + " {} */"


def header(policy: Policy, mutant: str = "") -> str:
    """A policy's header, C11; with a mutant of the text put in, if one is named.  Raises CannotEmit, ProtocolError."""
    if why := title.no_header(policy):
        raise CannotEmit(
            f"policy {policy.name} has no header: {why} (emit that of v8_maglev or cpython, which check at pushes and back-edges)"
        )
    sound = choose(text_of(policy), policy)
    chosen = choose(sound.text, policy, mutant) if mutant else sound
    return "\n".join(_Header(policy, mutant, chosen, sound).lines()) + "\n"


@dataclass
class _Header:
    """sound: what the header has without the mutant; its record has the layout."""

    policy: Policy
    mutant: str
    chosen: Chosen
    sound: Chosen
    circles: dict[str, tuple[str, ...]] = field(init=False)
    heads: dict[str, str] = field(init=False)
    outside: set[str] = field(init=False)

    def __post_init__(self) -> None:
        bodies = self.chosen.bodies
        self.kinds = Kinds(self.chosen.text, bodies)
        each = called(bodies)
        self.circles = loops(each)
        self.heads = {name: head(circle, each, self.chosen.roots) for name, circle in self.circles.items()}
        self.outside = _called_from_outside(each, self.circles)
        self.waits, self.events = Waits(self.chosen.text, bodies), Events(self.chosen)
        self.comments = {place: in_c(said, bodies) for place, said in comments_of(self.chosen.text).items()}
        self.written = {name: list(self._procedure(name)) for name in bodies}

    def lines(self) -> Iterator[str]:
        """All of it."""
        guard = f"SAFEPOINT_{re.sub(r'[^A-Z0-9]', '_', _short(self.policy).upper())}_H"
        layout = own = Layout(self.chosen, self.kinds, self.policy)
        if self.mutant:
            layout = Layout(self.sound, Kinds(self.sound.text, self.sound.bodies), self.policy)
        if more := {*own.used(SELF)} - {*layout.used(SELF)}:
            raise CannotEmit(
                f"mutant {self.mutant}: needs {', '.join(sorted(more))}, which no record of policy {self.policy.name} has (choose another)"
            )
        yield from self._title()
        yield from (f"#ifndef {guard}", f"#define {guard}", "")
        yield from (f"#include <{name}.h>" for name in ("stdatomic", "stdbool", "stddef", "stdint"))
        yield ""
        yield from "\n".join(fixed.hooks(self.chosen)).rstrip("\n").split("\n")
        yield from ("", *fixed.COMPILER.rstrip("\n").split("\n"), "")
        yield from (RULER.format("words"), "")
        yield from layout.constants()
        yield from self._poison(layout)
        yield ""
        yield from layout.thread()
        yield ""
        yield from layout.world()
        yield from ("", "extern struct sp_world sp_world; /* the VM defines it: all zero. One in a process. */", "")
        if SLEEP in self.chosen.bodies:
            yield from (*READY_TYPE.splitlines(), "")
        yield from self._events(layout)
        yield from ("", RULER.format("accesses, each with its memory order"), "")
        moved = fixed.HEAP_LIMIT if ("heap_limit", False) in layout.triggers else ""
        body = "\n".join([moved, *(line for written in self.written.values() for line in written)])
        helpers = "\n\n".join(fixed.functions(body))
        yield from fixed.accesses(body + helpers)
        yield from ("", *helpers.split("\n"))
        yield from ("", RULER.format("what there is to call"), "")
        yield from (
            f"{self._signature(name)};"
            for name in self.chosen.bodies
            if name not in self.chosen.within and self._is_whole(name)
        )
        yield from self._forward()
        yield ""
        yield from layout.beginning()
        yield from ["", *moved.rstrip("\n").split("\n")] if moved else []
        yield from self._procedures()
        yield from ("", "#endif")

    def _title(self) -> Iterator[str]:
        command = (
            f"safepoint emit --c {option(self.policy.name).rstrip()}{f' --mutant {self.mutant}' if self.mutant else ''}"
        )
        *lines, last = comment([*self._warning(), *title.paragraphs(self.policy, command, self.chosen.bodies)])
        yield from (*lines, last.removesuffix(" */"), " *")
        if left_out := list(self._left_out()):
            yield " * Left out, because the text of this policy is not written for it:"
            yield from (*(f" *{line}" for line in table(left_out, 16)), " *")
        yield " * Not here, because it is the VM's own:"
        yield from (*(f" *{line}" for line in table(title.OWN, 16)), " *")
        cited = rules_in(line for written in self.written.values() for line in written)
        yield " * The rules that it implements; `safepoint rules ID` says what breaks without:"
        yield from (f" *{line}" for line in table(((rule, RULES[rule].text) for rule in cited), 26))
        yield " */"

    def _warning(self) -> Iterator[str]:
        if self.mutant and self.mutant not in self.chosen.text.mutants:
            yield f"WITH WEAKER ORDERS THAN THE TEXT HAS: {', '.join(self.chosen.weaker)}."
            if gone := [each for each in self.mutant.split("+") if each not in self.chosen.weaker]:
                yield f"Of those asked for, without an access in this header: {', '.join(gone)}."
            yield "docs/orders.md says which orders hold, and within which bounds that was explored."
        elif self.mutant:
            rule = self.chosen.text.mutants[self.mutant].rule
            needed = [variant for variant in ("", *self.chosen.variants) if self._differs(variant)]
            if not needed:
                raise CannotEmit(
                    f"mutant {self.mutant}: changes nothing in the header of policy {self.policy.name} (choose another)"
                )
            more = "" if "" in needed else f" It is there if SP_{needed[0].upper()} is 1."
            yield f"WITH THE MISTAKE {self.mutant} PUT IN, which breaks {rule}: for tests alone.{more}"

    def _differs(self, variant: str) -> bool:
        """Does the mutant change what there is with this variant, or with none?"""
        made = ([only(body, variant) for body in chosen.bodies.values()] for chosen in (self.chosen, self.sound))
        one, other = (ast.unparse(ast.Module([s for body in bodies for s in body], [])) for bodies in made)
        return one != other

    def _left_out(self) -> Iterator[tuple[str, str]]:
        for feature, names in self.chosen.left_out.items():
            what = SLICES.get(feature) or VARIANTS[feature]
            said = ", ".join(f"sp_{name}" for name in names)
            yield feature, f"{what} ({said})" if said else what

    def _poison(self, layout: Layout) -> Iterator[str]:
        yield ""
        yield from comment(
            [
                "What a poisoned word holds: below every stack address. In a row it may be the address of the handler that calls `sp_slow_path`, and then goes on where `entry_real` says."
                if any(row for _, row in layout.triggers)
                else "What a poisoned word holds, which no real one does."
            ]
        )
        for word, row in layout.triggers:
            if row:
                yield from (
                    f"#ifndef SP_{word.upper()}_POISON",
                    f"#define SP_{word.upper()}_POISON ((uintptr_t)0)",
                    "#endif",
                )
                yield from (
                    f"#ifndef SP_{word.upper()}_WORDS",
                    f"#define SP_{word.upper()}_WORDS 1 /* opcodes that jump backward */",
                    "#endif",
                )
            elif not self.policy.base:
                yield f"#define SP_{word.upper()}_POISON ((uintptr_t)0)"

    def _events(self, layout: Layout) -> Iterator[str]:
        yield from comment([
            "Events of a trace. RETURNED is `resumed`, `native-left` or `spawned`, by where the thread was; MASKED and UNMASKED are events if they change anything."
        ])  # fmt: skip
        said = "\n".join(line for written in self.written.values() for line in written)
        names = [f"SP_EVENT_{event(kind)}" for kind in EVENTS if f"SP_EVENT({event(kind)}," in said]
        yield "enum sp_event {"
        yield from (f"    {name}," for name in names)
        yield "};"
        sites = [site(name) for name in SITES]
        yield from comment(
            [
                "The site of a check; of a back-edge plus the index of its word. The trigger word; of a row plus its index."
            ]
        )
        yield f"enum {{ {', '.join(f'{name} = {64 * n}' for n, name in enumerate(sites))} }};"
        words = [f"SP_WORD_{w.upper()}" for w, _ in sorted(layout.triggers, key=lambda t: t[1])]
        if words:
            yield f"enum {{ {', '.join(words)} }};"

    def _is_whole(self, name: str) -> bool:
        """Is it called by its own name?"""
        return name not in self.circles or name == self.heads[name] or name in self.outside

    def _signature(self, name: str, *, once: bool = False) -> str:
        kind = "bool" if once else self.kinds.result(name)
        parameters = ", ".join(f"{kind}{name}" for kind, name in self.kinds.parameters(name)) or "void"
        place = f"{'SP_COLD' if name in COLD else 'static inline'}{' SP_RESULT' if kind in (OUTCOME, BOOL) else ''}"
        return f"{place} {kind} sp_{self.chosen.called(name)}{'_once' if once else ''}({parameters})"

    def _forward(self) -> Iterator[str]:
        """Declarations of the rest: parts of loops, and what only a variant calls."""
        parts = [name for name in self.circles if name != self.heads[name]]
        if parts:
            yield ""
            yield from comment(["Parts of those that go round; true: round again."])
            yield from (f"{self._signature(name, once=True)};" for name in parts)
        for variant in self.chosen.variants:
            if names := [name for name, only in self.chosen.within.items() if only == variant]:
                yield f"#if SP_{variant.upper()}"
                yield from (f"{self._signature(name)};" for name in names)
                yield "#endif"

    def _procedures(self) -> Iterator[str]:
        file = ""
        for name, written in self.written.items():
            procedure = self.chosen.text.functions[name]
            if procedure.file != file:
                file = procedure.file
                yield from ("", RULER.format(heading(self.chosen.text, file)))
            variant = self.chosen.within.get(name)
            yield ""
            yield from [f"#if SP_{variant.upper()}"] if variant else []
            yield from written
            yield from ["#endif"] if variant else []

    def _procedure(self, name: str) -> Iterator[str]:
        text, bodies = self.chosen.text, self.chosen.bodies
        said = [in_c(paragraph, bodies) for paragraph in docstring(text, name)]
        known = AT[self.policy.elsewhere] if name == ELSEWHERE else DESCRIBED.get(name)
        said = [known] if known else said + ([MORE[name]] if name in MORE else [])
        is_part = name in self.circles and name != self.heads[name]
        if is_part:
            said.append(f"True: sp_{self.heads[name]} goes on.")
        yield from comment(said) if said else []
        yield self._signature(name, once=is_part)
        yield "{"
        value = expression(bodies[name])
        expressions = Expressions(self.chosen, self.kinds)
        if value is not None:
            lines = [
                Line(1, f"return {expressions.fitting(name, value, self.kinds.result(name))};", bodies[name][0].lineno)
            ]
        else:
            statements = Statements(
                name,
                expressions,
                self.waits,
                self.events,
                self.circles.get(name, ()),
                self.heads.get(name, ""),
            )
            lines = statements.lines(bodies[name])
        whole = "\n".join(line.code for line in lines)
        unused = [p for _, p in self.kinds.parameters(name) if not re.search(rf"\b{p}\b", whole)]
        yield from set_lines(
            [*(Line(1, f"(void){p};") for p in unused), *lines], text.functions[name].file, self.comments
        )
        yield "}"
        if is_part and name in self.outside:
            args = ", ".join(p for _, p in self.kinds.parameters(name))
            yield from (
                "",
                self._signature(name),
                "{",
                f"    if (sp_{name}_once({args})) {{",
                f"        sp_{self.heads[name]}({args});",
                "    }",
                "}",
            )


def _short(policy: Policy) -> str:
    return policy.called if isinstance(policy, OwnPolicy) else policy.name


def _called_from_outside(each: Called, circles: dict[str, tuple[str, ...]]) -> set[str]:
    """The parts of loops that procedures outside of the loop call, too."""
    return {
        name
        for name, circle in circles.items()
        if any(name in called for other, called in each.items() if other not in circle)
    }
