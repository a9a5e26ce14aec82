"""Every mistake of the text, hunted in the smallest instance that catches it: a property that no mutant breaks checks nothing."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from functools import cache

from safepoint.graph.accesses import find_mutant
from safepoint.graph.ir import Step
from safepoint.graph.lower import compile_graph
from safepoint.graph.text import Mutant, ProtocolError, Text
from safepoint.model.eventually import check_liveness
from safepoint.model.explore import NotExplored, Result, search
from safepoint.model.fairness import check_fairness
from safepoint.model.late import check_bound
from safepoint.model.memory.names import C11, SC, TSO
from safepoint.model.properties import Properties
from safepoint.model.scopes import SCOPES, Scope, chosen, instance_of
from safepoint.model.system import Model
from safepoint.protocol import files
from safepoint.protocol.policies import FOLDED, PATCHED, POLICIES
from safepoint.protocol.policy import FURTHER, USUAL, Policy
from safepoint.protocol.trigger import elsewhere

BEYOND: dict[tuple[str, str], tuple[str, str]] = {
    (PATCHED.trigger, "one-claim-for-all"): (SC, "loops-3"),
    (PATCHED.trigger, "overwritten-by-a-store"): (C11, "loops-2"),
}
"""Trigger and mutant, to the memory model and scope where it is hunted: mutants that the tiny scopes do not catch under SC or TSO.  The one
takes three threads: it claims, its request is lost, and the third one's claim is taken for its own.  The other is right where each store is
seen at once.
"""


def beyond(policy: Policy, mutant: str) -> str:
    """What a command that explores the mutant must be told besides, with a blank before it; "" for most."""
    memory, scope = BEYOND.get((policy.trigger, mutant), ("", ""))
    return f"{f' --memory {memory}' if memory != SC else ''} --scope {scope}" if scope else ""


@cache
def all_mutants() -> tuple[tuple[Policy, Mutant], ...]:
    """Every mistake of the protocol, with the policy that shows it: folded for the core and its own trigger, for each other
    trigger's own mistakes the first policy that has it, and the sites at which it is made.
    """
    found: dict[tuple[str, str], tuple[Policy, Mutant]] = {}
    for policy in POLICIES.values():
        for mutant in Text(files(policy.trigger)).mutants.values():
            if (policy is FOLDED or _is_own(mutant, policy.trigger)) and _is_compiled(mutant, policy):
                found.setdefault((policy.trigger, mutant.name), (policy, mutant))
    return tuple(found.values())


def first_of_each_trigger() -> list[Policy]:
    """Of the policies that share a trigger the first, which has both usual sites, if any has."""
    firsts: dict[str, Policy] = {}
    for policy in POLICIES.values():
        firsts.setdefault(policy.trigger, policy)
    return list(firsts.values())


def _is_own(mutant: Mutant, trigger: str) -> bool:
    """Does it stand in the file of that trigger?"""
    return f"{trigger}.py" in {file for file, _, _ in mutant.places}


def _is_compiled(mutant: Mutant, policy: Policy) -> bool:
    """Has the policy a site at which it is made?"""
    return bool(policy.elsewhere) or any(procedure != elsewhere.__name__ for _, _, procedure in mutant.places)


@dataclass(frozen=True)
class Hunted:
    """`result` None: no scope caught it, and the properties are too weak."""

    mutant: Mutant
    result: Result | None

    @property
    def scope(self) -> str:
        return self.result.model.scope.name if self.result else ""

    @property
    def memory(self) -> str:
        return self.result.model.memory if self.result else ""

    @property
    def steps(self) -> int:
        """Of the counterexample; 0 if there is none, as where a number of checks is too large."""
        return max(0, len(self.result.path) - 1) if self.result else 0


def attempt(model: Model) -> Result:
    """One scope: what is always true; if that holds, what must happen in the end; then the bound, but under C11.  Raises NotExplored."""
    result = search(model, Properties(model).judge)
    if not result.broken:
        result = check_fairness(check_liveness(result))
    return result if result.broken or model.is_weak else check_bound(result)


def not_compiled(text: Text, mutant: str, policy: Policy) -> ProtocolError:
    """The complaint that no scope of the policy has the statement in which the mistake is."""
    at = find_mutant(text, mutant)
    has = f"whose features are {', '.join(policy.slices) or 'none'}"
    sites = FURTHER.values() if any(procedure == elsewhere.__name__ for _, _, procedure in at.places) else USUAL
    if absent := [site for site in sites if site not in policy.sites]:
        has += f", and which checks at no {' or '.join(absent)}"
    return ProtocolError(
        f"{at.file}:{at.line}: mutant {mutant} is compiled into no scope of policy {policy.name}, {has}"
        f" (write: a policy that has {' or '.join(f'{procedure}()' for _, _, procedure in at.places)})"
    )


def reordered(text: Text, mutant: str, policy: Policy, scope: Scope) -> list[Step] | None:
    """The accesses for which a mutant takes another order, if it changes no access otherwise in a scope; else None."""
    instance = instance_of(scope, policy, mutant)
    found: list[Step] = []
    for role in ("mutator", *scope.roles):
        right, wrong = (compile_graph(text, role, i).steps for i in (replace(instance, mutant=""), instance))
        if [_access(step) for step in right] != [_access(step) for step in wrong]:
            return None
        found += [new for old, new in zip(right, wrong, strict=True) if old.order != new.order]
    return found


def _access(step: Step) -> tuple[object, ...]:
    """An access, whatever its order."""
    return step.op, step.cell, step.operands, step.guard


def memories_for(text: Text, mutant: str, policy: Policy = FOLDED) -> tuple[str, ...]:
    """Where to hunt a mutant, in order.  An order alone makes no difference under sequential consistency, that of a load none under TSO.

    The first scope in which it changes an access says which it is.
    """
    text = text.with_trigger(policy.trigger)
    for scope in [] if text.is_custom else chosen("tiny", slices=policy.slices):
        steps = reordered(text, mutant, policy, scope)
        if steps is None:
            break
        if steps:
            return (C11,) if all(step.op == "load" for step in steps) else (TSO, C11)
    return (SC, TSO)


def _is_read(model: Model, steps: Collection[Step]) -> bool:
    """Does any process of the model's world read one of the words that these steps access?"""
    words = {step.cell.word for step in steps if step.cell}
    read = (s.cell.word for process in model.processes for s in process.graph.steps if s.cell and s.op != "store")
    return not words.isdisjoint(read)


def hunt(text: Text, mutant: str, policy: Policy = FOLDED) -> Hunted:
    """Explore the mutant in one scope after the other, the smallest first, until a property is broken: under sequential
    consistency, and only if none of those catches it, under TSO; a wrong order under TSO and C11, where the word is read; one of BEYOND
    there.  Raises ProtocolError if no scope compiles it in.
    """
    text, is_anywhere = text.with_trigger(policy.trigger), False
    if where := BEYOND.get((policy.trigger, mutant)):
        memory, name = where
        result = attempt(Model(text, SCOPES[name], mutant, policy, memory))
        return Hunted(find_mutant(text, mutant), result if result.broken else None)
    for memory in memories_for(text, mutant, policy):
        for scope in chosen("tiny", slices=policy.slices):
            model = Model(text, scope, mutant, policy, memory)
            if not model.mutated:
                continue
            is_anywhere = True
            if (steps := reordered(text, mutant, policy, scope)) and not _is_read(model, steps):
                continue
            try:
                result = attempt(model)
            except NotExplored:  # a mutant without its barrier may fill any store buffer: another scope will do
                continue
            if result.broken:
                return Hunted(find_mutant(text, mutant), result)
    if not is_anywhere:
        raise not_compiled(text, mutant, policy)
    return Hunted(find_mutant(text, mutant), None)
