"""`safepoint replay`: walk a path of the model, or a schedule of the machine code, again."""

from __future__ import annotations

from safepoint.conform.judge import UnknownTarget, find_target
from safepoint.differential.compare import Mismatch, differences
from safepoint.differential.corpus import find
from safepoint.differential.runs import Undisturbed, repeat
from safepoint.differential.schedule import Schedule, parse
from safepoint.differential.stepped import Stepped
from safepoint.graph.text import ProtocolError, Text
from safepoint.model.counterexample import path
from safepoint.model.path import ReplayError, replay


class CannotReplay(Exception):
    """The string is no replay string, or not one of this text, or of a program that is here; says which."""


def again(string: str, text: Text, mutant: str = "") -> tuple[str, bool]:
    """What happened, and whether nothing was wrong with it.  `mutant`: compiled into the interpreter, for a schedule."""
    if mutant and mutant not in text.mutants:
        raise CannotReplay(f"no mutant {mutant!r} in the text; there are: {', '.join(text.mutants)}")
    try:
        if string.startswith("m:"):
            walked = replay(text, string)
            return path(walked, text), not walked.broken
        if string.startswith("s:"):
            return _schedule(*parse(string), mutant)
    except (ReplayError, ProtocolError, ValueError, UnknownTarget) as error:
        raise CannotReplay(str(error)) from None
    raise CannotReplay(
        f"{string!r} is no replay string (it begins with m: for a path of the model, s: for a schedule of machine code)"
    )


def _schedule(name: str, schedule: Schedule, mutant: str) -> tuple[str, bool]:
    try:
        guest = find(name)
    except KeyError:
        raise CannotReplay(f"no program {name!r} (write the name of one of tests/programs, or a path)") from None
    target = find_target("folded")
    target = target.mutated(mutant) if mutant else target
    assert isinstance(target, Stepped)
    run = Undisturbed(guest.source, guest.name, guest.stack)
    if schedule.step >= run.steps:
        raise CannotReplay(f"{name} has {run.steps} steps; the schedule speaks of step {schedule.step}")
    target.load(guest.source, guest.name, guest.stack)
    trial = repeat(target, schedule, run.longest)
    if differs := differences(run.run(schedule).observation, trial.observation):
        return str(Mismatch(name, schedule, differs)), False
    seen = ", ".join(f"{s.kind} at {s.site}" for s in trial.observation.seen) or "nothing"
    return f"{name}: {schedule}\n    both machines agree; seen: {seen}", True
