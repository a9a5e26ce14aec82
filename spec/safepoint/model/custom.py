"""A custom text: its roles, the scopes it is explored in, and what it is judged by.

A text with a `mutator` of its own brings its whole world.  Its words are not ours, so our properties cannot be asked of it: it
is judged by what speaks of no word (no-deadlock, and `custom_goals`), and by its claims, those of its steps and the global ones.
A text without one is a variant of our protocol: it gets our roles, our scopes and our properties.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from safepoint.graph.gather import gather, text_of
from safepoint.graph.ir import Graph, Step
from safepoint.graph.text import ProtocolError, Text
from safepoint.model.custom_goals import POSTS
from safepoint.model.environment import scopes_of_variant
from safepoint.model.explore import Judge, Violation
from safepoint.model.global_claims import GlobalClaims
from safepoint.model.properties import Properties
from safepoint.model.rest import after, unended
from safepoint.model.roles import calls_of, roles
from safepoint.model.scopes import NO_BOUND, Scope, chosen
from safepoint.model.system import Model
from safepoint.protocol.activities import CHECKS
from safepoint.protocol.policies import FOLDED
from safepoint.protocol.policy import Bound, Policy

THREADS = {"tiny": (1,), "small": (1, 2), "nightly": (1, 2, 3)}
"""How many guest threads the scopes of a group have: ours say more of each scope, but know the text."""

NUMBERS = {"threads", "frames", "back_edges"}
"""What a text may say of a scope, in numbers."""

UNGROUPED = "named"
"""The group of scopes that are explored only by their names."""


def read(given: Path | Sequence[Path] | None, policy: Policy = FOLDED) -> Text:
    """The protocol with the policy's trigger (None); a custom text; or the protocol with these files in place of some of ours.

    Raises ProtocolError.
    """
    chosen_files = (given,) if isinstance(given, Path) else given
    return gather(chosen_files, policy.trigger) if chosen_files else text_of(policy)


def scopes_of(text: Text) -> dict[str, Scope]:
    """Ours; or, of a custom text, those that it declares; or all its roles together, and each alone, which no group has.

    What some of the roles can do, all together can do; what needs the others would be refuted without them.  A thread has its own
    roles in every world.  Raises ProtocolError.
    """
    if not text.is_custom:
        return scopes_of_variant(text)
    found = roles(text)
    _refuse_unasked(text)
    if not found:
        raise ProtocolError(
            f"{text.files[0].name}: the text defines no requester, only threads (write: a role, `def name() -> None:` that ends in `return name()`)"
        )
    of_threads = tuple(role for role in found if text.functions[role].kind)
    worlds = list(_declared(text, found)) or [World("all" if len(found) > 1 else found[0], found)]
    alone = [World(role, (role,)) for role in found if role not in of_threads]
    made = [scope for world in alone for scope in world.scopes(of_threads, UNGROUPED)]
    made += [scope for world in worlds for scope in world.scopes(of_threads)]
    return {scope.name: scope for scope in made}


@dataclass(frozen=True)
class World:
    """Roles that belong together, beside guest threads: a scope for each number in `threads`.  `bound`: the kinds of check it declares."""

    name: str
    roles: tuple[str, ...]
    threads: tuple[int, ...] = THREADS["nightly"]
    bound: Bound = NO_BOUND

    def scopes(self, of_threads: tuple[str, ...], group: str = "") -> Iterator[Scope]:
        """The smallest first."""
        who = (*self.roles, *(role for role in of_threads if role not in self.roles))
        for name, threads in zip(THREADS, self.threads, strict=False):
            why = f"{' and '.join(who)} beside {threads} of its threads"
            yield Scope(f"{self.name}-{threads}", group or name, threads, who, why, declared=self.bound)


def _declared(text: Text, known: tuple[str, ...]) -> Iterator[World]:
    """What `def scopes()` of the text declares.  Raises ProtocolError."""
    procedure = text.functions.get("scopes")
    before: set[str] = set()
    for node in procedure.node.body if procedure else ():
        assert procedure is not None
        match node:
            case ast.Expr(value=ast.Constant()) | ast.Pass():
                continue
            case ast.Expr(
                value=ast.Call(func=ast.Name(id="scope"), args=[ast.Constant(value=str(name)), *who], keywords=more)
            ) if re.fullmatch(r"[\w-]+", name):
                among = [role.id for role in who if isinstance(role, ast.Name) and role.id in known]
                values = [(k.arg, k.value.value) for k in more if isinstance(k.value, ast.Constant)]
                said = {what: n for what, n in values if isinstance(n, int)}
                threads = said.get("threads")
                fits = threads is None or threads in THREADS["nightly"]
                if name in before:
                    text.error(node, procedure.file, f"scope {name} is declared twice", "another name for one of them")
                if said.keys() & {"frames", "back_edges"} and not _has_checks(text):
                    what, instead = (
                        "no bound to hold it to: nothing is posted, or no case is a check",
                        'posted(…), and a case "push" or "back-edge"',
                    )
                    text.error(node, procedure.file, what, instead)
                if among and len(among) == len(who) and len(said) == len(more) and said.keys() <= NUMBERS and fits:
                    before.add(name)
                    counts = THREADS["nightly"] if threads is None else (threads,)
                    yield World(name, tuple(among), counts, Bound(said.get("frames"), said.get("back_edges")))
                    continue
        roles_ = ", ".join(known)
        instead = f'scope("name", role, …), with threads=1, frames=1, back_edges=1 if need be; roles: {roles_}'
        text.error(node, procedure.file, "not a scope", instead)


def _refuse_unasked(text: Text) -> None:
    """Refuse what looks like a question and is none: two `eventually` of one name, of which either would do."""
    before: set[str] = set()
    for procedure in text.functions.values():
        beside = {
            id(c)
            for n in ast.walk(procedure.node)
            if isinstance(n, ast.If) and calls_of(n.test, "mutant")
            for c in ast.walk(n)
        }
        for call in calls_of(procedure.node, "eventually"):
            name = ast.unparse(call.args[0]) if call.args else ""
            if name in before and id(call) not in beside:
                text.error(
                    call,
                    procedure.file,
                    f"another eventually has the name {name}, and either would do",
                    "a name of its own",
                )
            before.add(name)


def _has_checks(text: Text) -> bool:
    """Does the text say what is posted, and name a check?"""
    functions = [procedure.node for procedure in text.functions.values()]
    values = [node.value for f in functions for node in ast.walk(f) if isinstance(node, ast.MatchValue)]
    cases = {value.value for value in values if isinstance(value, ast.Constant)}
    return bool(cases & set(CHECKS)) and any(calls_of(function, *POSTS) for function in functions)


def chosen_of(text: Text, scope: str, threads: int | None = None, slices: tuple[str, ...] | None = None) -> list[Scope]:
    """A scope by its name; or those of a group, as `scopes.chosen`.  Raises KeyError, ProtocolError."""
    known = scopes_of(text)
    if scope not in THREADS:
        return [known[scope]]
    if not text.is_custom:
        return chosen(scope, threads, slices, known)
    groups = tuple(THREADS)[: tuple(THREADS).index(scope) + 1]
    return [s for s in known.values() if s.group in groups and threads in (None, s.threads)]


def judge_of(model: Model) -> Judge:
    """What is asked of each state.  The claims that stand in steps, and no-deadlock, are asked by the search itself."""
    if not model.text.is_custom:
        return Properties(model).judge
    claims = GlobalClaims(model)
    return _InHands(model, claims).judge if model.layout.takes else claims.judge


class _InHands:
    """As ours: a thread that rests holds nothing that it took."""

    def __init__(self, model: Model, claims: GlobalClaims) -> None:
        self.model, self.claims = model, claims
        self.threads = list(enumerate(zip(model.mutators, model.rests, strict=False)))

    def judge(self, state: int) -> Violation | None:
        for thread, (process, rest) in self.threads:
            if process.pc.get(state) in rest and self.model.held[thread].get(state):
                return Violation("taken-is-served", f"T{thread} is round, and holds a request that it took")
        return self.claims.judge(state)


def notes(model: Model) -> Iterator[tuple[str, str]]:
    """What an author should know of how his text was read: (about what, in a sentence)."""
    found = roles(model.text)
    worlds = list(_declared(model.text, found))
    for role in found if worlds else ():
        if not (model.text.functions[role].kind or any(role in world.roles for world in worlds)):
            yield "roles", f'{role} is in no scope that the text declares (write: scope("{role}", {role}))'
    for process, rest in zip(model.processes, model.rests, strict=True):
        for step in (s for s in unended(process.graph, model.widths) if s.number in rest):
            place = f"{step.file}:{step.line}"
            yield (
                "silence",
                f"{place}: {process.graph.name} falls silent: nothing here ends {step.source} (if that is meant, write: rest())",
            )
        for step in process.graph.steps:
            yield from _uncommitted(process.graph, step)


def _uncommitted(graph: Graph, choice: Step) -> Iterator[tuple[str, str]]:
    """Cases that begin with a wait, beside others that do not: a thread is never held in one of them."""
    waiting = [
        [s for s in after(graph, tree) if s.guard is not None and not s.rests]
        for tree in choice.then
        if choice.op == "choose" and "=" not in "".join(choice.cases)
    ]
    if all(waiting):
        return
    for case, steps in zip(choice.cases, waiting, strict=True):
        for step in steps:
            said = f'the case "{case}" is chosen only where its {step.source} is over already'
            yield "cases", f"{step.file}:{step.line}: {said} (write pause() before it, if a thread may be held there)"
