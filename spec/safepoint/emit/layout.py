"""The words as C has them: constants, the record of a thread, on cache lines by who writes, and the world's."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from safepoint.emit.accesses import COUNTED
from safepoint.emit.choose import Chosen
from safepoint.emit.kinds import Kinds
from safepoint.emit.prose import beside, comment, comments_of, wrapped
from safepoint.emit.vms import FAMILIES, SAID
from safepoint.graph import ir
from safepoint.graph.text import Record
from safepoint.protocol.policy import Policy

APART = """\
#define SP_APART(one, other)                                                       \\
    _Static_assert(offsetof(struct sp_thread, other) % SP_LINE == 0 &&              \\
                       offsetof(struct sp_thread, other) / SP_LINE >                \\
                           offsetof(struct sp_thread, one) / SP_LINE,               \\
                   #one " and " #other " share a cache line")"""


MAKE = (
    "Make a record ready, before any other thread can find it: every word real, nothing asked. It is aligned to SP_LINE: static, or from"
    " aligned_alloc."
)
WORLD = (
    "The world runs, and no requester holds its lock: as it begins, and for the child of a fork. That has one thread, which makes the world anew,"
    " then each record that SP_EACH_THREAD finds: its own with the state that it is in, those of the others as if they were yet to begin."
    " What had been asked for is dropped."
)
REALS = {
    "limit": "how far the newest frame may reach",
    "entry": "what a dispatch finds while nothing is asked, for each opcode that jumps backward; never SP_ENTRY_POISON",
    "budget": "one back-edge in n, this number, compares with the limit; no request waits for more; never 0",
    "heap_limit": "how far it may allocate; see `sp_set_heap_limit`",
    "page": "what it holds while nothing is asked; never SP_PAGE_POISON",
    "ticker": "one check in n is slow, asked or not; no request waits for more than n; never 0",
}
"""Trigger word to what its real value is."""
UNKNOWN = "what it holds while nothing is asked; never its poison"
"""The same of a word of a trigger of a user's own."""


@dataclass(frozen=True)
class Group:
    """Words that stand on cache lines of their own.  name: of the first of them."""

    why: str
    words: tuple[str, ...]


@dataclass(frozen=True)
class Layout:
    chosen: Chosen
    kinds: Kinds
    policy: Policy

    @cached_property
    def _nodes(self) -> list[ast.AST]:
        return [n for body in self.chosen.bodies.values() for s in body for n in ast.walk(s)]

    @cached_property
    def _named(self) -> frozenset[str]:
        return frozenset(n.attr for n in self._nodes if isinstance(n, ast.Attribute))

    def used(self, owner: str) -> dict[str, str]:
        """The words of the world, or of a thread, that a procedure of the header names: word to its type in the text."""
        text = self.chosen.text
        world = {v.cls for v in text.constants.values() if isinstance(v, Record)}
        words = {
            w: kind for cls, of in text.words.items() if (cls in world) == (owner == ir.WORLD) for w, kind in of.items()
        }
        return {w: kind for w, kind in words.items() if w in self._named}

    @cached_property
    def writers(self) -> dict[str, set[str]]:
        """Shared word of a thread to who writes it: the classes of the parameters through which it is written."""
        found: dict[str, set[str]] = {}
        for name, body in self.chosen.bodies.items():
            parameters = self.chosen.text.functions[name].node.args.args
            records = {a.arg: ast.unparse(a.annotation) for a in parameters if a.annotation}
            for node in (n for s in body for n in ast.walk(s)):
                match node:
                    case ast.For(target=ast.Name(id=record), iter=ast.Call()):
                        records[record] = "Thread"
                    case ast.For(iter=ast.Attribute(value=ast.Name(id=record), attr=word)):
                        found.setdefault(word, set()).add(records[record])
                    case ast.Call(
                        func=ast.Attribute(value=ast.Attribute(value=ast.Name(id=record), attr=word), attr=op)
                    ) if op in ir.ACCESSES and op not in ("load", "look"):
                        found.setdefault(word, set()).add(records.get(record, ""))
        return found

    @cached_property
    def groups(self) -> list[Group]:
        """The words of a thread, by who writes them."""
        words, writers = self.used(ir.SELF), self.writers
        rows = tuple(w for w, kind in words.items() if kind in ("Trigger", "Triggers"))
        triggers = tuple(w for w, _ in self.triggers)
        shared = [w for w, kind in words.items() if kind == "Word"]
        asked = tuple(w for w in shared if "Thread" in writers.get(w, ()))
        own = tuple(w for w in shared if w not in asked)
        private = tuple(w for w, kind in words.items() if kind == "int")
        all_groups = (
            Group("What the checks read; requesters write here only to poison.", triggers),
            Group("What requesters write.", asked),
            Group("What only the owner writes, and others read.", own),
            Group("What only the owner touches.", (*(f"{w}_real" for w in rows), *private)),
        )
        return [group for group in all_groups if group.words]

    def constants(self) -> Iterator[str]:
        """The values, in the families in which the text declares them."""
        text, comments = self.chosen.text, comments_of(self.chosen.text)
        families: dict[tuple[str, int], list[str]] = {}
        for name, place in text.families.items():
            families.setdefault(place, []).append(name)
        for (file, line), names in families.items():
            tag = "enum sp_outcome" if "GO" in names else "enum"
            said = FAMILIES.get(comments[file, line], comments[file, line]).replace("Thread.", "")
            yield from comment([f"{said[:1].upper()}{said[1:]}."])
            yield from wrapped(f"{tag} {{", (f"SP_{n} = {self._value(n)}" for n in names), "};")
        named = {n.id for n in self._nodes if isinstance(n, ast.Name)}
        for name in text.constants:
            if name not in text.families and name in named and isinstance(text.constants[name], ir.Const):
                yield f"enum {{ SP_{name} = {self._value(name)} }};"

    def _value(self, name: str) -> int:
        known = self.chosen.text.constants[name]
        assert isinstance(known, ir.Const)
        return known.value

    @cached_property
    def triggers(self) -> list[tuple[str, bool]]:
        """The trigger words that are accessed, and whether each is a row; of others there is the real value alone."""
        return [(w, row) for w, row in self.reals() if w in self.writers]

    def reals(self) -> list[tuple[str, bool]]:
        """Those whose real values are named."""
        return [(w, kind == "Triggers") for w, kind in self.used(ir.SELF).items() if kind in ("Trigger", "Triggers")]

    def thread(self) -> Iterator[str]:
        """The record of a thread, and what is asserted of its layout."""
        comments = comments_of(self.chosen.text)
        yield "struct sp_thread {"
        for n, group in enumerate(self.groups):
            if n:
                yield ""
            yield f"    /* -- {group.why} */"
            for m, word in enumerate(group.words):
                code = f"    {'SP_ALIGNED ' if not m else ''}{self._declared(word)};"
                yield from beside(code, self._said(word, comments))
        yield "};"
        yield ""
        yield APART
        for n, group in enumerate(self.groups):
            first = group.words[0]
            if n == 0:
                yield f'_Static_assert(offsetof(struct sp_thread, {first}) == 0, "the checks read the first line");'
            else:
                before = self.groups[n - 1].words[-1]
                yield f"SP_APART({before}, {first});"
        yield '_Static_assert(sizeof(struct sp_thread) % SP_LINE == 0, "two records share no cache line");'

    def _declared(self, word: str) -> str:
        stem = word.removesuffix("_real")
        kind = self.used(ir.SELF).get(stem, "")
        size = f"[SP_{stem.upper()}_WORDS]" if kind == "Triggers" else ""
        if stem != word:
            return f"uintptr_t {word}{size}"
        if kind in ("Trigger", "Triggers"):
            return f"_Atomic uintptr_t {word}{size}"
        return f"_Atomic uint32_t {word}" if kind == "Word" else f"{self.kinds.private(word)} {word}"

    def _said(self, word: str, comments: dict[tuple[str, int], str]) -> str:
        """What the text says of a word beside its declaration."""
        if known := {**COUNTED, **SAID}.get(word):
            return known
        if word.endswith("_real"):
            moves = "sp_set_heap_limit changes it" if word == "heap_limit_real" else "never changes"
            return f"what {word.removesuffix('_real')} holds when it is not poisoned; {moves}"
        for file, lines in self.chosen.text.lines.items():
            for n, line in enumerate(lines, 1):
                if line.startswith(f"    {word}: "):
                    return comments.get((file, n), "")
        return ""

    def world(self) -> Iterator[str]:
        """The words of the world."""
        comments = comments_of(self.chosen.text)
        yield "struct sp_world {"
        yield "    /* Apart: or returns from native code pay for requesters that wait for the lock. */"
        for word in self.used(ir.WORLD):
            code = f"    SP_ALIGNED _Atomic uint32_t {word};"
            yield from beside(code, self._said(word, comments))
        yield "};"

    def beginning(self) -> Iterator[str]:
        """How a record begins."""
        triggers = self.reals()
        accessed = dict(self.triggers)
        real = "".join(
            f", const uintptr_t {w}[SP_{w.upper()}_WORDS]" if row else f", uintptr_t {w}" for w, row in triggers
        )
        born = "start_thread" in self.chosen.bodies
        state = (
            f"`state`: {'SP_ENDED if a thread is yet to begin in it; ' if born else ''}SP_MANAGED for the thread that calls, if it runs guest"
            f" code already; SP_NATIVE if it does not{'' if born else ', or is yet to begin'}."
        )
        yield from comment([MAKE, *(f"`{word}`: {REALS.get(word, UNKNOWN)}." for word, _ in triggers), state])
        yield "static inline void sp_make_thread("
        yield f"    struct sp_thread *t{real}, uint32_t state)"
        yield "{"
        for word, row in triggers:
            if word in accessed and word != "limit":
                one = f"{word}[i]" if row else word
                check = f"SP_ASSERT({one} != SP_{word.upper()}_POISON); /* or every check is slow */"
                loop = f"    for (unsigned i = 0; i < SP_{word.upper()}_WORDS; i++) {{"
                yield from (loop, f"        {check}", "    }") if row else (f"    {check}",)
        base = " + SP_BITS" if self.policy.base else ""
        for word, row in triggers:
            if row:
                yield f"    for (unsigned i = 0; i < SP_{word.upper()}_WORDS; i++) {{"
                yield f"        t->{word}_real[i] = {word}[i];"
                yield f"        atomic_init(&t->{word}[i], {word}[i]);"
                yield "    }"
            else:
                yield f"    t->{word}_real = {word};"
                if word in accessed:
                    yield f"    atomic_init(&t->{word}, {word}{base});"
        for word, kind in self.used(ir.SELF).items():
            if kind == "int":
                yield f"    t->{word} = {self.chosen.text.begins(False, word)};"
            elif kind == "Word":
                begins = "state" if word == "state" else self.chosen.text.begins(False, word)
                yield f"    atomic_init(&t->{word}, {begins});"
        yield "}"
        yield ""
        yield from comment([WORLD])
        yield "static inline void sp_make_world(void)"
        yield "{"
        yield from (f"    atomic_init(&sp_world.{word}, 0);" for word in self.used(ir.WORLD))
        yield "}"
