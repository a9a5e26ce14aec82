"""Every mistake of the text, hunted in the smallest instance that catches it: a property that no mutant breaks checks nothing."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from safepoint.graph.text import Mutant, ProtocolError, Text
from safepoint.model.eventually import check_liveness
from safepoint.model.explore import NotExplored, Result, search
from safepoint.model.fairness import check_fairness
from safepoint.model.late import check_bound
from safepoint.model.properties import Properties
from safepoint.model.scopes import chosen
from safepoint.model.system import MEMORIES, Model
from safepoint.protocol import files
from safepoint.protocol.policies import FOLDED, POLICIES
from safepoint.protocol.policy import Policy


@cache
def all_mutants() -> tuple[tuple[Policy, Mutant], ...]:
    """Every mistake of the protocol, with the policy that shows it: folded for the core and its own trigger, for each other
    trigger's own mistakes a policy that has it.
    """
    texts = [(policy, Text(files(policy.trigger))) for policy in POLICIES.values()]
    return tuple(
        (policy, mutant)
        for policy, text in texts
        for mutant in text.mutants.values()
        if policy is FOLDED or f"{policy.trigger}.py" in {file for file, _, _ in mutant.places}
    )


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
    """One scope: what is always true; if that holds, what must happen in the end; then the bound.  Raises NotExplored."""
    result = search(model, Properties(model).judge)
    if not result.broken:
        result = check_fairness(check_liveness(result))
    return result if result.broken else check_bound(result)


def not_compiled(text: Text, mutant: str, policy: Policy) -> ProtocolError:
    """The complaint that no scope of the policy has the statement in which the mistake is."""
    at = text.mutants[mutant]
    return ProtocolError(
        f"{at.file}:{at.line}: mutant {mutant} is compiled into no scope of policy {policy.name}, whose features are"
        f" {', '.join(policy.slices) or 'none'} (write: a policy that has {' or '.join(f'{procedure}()' for _, _, procedure in at.places)})"
    )


def hunt(text: Text, mutant: str, policy: Policy = FOLDED) -> Hunted:
    """Explore the mutant in one scope after the other, the smallest first, until a property is broken: under sequential
    consistency, and only if none of those catches it, under TSO.  Raises ProtocolError if no scope compiles it in.
    """
    text, is_anywhere = text.with_trigger(policy.trigger), False
    for memory in MEMORIES:
        for scope in chosen("tiny", slices=policy.slices):
            model = Model(text, scope, mutant, policy, memory)
            if not model.mutated:
                continue
            is_anywhere = True
            try:
                result = attempt(model)
            except NotExplored:  # a mutant without its barrier may fill any store buffer: another scope will do
                continue
            if result.broken:
                return Hunted(text.mutants[mutant], result)
    if not is_anywhere:
        raise not_compiled(text, mutant, policy)
    return Hunted(text.mutants[mutant], None)
