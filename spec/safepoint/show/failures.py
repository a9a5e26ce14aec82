"""What refutes a claim, and what a replay found, in words; every failure that a command can replay ends with that command."""

from __future__ import annotations

from safepoint.conform.judge import Verdict
from safepoint.differential.compare import Mismatch
from safepoint.graph.text import Text
from safepoint.model.bounds import BROKEN as UNBOUNDED
from safepoint.model.counterexample import counterexample, path
from safepoint.model.properties import SOMETIMES
from safepoint.protocol.policies import FOLDED
from safepoint.protocol.policy import Bound, option
from safepoint.verify.explore import Decision
from safepoint.verify.failures import (
    Failure,
    NotInductive,
    OtherBound,
    Survivor,
    Unattained,
    Unmet,
    Unnoticed,
    Unreached,
    WrongFuzzed,
    WrongOnCores,
    WrongSchedule,
)
from safepoint.verify.replay import Refuzzed, Repeated, Rerun, Walked


def failure_text(failure: Failure) -> str:
    """A failure, in one line or several."""
    match failure:
        case Decision():
            return refutation(failure)
        case Verdict():
            return failure.report
        case Mismatch():
            return str(failure)
        case Unreached(policy, place):
            return f"vacuous: {policy}: never reached: {place}"
        case Unmet(name):
            return f"vacuous: no state was like {name!r}: {SOMETIMES[name]}"
        case Unattained(policy, declared):
            return f"{policy} declares {bound_text(declared)}, and no scope attains it"
        case NotInductive(found):
            return f"induction: {found}"
        case Survivor(mutant):
            return (
                f"mutant {mutant.label()}: no property catches it (it breaks {mutant.rule})\n"
                f"    again: safepoint explore {option(mutant.policy, FOLDED.name)}--mutant {mutant.name}"
            )
        case OtherBound(policy, declared, observed):
            return f"differential: {policy} declares {declared}; observed was at most {observed}"
        case Unnoticed(mutant, by):
            return f"mutant {mutant}, compiled into the interpreter: {by}"
        case WrongSchedule(by, what, string):
            return f"controlled schedule, by its {by}: {what}\n    again: safepoint replay '{string}'"
        case WrongFuzzed(string, what, mutant):
            given = f"--mutant {mutant} " if mutant else ""
            return f"fuzzed program: {what}\n    again: safepoint replay {given}'{string}'"
        case WrongOnCores(what, count, requests, policy):
            under = "" if policy == FOLDED.name else f" -p {policy}"
            return (
                f"real cores: {what}: {count:,}, of {requests:,} requests (a race: it may take several runs to see it again)\n"
                f"    again: safepoint verify --soak 10{under}"
            )


def refutation(decision: Decision) -> str:
    """The bound, if it is worse than declared, and the counterexample, if there is one."""
    result = decision.result
    parts: list[str] = []
    if decision.bound and decision.late:
        parts.append(f"{result.model.scope.name}: {UNBOUNDED}: {decision.declares()}")
    if result.broken:
        parts.append(counterexample(result, result.model.text))
    return "\n\n".join(parts)


def replay_text(replayed: Walked | Repeated | Rerun | Refuzzed, text: Text) -> str:
    """What `safepoint replay` found."""
    if isinstance(replayed, Rerun):
        return rerun_text(replayed)
    if isinstance(replayed, Refuzzed):
        return f"{replayed.source}{replayed.instance}: {replayed.how}: {replayed.wrong or 'nothing is wrong'}"
    if isinstance(replayed, Walked):
        return path(replayed.path, text)
    if replayed.mismatch:
        return str(replayed.mismatch)
    seen = ", ".join(f"{s.kind} at {s.site}" for s in replayed.observed.seen) or "nothing"
    return f"{replayed.program}: {replayed.schedule}\n    both machines agree; seen: {seen}"


def rerun_text(rerun: Rerun) -> str:
    """A controlled run, a line for each access, and what is wrong with it."""
    ran = rerun.ran
    wide = max((len(made.by) for made in ran.made), default=0)
    lines = [
        f"{made.by:{wide}}  {f'{made.file}:{made.line}' if made.file else '':22} {made.statement.split('#')[0].strip()}"
        for made in ran.made
    ]
    if len(lines) > MOST_LINES:
        lines = [f"({len(lines) - MOST_LINES:,} accesses before)", *lines[-MOST_LINES:]]
    found = f"wrong, by its {rerun.wrong.by}: {rerun.wrong.what}" if rerun.wrong else "nothing is wrong"
    return "\n".join([*lines, f"{ran.case.name}: {ran.points} choice points: {found}"])


MOST_LINES = 200
"""Of a controlled run, on a terminal."""


def bound_text(bound: Bound | None) -> str:
    """No bound at all is a dash."""
    return "-" if bound is None else str(bound)
