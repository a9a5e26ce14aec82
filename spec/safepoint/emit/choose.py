"""Which procedures a policy's header has: those that its guest threads and its requesters call, by the roles of the text."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from safepoint.emit.fold import Body, CannotEmit, Folded, calls, named, only, reachable
from safepoint.emit.vms import SLEEP
from safepoint.graph.accesses import accesses, find_mutant, weakened
from safepoint.graph.text import Text
from safepoint.model.scopes import SCOPES, SLICES, VARIANTS
from safepoint.protocol import ROLES
from safepoint.protocol.policy import Policy, elsewhere

WAKES = "awaken"
"""What a VM calls, and no role does, for one that sleeps."""
OPERATION = {"operate"}
"""The procedure whose access stands for what the VM does: the header has a hook there."""
ELSEWHERE = "elsewhere"
"""The procedure that is the check of a return, or of an allocation: in C it has the name of its site."""


@dataclass(frozen=True)
class Chosen:
    """What one header has.

    bodies: procedure to its statements, in the text's order.  roots: those that a VM calls.  variants: features of the text that the C decides.
    switches: those that it decides for some policy.  within: procedure to the variant without which nothing calls it.  left_out: feature to the procedures that need it.
    """

    folded: Folded
    bodies: dict[str, Body]
    roots: tuple[str, ...]
    variants: tuple[str, ...]
    switches: tuple[str, ...]
    within: dict[str, str]
    left_out: dict[str, tuple[str, ...]]

    @property
    def text(self) -> Text:
        return self.folded.text

    def called(self, procedure: str) -> str:
        """The name of a procedure in C, behind `sp_`."""
        return elsewhere(self.folded.sites) if procedure == ELSEWHERE else procedure

    @property
    def weaker(self) -> tuple[str, ...]:
        """The orders of its mutant, as that names them, of accesses that the header makes."""
        text, mutant = self.text, self.folded.mutant
        if not weakened(text, mutant):
            return ()
        named = ((each, accesses(text)[each.rpartition(".")[0]].procedure) for each in mutant.split("+"))
        return tuple(each for each, procedure in named if procedure in {*self.bodies} - OPERATION)


@lru_cache
def choose(text: Text, policy: Policy, mutant: str = "") -> Chosen:
    """What the header of a policy has; not to be changed.  Raises CannotEmit for a mutant that no line of it has."""
    names = _procedures(text)
    asked = _asked_for(text)
    switches = tuple(v for v in VARIANTS if v in asked)
    variants = tuple(v for v in switches if v in policy.slices)
    folded = Folded(text, mutant, variants, policy.slices, policy.sites)
    every = {name: folded.body(text.functions[name]) for name in names}
    needs = dict(needed(text, every, policy.sites))
    roots = [name for name, ways in needs.items() if any(way <= {*policy.slices} for way in ways)]
    if SLEEP in roots:
        roots.append(WAKES)
    kept = reachable(roots, every)
    core = reachable(roots, {name: list(only(body, "")) for name, body in every.items()})
    within: dict[str, str] = {}
    for variant in variants:
        with_it = reachable(roots, {name: list(only(body, variant)) for name, body in every.items()})
        within |= dict.fromkeys((name for name in names if name in with_it - core), variant)
    missing: dict[str, list[str]] = {v: [] for v in switches if v not in variants}
    for name, ways in needs.items():
        if name not in kept:
            feature = next(f for f in (*VARIANTS, *SLICES) if f in min(ways, key=len) - {*policy.slices})
            missing.setdefault(feature, []).append(name)
    if mutant:
        _refuse_elsewhere(text, mutant, kept)
    if (site := elsewhere(policy.sites)) in kept:
        raise CannotEmit(
            f"{text.functions[site].file}: {site}: in C the check of this site has that name (choose another)"
        )
    bodies = _without_idle({name: every[name] for name in names if name in kept})
    return Chosen(
        *(folded, bodies, tuple(roots), variants, switches, within),
        left_out={feature: tuple(each) for feature, each in missing.items()},
    )


def _without_idle(bodies: dict[str, Body]) -> dict[str, Body]:
    """Without assignments to private words that nothing reads: another trigger's."""
    nodes = [n for body in bodies.values() for s in body for n in ast.walk(s) if isinstance(n, ast.Attribute)]
    read = {n.attr for n in nodes if isinstance(n.ctx, ast.Load)}

    def is_idle(node: ast.stmt) -> bool:
        match node:
            case ast.Assign(targets=[ast.Attribute(attr=word)]):
                return word not in read
        return False

    return {name: [s for s in body if not is_idle(s)] for name, body in bodies.items()}


def _refuse_elsewhere(text: Text, mutant: str, kept: set[str]) -> None:
    where = {procedure for _, _, procedure in find_mutant(text, mutant).places}
    if not where & (kept - OPERATION if mutant not in text.mutants else kept):
        raise CannotEmit(
            f"mutant {mutant}: stands in {', '.join(sorted(where))}, which this policy's header has not (choose another)"
        )


def _procedures(text: Text) -> list[str]:
    """All but the roles, in the text's order."""
    return [name for name, p in text.functions.items() if p.file != ROLES and (p.file, name) != ("words.py", "threads")]


@lru_cache
def _asked_for(text: Text) -> set[str]:
    """The features that procedures ask for by themselves."""
    nodes = (n for name in _procedures(text) for n in ast.walk(text.functions[name].node) if isinstance(n, ast.expr))
    return {said[1] for n in nodes if (said := named(n, "slice_on"))}


def needed(text: Text, every: dict[str, Body], sites: Sequence[str]) -> dict[str, list[frozenset[str]]]:
    """Procedure that a role calls to the sets of features, any of which is enough for one to call it.  sites: where the policy checks."""
    found: dict[str, list[frozenset[str]]] = {}
    for name, procedure in text.functions.items():
        if procedure.file == ROLES:
            scopes = [{*s.slices} for s in SCOPES.values() if name in s.roles]
            role = frozenset(set.intersection(*scopes)) if scopes else frozenset[str]()
            for called, needs in _walk(procedure.node.body, role, every, sites):
                found.setdefault(called, []).append(needs)
    return found


def _walk(
    body: Sequence[ast.stmt], needs: frozenset[str], every: dict[str, Body], sites: Sequence[str]
) -> Iterator[tuple[str, frozenset[str]]]:
    """The calls of a role, each with the features that it stands behind."""
    for node in body:
        match node:
            case ast.Expr(value=ast.Call(func=ast.Name(id="when"), args=[condition])):
                if said := named(condition, "slice_on"):
                    needs |= {said[1]}
                elif (said := named(condition, "checks_at")) and said[1] not in sites:
                    return
            case ast.Match(cases=cases):
                for case in cases:
                    yield from _walk(case.body, needs, every, sites)
            case ast.If(test=test, body=yes, orelse=no) if said := named(test, "checks_at"):
                yield from _walk(yes if said[1] in sites else no, needs, every, sites)
            case ast.If(test=test, body=yes, orelse=no):
                said = named(test, "slice_on")
                yield from _walk(yes, needs | {said[1]} if said else needs, every, sites)
                yield from _walk(no, needs, every, sites)
            case _:
                yield from ((name, needs) for name in calls([node], every))
