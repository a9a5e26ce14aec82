"""The verdict on one scope: safety, liveness, then the bound; and `safepoint explore`: scope after scope until one is refuted."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial

from safepoint.graph.collector import seldom_collected
from safepoint.graph.text import Text
from safepoint.model.bounds import BROKEN as UNBOUNDED
from safepoint.model.bounds import bound_of
from safepoint.model.counterexample import again, statement
from safepoint.model.custom import THREADS, chosen_of, judge_of, notes
from safepoint.model.custom_bounds import has_checks
from safepoint.model.engines import Search
from safepoint.model.eventually import check_liveness
from safepoint.model.explore import NotExplored, Result
from safepoint.model.fairness import check_fairness
from safepoint.model.late import late
from safepoint.model.memory.names import MOST, SC, base, is_weak, not_said, target_of
from safepoint.model.mutants import BEYOND, beyond, memories_for, not_compiled
from safepoint.model.path import path_of
from safepoint.model.scopes import Scope
from safepoint.model.system import Model
from safepoint.model.widths import fitting
from safepoint.protocol.own import OwnPolicy
from safepoint.protocol.policy import Bound, Policy, option
from safepoint.verify.rows import PathStep, Refutation, ScopeRow

MOST_STATES = 5_000_000
"""Of a scope, unless another number is asked for."""

SELDOM = 100_000
"""New objects, when the collector begins."""


@dataclass(frozen=True)
class Decision:
    """The verdict on one scope.

    `result`: of the search; its path is the counterexample, if there is one.  `bound`: None if a property is broken, under C11 and on machines,
    which do not say when a store is seen, or for a custom text that names no check site.
    """

    result: Result
    policy: Policy
    bound: Bound | None = None

    @property
    def late(self) -> bool:
        """Is the bound worse than the policy declares?"""
        return self.bound is not None and not self.bound.within(self.policy.declared)

    @property
    def refuted(self) -> bool:
        return bool(self.result.broken) or self.late

    def declares(self) -> str:
        """The bound that the policy, or the text itself, declares, and the one that was found."""
        declarer = "the text" if self.result.model.text.is_custom else self.policy.name
        declared = self.policy.declared
        return f"{declarer} declares {declared}, and has {self.bound.beside(declared) if self.bound else None}"

    def row(self) -> ScopeRow:
        """As `--json` shows it."""
        result, model = self.result, self.result.model
        return ScopeRow(
            policy=None if model.text.is_custom else self.policy.name,
            memory=model.memory,
            threads=model.scope.threads,
            scope=model.scope.name,
            states=result.states,
            transitions=result.transitions,
            depth=result.depth,
            seconds=round(result.seconds, 2),
            verdict="refuted" if self.refuted else "holds",
            bound=self.bound,
        )

    def refutation(self) -> Refutation:
        """What refutes it, as `--json` shows it; without a path, if only the bound does."""
        if not self.result.broken:
            return Refutation(property=UNBOUNDED, detail=self.declares())
        path = path_of(self.result)
        names = [process.name for process in path.model.processes]
        return Refutation(
            property=path.broken,
            detail=path.detail,
            path=tuple(
                PathStep(names[s.process], s.move.file, s.move.line, statement(s), s.changes) for s in path.steps
            ),
            loop=path.loop,
            replay=path.replay,
            again=again(path),
        )

    def without_states(self) -> Decision:
        """The same, small enough to keep and to send to another process: only the counterexample's states are left."""
        return replace(self, result=replace(self.result, reached=()))


@seldom_collected(SELDOM)
def decide(
    model: Model,
    policy: Policy,
    search: Search,
    most: int = MOST_STATES,
    progress: Callable[[int, int], None] | None = None,
) -> Decision:
    """Explore the scope; then check liveness; then compute the bound, but under C11.  Raises NotExplored, ProtocolError."""
    result = search(model, judge_of(model), most, progress)
    if result.broken:
        return Decision(result, policy)
    result = check_fairness(check_liveness(result))
    if result.broken or model.is_weak or (model.text.is_custom and not has_checks(model)):
        return Decision(result, policy)
    bound = bound_of(model, result)
    return Decision(late(result, bound), model.policy, bound)


@dataclass
class Explored:
    """What `safepoint explore` found.

    `rows`: one a scope, as `--json` shows them.  `refuted`: the verdict that ended it, with its counterexample.  `vacuous`:
    statements and branches of a custom text that no scope reached: nothing was checked there.  `too_weak`: the declared bounds that claim less
    than was found.  `bounds`: where one is declared, with that, and the worst that was found.  `notes`: how it was read.  `cut_off`:
    the scope that was not explored to its end, and why, so that there is no verdict but of `rows`.  `doubt`: why `refuted` is no
    verdict: the text is refuted without the mutant, too; or the machine of views has more paths than the one that was asked for.
    """

    rows: list[ScopeRow] = field(default_factory=list)
    refuted: Decision | None = None
    vacuous: set[str] = field(default_factory=set)
    bounds: dict[str, tuple[Bound, Bound]] = field(default_factory=dict)
    notes: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    cut_off: str = ""
    doubt: str = ""

    def saw(self, decision: Decision) -> None:
        """Of a scope that holds: its bound.  Nothing is declared of a mutant, nor of a text that is in place of ours."""
        model = decision.result.model
        if decision.bound is not None and not model.mutant and not model.text.instead:
            place, declared = declared_at(decision)
            _, before = self.bounds.get(place, (declared, decision.bound))
            self.bounds[place] = declared, before.worse(decision.bound)

    @property
    def too_weak(self) -> list[str]:
        """Nothing, if a scope was not explored to its end."""
        found = {} if self.cut_off or self.refuted else self.bounds
        return [said for place, bounds in found.items() for said in too_weak(place, *bounds)]

    @property
    def remarks(self) -> list[str]:
        """What was not checked, and what claims too little: neither refutes."""
        return [
            *(f"vacuous: never reached: {place}" for place in sorted(self.vacuous)),
            *(f"too weak: {said}" for said in self.too_weak),
        ]

    @property
    def left_out(self) -> dict[str, str]:
        return {about: "; ".join(sorted(said)) for about, said in self.notes.items()}


def explore(
    text: Text,
    scopes: list[Scope],
    policy: Policy,
    memory: str | None,
    mutant: str,
    search: Search,
    most: int | None,
    progress: Callable[[int, int], None],
) -> Explored:
    """Of a scope at most `most` states (None: MOST_STATES; MOST of a weak memory).  Without `memory`: sequential consistency, and for a mutant that survives it, TSO; for one of an order C11.  Raises ProtocolError."""
    explored = Explored()
    everywhere: set[str] = set()
    reached: set[str] = set()
    for each in memories(memory, mutant, text, policy):
        if is_weak(each):
            explored.notes[base(each)].add(not_said(each))
        for scope in scopes:

            def verdict(compiled: str, scope: Scope = scope, memory: str = each) -> Decision | None:
                """None: the mutant is not in the scope."""
                limit = most or (MOST if is_weak(memory) else MOST_STATES)
                return fitting(
                    partial(Model, text, scope, compiled, policy, memory),
                    lambda model: (
                        None if compiled and not model.mutated else decide(model, policy, search, limit, progress)
                    ),
                )

            try:
                found = verdict(mutant)
            except (NotExplored, MemoryError) as error:
                explored.cut_off = (
                    explored.cut_off or f"{scope.name} {each}: not explored: {str(error) or 'out of memory'}"
                )
                if not mutant:
                    return explored
                continue  # another scope may catch it
            if found is None:
                continue
            explored.rows.append(found.row())
            for about, said in notes(found.result.model) if text.is_custom else ():
                explored.notes[about].add(said)
            if found.refuted:
                explored.refuted = found.without_states()
                if target_of(each) and not mutant:
                    explored.doubt = (
                        f"{scope.name} {each}: no verdict: the machine of views allows more than {base(each)} in a few shapes, and this path"
                        " may be one of them (compare: --memory c11, --memory tso)"
                    )
                if mutant and (text.is_custom or text.instead):  # ours holds
                    unmutated = verdict("")
                    if unmutated is not None and unmutated.refuted:
                        explored.doubt = (
                            f"mutant {mutant}: the text is refuted in scope {scope.name} without it, too, so this says nothing of the mutant"
                            " (explore the text first)"
                        )
                return explored
            explored.saw(found)
            places, missing = found.result.model.places()
            everywhere |= places
            reached |= places - missing
    if mutant and not (explored.rows or explored.cut_off):
        raise not_compiled(text.with_trigger(policy.trigger), mutant, policy)
    if text.is_custom:
        explored.vacuous = everywhere - reached
    more = shown_beyond(explored.rows, text, policy, mutant) or unexplored(text, scopes, policy, mutant)
    if more:
        explored.notes[more[0]].add(more[1])
    return explored


def shown_beyond(rows: list[ScopeRow], text: Text, policy: Policy, mutant: str) -> tuple[str, str] | None:
    """Of a mutant of ours that only one scope is known to show, and that survives: how to ask for that one.  None: it is among these rows."""
    where = BEYOND.get((policy.trigger, mutant))
    if text.is_custom or where is None or where in {(row.memory, row.scope) for row in rows}:
        return None
    options = beyond(policy, mutant)
    whole = f"safepoint explore {option(policy.name, 'folded')}--mutant {mutant}{options}"
    return "scopes", f"the one that shows this mutant (write: {options.strip() if text.instead else whole})"


def unexplored(text: Text, scopes: list[Scope], policy: Policy, mutant: str) -> tuple[str, str] | None:
    """What the smallest group has that is more than these scopes, and how to ask for it: more threads, for a custom text and for a mutant that
    survives; for a mutant also other scopes.  None: nothing.
    """
    most = max(scope.threads for scope in scopes)
    for group in THREADS if text.is_custom or mutant else ():
        among = chosen_of(text, group, None, policy.slices)
        missing = [scope for scope in among if scope.threads >= most and scope not in scopes]
        if more := [scope.threads for scope in missing if scope.threads > most]:
            return "threads", f"explored with at most {most}: {min(more)} may show more (write: --scope {group})"
        if missing and mutant:
            done = sum(scope in scopes for scope in among)
            return (
                "scopes",
                f"{done} of {len(among)} of {group} explored: another may show more (write: --scope {group})",
            )
    return None


def declared_at(decision: Decision) -> tuple[str, Bound]:
    """Where the bound of a scope is declared, and that bound: of a custom text, of a kind that it gives no number for, what was found."""
    assert decision.bound is not None
    model, declared = decision.result.model, decision.policy.declared
    if not model.text.is_custom:
        return place_of(decision.policy), declared
    found = decision.bound.of_kinds()
    claimed = Bound(**{kind: found[kind] if n is None else n for kind, n in declared.of_kinds().items()})
    return f"{model.text.files[0].name}: scope {model.scope.name.rpartition('-')[0]}", claimed


def place_of(policy: Policy) -> str:
    """Where a policy declares its bound."""
    return policy.declared_at if isinstance(policy, OwnPolicy) else f"protocol/policies/{policy.name}.py"


def too_weak(place: str, declared: Bound, found: Bound) -> tuple[str, ...]:
    """The kinds of check of which less is claimed than was found in all that was explored: it holds, and says too little."""
    return tuple(
        f"{place}: declared: {kind}={n}, and no scope explored attains it: at most {attained} (write: {kind}={attained}; a larger scope may need more)"
        for kind, (n, attained) in declared.unattained(found).items()
    )


def memories(memory: str | None, mutant: str, text: Text, policy: Policy) -> tuple[str, ...]:
    """The memory models to explore, in order."""
    if memory:
        return (memory,)
    return memories_for(text, mutant, policy) if mutant else (SC,)
