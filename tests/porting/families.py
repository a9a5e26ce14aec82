"""Which rules fall away for which kind of VM: the table of docs/porting.md, found by exploring, and made anew.

A rule is one that a VM must obey if a mistake against it (one of the rule's mutants, compiled into the text of that VM's policy) is
refuted in a world in which the text without it holds.  Every feature is switched on for that, also where the policy is not otherwise
explored with it.  Made anew: `python -m tests.porting.families` (three minutes).
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from safepoint.graph.ir import Graph
from safepoint.graph.text import ProtocolError, Text
from safepoint.model.explore import NotExplored
from safepoint.model.memory.names import SC
from safepoint.model.mutants import attempt, memories_for
from safepoint.model.scopes import SCOPES, SLICES, VARIANTS, Scope, chosen
from safepoint.model.system import Model
from safepoint.protocol import files
from safepoint.protocol.policies import (
    CPYTHON,
    DART,
    FOLDED,
    GUARD_PAGE,
    HOTSPOT,
    OCAML,
    POLICIES,
    PYPY,
    V8_IGNITION,
    V8_MAGLEV,
    WASMTIME,
    YARV,
)
from safepoint.protocol.policy import Policy
from safepoint.protocol.rules import RULES
from tests.model.pinned import CAUGHT

PAGE = Path(__file__).parents[2] / "docs" / "porting.md"
BLOCK = re.compile(
    r"(?<=^<!-- families: python -m tests\.porting\.families -->\n).*?(?=^<!-- end -->$)", re.DOTALL | re.MULTILINE
)
ROW = re.compile(r"^\| ([A-Z-]+) \|(.*)\|$", re.MULTILINE)
MUST, FALLS, UNASKED = "must", "falls away", "not asked"
KINDS: dict[str, str] = {
    FOLDED.name: "two words",
    DART.name: "one word",
    CPYTHON.name: "a flag",
    PYPY.name: "a ticker",
    GUARD_PAGE.name: "a page",
}
"""Policy to what kind of trigger its family has."""
NO_PUSH = dict.fromkeys(("REAL-LIMIT-DECIDES", "SPURIOUS-IS-NOTHING"), f"{FALLS}: no such line")
"""Of a policy whose pushes ask for overflow alone."""
ALIKE: dict[str, tuple[str, dict[str, str]]] = {
    V8_MAGLEV.name: (FOLDED.name, {}),
    V8_IGNITION.name: (FOLDED.name, {"EXPIRED-IS-SEEN": MUST}),
    WASMTIME.name: (GUARD_PAGE.name, {}),
    YARV.name: (CPYTHON.name, NO_PUSH),
    HOTSPOT.name: (GUARD_PAGE.name, NO_PUSH),
    OCAML.name: (GUARD_PAGE.name, {**NO_PUSH, "TAKE-IS-A-BARRIER": MUST}),
}
"""Policies that need no column: one of KINDS has the same, but for these rules."""


@cache
def widest(policy: str) -> Policy:
    """The policy with every feature switched on, also those that its own text is not explored with."""
    return replace(POLICIES[policy], slices=(*SLICES, *VARIANTS))


@cache
def text_of(policy: str) -> Text:
    return Text(files(POLICIES[policy].trigger))


@cache
def holds(policy: str, scope: str, memory: str) -> bool:
    """Does the text without a mistake hold there?"""
    return outcome(Model(text_of(policy), SCOPES[scope], "", widest(policy), memory)) == ""


@cache
def unwritten(policy: str) -> list[str]:
    """The features that the text is not written for: without a mistake it is refuted where a world has one of them, and no other."""
    alone = [scope for scope in chosen("tiny") if len(scope.slices) == 1]
    return list(dict.fromkeys(scope.slices[0] for scope in alone if not holds(policy, scope.name, SC)))


def outcome(model: Model) -> str:
    """What is broken; "" if nothing is, and "unknown" if the world was too large to say."""
    try:
        return attempt(model).broken or ""
    except (NotExplored, ProtocolError):
        return "unknown"


def same(one: Graph, other: Graph) -> bool:
    return (one.steps, one.labels, one.start) == (other.steps, other.labels, other.start)


@dataclass(frozen=True)
class Tried:
    """A mutant in one world.  `breaks`: what; "" if nothing.  `is_right`: the text holds there without it.  `needs`: words that
    only the mistake accesses: the text has no use for them, so the mistake is another one here."""

    mutant: str
    scope: str
    memory: str
    breaks: str
    is_right: bool
    needs: frozenset[str]


def tries(policy: str, mutant: str, only_known: bool = False) -> Iterator[Tried]:
    """The mutant in each small world in which it changes the policy's text; or only in that one in which `folded` is refuted."""
    text, wide = text_of(policy), widest(policy)
    if mutant not in text.mutants:
        return
    for memory in memories_for(text, mutant, wide):
        for scope in chosen("tiny", slices=wide.slices):
            if only_known and (scope.name, memory) != CAUGHT.get(mutant, ("", ""))[:2]:
                continue
            if tried := _tried(policy, mutant, scope, memory):
                yield tried


def _tried(policy: str, mutant: str, scope: Scope, memory: str) -> Tried | None:
    text, wide = text_of(policy), widest(policy)
    wrong = Model(text, scope, mutant, wide, memory)
    if not wrong.mutated:
        return None
    right = Model(text, scope, "", wide, memory)
    if all(same(a.graph, b.graph) for a, b in zip(wrong.processes, right.processes, strict=True)):
        return None
    words = [{cell.word for process in model.processes for cell in process.graph.cells()} for model in (wrong, right)]
    is_right = not {*unwritten(policy)} & {*scope.slices} and holds(policy, scope.name, memory)
    return Tried(mutant, scope.name, memory, outcome(wrong), is_right, frozenset(words[0] - words[1]))


def needed(tried: list[Tried]) -> set[str]:
    """The features of the worlds in which a mutant was tried."""
    return {feature for one in tried for feature in SCOPES[one.scope].slices}


@cache
def found(policy: str, rule: str, only_known: bool = False) -> str:
    """What the table says of a rule and a kind of VM.  `only_known`: looked for only where `folded` is refuted."""
    mutants = sorted({m.name for name in POLICIES for m in text_of(name).mutants.values() if m.rule == rule})
    survives, unasked = [], []
    for mutant in mutants:
        tried: list[Tried] = []
        for one in tries(policy, mutant, only_known):
            if one.is_right and one.breaks not in ("", "unknown"):
                return MUST
            tried.append(one)
        asked = [one for one in tried if one.is_right and (one.scope, one.memory) == CAUGHT.get(mutant, ("", ""))[:2]]
        if any(one.needs for one in asked):
            unasked.append(f"`{mutant}` is about `{', '.join(sorted(asked[0].needs))}`")
        elif asked:
            survives.append(mutant)
        elif tried:
            unasked.append(f"not written for {', '.join(f'`{f}`' for f in unwritten(policy) if f in needed(tried))}")
    if unasked:
        return f"{UNASKED}: {unasked[0]}"
    if survives:
        return f"{FALLS}: {', '.join(f'`{mutant}`' for mutant in survives)}"
    return f"{FALLS}: no such line"


def table() -> str:
    """The rules that do not hold for each kind, as a table; and how many do."""
    rows = {rule: [found(policy, rule) for policy in KINDS] for rule in RULES}
    kept = {rule: cells for rule, cells in rows.items() if set(cells) != {MUST}}
    head = [
        f"| rule | {' | '.join(f'{kind} (`{name}`)' for name, kind in KINDS.items())} |",
        f"|---|{'---|' * len(KINDS)}",
    ]
    lines = [f"| {rule} | {' | '.join(cells)} |" for rule, cells in kept.items()]
    return "\n".join(
        [*head, *lines, "", f"The other {len(rows) - len(kept)} rules are a must for each of the five.", ""]
    )


def shown() -> dict[str, list[str]]:
    """Rule to its row of the page."""
    (block,) = BLOCK.findall(PAGE.read_text(encoding="utf-8"))
    return {rule: [cell.strip() for cell in cells.split("|")] for rule, cells in ROW.findall(block)}


if __name__ == "__main__":
    made = table()
    PAGE.write_text(BLOCK.sub(lambda _: made, PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    sys.stdout.write(made)
