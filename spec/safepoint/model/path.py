"""A path through the state graph: what each move was and which words it changed, and the short string that replays it.

`m:SCOPE/MUTANT/MOVES~CHECK`; behind SCOPE `,POLICY,MEMORY` unless they are folded and sc; POLICY of a user's own is
`FILE:NAME@DIGEST`, percent-encoded.  MOVES has for each move the letter
of the thread (a is the first) and, unless it is 0, the number of the move among those the thread could make; what follows an
`@` is gone round for ever.  CHECK is a digest of the names of the steps, so that a replay against a text that has changed is
noticed.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from urllib.parse import quote, unquote

from safepoint.graph.text import Text
from safepoint.model.bounds import BROKEN as UNBOUNDED
from safepoint.model.bounds import checks, never_seen, owing, owing_at_end
from safepoint.model.custom import judge_of, scopes_of
from safepoint.model.eventually import EVENTUALLY, check_liveness, trapped
from safepoint.model.explore import STUCK, NotExplored, Result, Violation, search
from safepoint.model.fairness import check_fairness
from safepoint.model.late import FINITE, seen_late
from safepoint.model.memory.names import NAMES
from safepoint.model.moves import Move, Transition
from safepoint.model.own_policies import PolicyError, find_policy
from safepoint.model.process import Process
from safepoint.model.scopes import not_written_for
from safepoint.model.system import Model
from safepoint.model.widths import fitting
from safepoint.protocol.own import OwnPolicy
from safepoint.protocol.policies import FOLDED, POLICIES, is_own
from safepoint.protocol.policy import Policy

PATTERN = re.compile(
    r"m:(?P<scope>[\w-]+)(,(?P<policy>[\w.%:-]+)(@(?P<digest>[0-9a-f]{8}))?,(?P<memory>[\w-]+))?/(?P<mutant>[\w.+-]*)/(?P<moves>([a-z]\d*)*)(@(?P<loop>([a-z]\d*)+))?~(?P<check>[0-9a-f]{8})"
)
MOVE = re.compile(r"([a-z])(\d*)")


class ReplayError(Exception):
    """The string is not one of a path, or not of a path of this text; says which, and what to do."""


@dataclass(frozen=True)
class Change:
    """A word before and after."""

    owner: int | str
    word: str
    old: int
    new: int


@dataclass(frozen=True)
class Taken:
    """One step of a path.  `process`: the column it belongs to."""

    process: int
    choice: int
    move: Move
    changes: tuple[Change, ...]


@dataclass(frozen=True)
class Path:
    """`broken`: the property that the last state breaks, or "".  `loop`: after this many steps, the rest goes round for ever."""

    model: Model
    steps: tuple[Taken, ...]
    broken: str
    detail: str
    loop: int | None = None

    @property
    def replay(self) -> str:
        told = [chr(97 + s.process) + (str(s.choice) if s.choice else "") for s in self.steps]
        moves = "".join(("@" if number == self.loop else "") + move for number, move in enumerate(told))
        names = "\n".join(f"{s.move.who} {s.move.name} {s.move.cases}" for s in self.steps)
        policy, memory = _encoded(self.model.policy), self.model.memory
        world = self.model.scope.name + (f",{policy},{memory}" if (policy, memory) != (FOLDED.name, "sc") else "")
        return f"m:{world}/{self.model.mutant}/{moves}~{zlib.crc32(names.encode()):08x}"


def path_of(result: Result) -> Path:
    """The counterexample of a search, move by move: to a bad state, into a trap, or (of `lasso_of`) round a loop."""
    model, states = result.model, result.path
    if result.broken == UNBOUNDED and result.detail == FINITE:
        late = [thread for thread, _, _ in owing_at_end(model, states[:-1])]
        steps = _steps(model, states, late)
        return Path(model, steps, UNBOUNDED, _late(model, states, steps))
    if result.broken == UNBOUNDED:
        loop = states.index(states[-1])
        late = [thread for thread, _ in owing(model, states[loop:])]
        steps = _steps(model, states[: loop + 1], ()) + _steps(model, states[loop:], late)
        return Path(model, steps, UNBOUNDED, _unseen(model, states[loop:], steps[loop:]), loop)
    detail = trapped(model, result.broken, result.detail, states[-1]) if states else result.detail
    return Path(model, _steps(model, states, ()), result.broken, detail)


def _unseen(model: Model, states: tuple[int, ...], steps: tuple[Taken, ...]) -> str:
    """What is never seen in a loop."""
    return never_seen(model, states, [(model.processes[step.process].me, step.move) for step in steps])


def _late(model: Model, states: tuple[int, ...], steps: tuple[Taken, ...]) -> str:
    """What is seen later than declared at the end of a path; "" if nothing is."""
    return seen_late(model, states, [(model.processes[step.process].me, step.move) for step in steps])


def _steps(model: Model, states: Sequence[int], late: Collection[int]) -> tuple[Taken, ...]:
    return tuple(_taken(model, before, after, late) for before, after in pairwise(states))


def _taken(model: Model, before: int, after: int, late: Collection[int]) -> Taken:
    """The move between two states: where several do the same, a check of a thread that is late, of a kind that has a declared bound if
    there is one; else the first.
    """
    found = [
        (process, Taken(number, choice, edge.move, changes(model, before, after)))
        for number, process in enumerate(model.processes)
        for choice, edge in enumerate(_edges(process, before))
        if before ^ edge.delta == after
    ]
    assert found, "two states of a path have no move between them"
    late_checks = [taken for process, taken in found if process.me in late and checks(taken.move)]
    claimed = {kind for kind, most in model.policy.declared.of_kinds().items() if most is not None}
    return max(late_checks, key=lambda taken: bool(checks(taken.move) & claimed), default=found[0][1])


def _edges(process: Process, state: int) -> list[Transition]:
    return list(process.edges(state & process.footprint))


def changes(model: Model, before: int, after: int) -> tuple[Change, ...]:
    """The words, shared and private, that differ."""
    named = [(cell.owner, cell.word, where) for cell, where in model.cells.items()]
    named += [(m.me, word, where) for m in model.mutators for word, where in m.privates.items()]
    return tuple(
        Change(owner, word, where.get(before), where.get(after))
        for owner, word, where in named
        if isinstance(owner, int | str) and where.get(before) != where.get(after)
    )


def _model(text: Text, match: re.Match[str], wider: Mapping[str, int]) -> Model:
    try:
        scopes, policy, memory = scopes_of(text), _policy(match), match["memory"] or "sc"
    except PolicyError as error:
        raise ReplayError(str(error)) from None
    for what, name, known in (
        ("scope", match["scope"], scopes),
        ("memory model", memory, NAMES),
    ):
        if name not in known:
            raise ReplayError(f"the path speaks of {what} {name!r}; there are: {', '.join(known)}")
    if why := not_written_for(scopes[match["scope"]], policy):
        raise ReplayError(why)
    return Model(text, scopes[match["scope"]], match["mutant"], policy, memory, wider)


def _in_the_end(model: Model, states: tuple[int, ...]) -> Violation | None:
    """Does the path lead to the nearest state from which something that must happen cannot, or is it one of unfair stops?"""
    try:
        result = check_fairness(check_liveness(search(model, judge_of(model))))
    except NotExplored:
        return None
    is_trap = model.text.is_custom or result.broken in EVENTUALLY
    is_same = result.path[-1:] == states[-1:] if is_trap else result.path == states
    return Violation(result.broken, result.detail) if is_same else None


def _match(string: str) -> re.Match[str] | None:
    """Also a string that a picture has wrapped into lines."""
    return PATTERN.fullmatch("".join(string.split()))


def _encoded(policy: Policy) -> str:
    """As a replay string has it: of a user's own also what tells whether its file has changed."""
    name = quote(policy.name, safe=":", errors="surrogateescape").replace("~", "%7E")
    return f"{name}@{policy.digest}" if isinstance(policy, OwnPolicy) else name


def _policy(match: re.Match[str]) -> Policy:
    """Raises ReplayError, PolicyError."""
    name = unquote(match["policy"] or FOLDED.name, errors="surrogateescape")
    if name not in POLICIES and not is_own(name):
        raise ReplayError(f"the path speaks of policy {name!r}; there are: {', '.join(POLICIES)}")
    return find_policy(name)


def policy_of(string: str) -> Policy:
    """The policy that a replay string speaks of; folded if it is not one of a path, or names one that does not exist.

    Raises PolicyError: it speaks of a user's own, which cannot be read, or no longer.
    """
    match = _match(string)
    try:
        return _policy(match) if match else FOLDED
    except ReplayError:
        return FOLDED  # it is said where the path is walked


def changed_since(string: str, policy: Policy) -> str:
    """That a policy of a user's own is another one than when the path was found; "" if it is not."""
    match = _match(string)
    before, now = match["digest"] if match else None, policy.digest if isinstance(policy, OwnPolicy) else None
    return "" if before in (None, now) else f"{policy.name}: has changed since the path was found"


def replay(text: Text, string: str) -> Path:
    """Run a path again.  Raises ReplayError, ProtocolError."""
    match = _match(string)
    if not match:
        raise ReplayError(f"{string!r} is not a path (it looks like m:both-1/no-recheck/ab0a~12345678: copy it whole)")
    return fitting(partial(_model, text, match), partial(_walk, match))


def _walk(match: re.Match[str], model: Model) -> Path:
    judge = judge_of(model)
    states, steps = [model.initial], list[Taken]()
    broken: Violation | None = None
    for letter, digits in MOVE.findall(match["moves"] + (match["loop"] or "")):
        number, choice, state = ord(letter) - 97, int(digits or 0), states[-1]
        edges = _edges(model.processes[number], state) if number < len(model.processes) else []
        if choice >= len(edges):
            raise ReplayError(
                f"step {len(steps) + 1} of the path cannot be made: the string is damaged, or the protocol's text has changed (copy it whole, or explore again)"
            )
        edge = edges[choice]
        states.append(state ^ edge.delta)
        steps.append(Taken(number, choice, edge.move, changes(model, state, states[-1])))
        broken = Violation(edge.claims[0]) if edge.claims else judge(states[-1])
    loop = len(MOVE.findall(match["moves"])) if match["loop"] else None
    path = _ended(model, tuple(states), tuple(steps), broken, loop)
    if path.replay[-8:] != match["check"]:
        raise ReplayError(
            "the path's steps have other names now: the string is damaged, or the protocol's text has changed (copy it whole, or explore again)"
        )
    return path


def _ended(
    model: Model, states: tuple[int, ...], steps: tuple[Taken, ...], broken: Violation | None, loop: int | None
) -> Path:
    """What is wrong with the end of a path that was walked again."""
    if loop is not None:
        if states[loop] != states[-1]:
            raise ReplayError(
                f"the loop of the path, from step {loop + 1}, does not lead back: it is not copied whole,"
                " or the protocol's text has changed (explore again)"
            )
        unseen = _unseen(model, states[loop:], steps[loop:])
        return Path(model, steps, UNBOUNDED if unseen else "", unseen, loop)
    if not broken and next(model.successors(states[-1]), None) is None and not model.is_quiet(states[-1]):
        broken = STUCK
    if not broken and (late := _late(model, states, steps)):
        return Path(model, steps, UNBOUNDED, late)
    if not broken:
        broken = _in_the_end(model, states)
    name, detail = broken or ("", "")
    return Path(model, steps, name, trapped(model, name, detail, states[-1]))
