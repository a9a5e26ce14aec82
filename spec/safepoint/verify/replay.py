"""`safepoint replay`: walk a path of the model again, or repeat a schedule on a target and on the reference machine."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches

from safepoint.conform.judge import UnknownTarget, find_target
from safepoint.conform.target import GuestStuck, NotOffered, Observation
from safepoint.differential import controlled, fuzz
from safepoint.differential.cases import parsed
from safepoint.differential.compare import Mismatch, differences
from safepoint.differential.controlled import (
    Case,
    Controlled,
    Ran,
    choice_text,
    find_controlled,
    is_controlled,
    move_text,
)
from safepoint.differential.corpus import find
from safepoint.differential.costs import Costed
from safepoint.differential.follow import Wrong, judge
from safepoint.differential.fuzz import Instance
from safepoint.differential.mistakes import mistakes_of
from safepoint.differential.runs import Undisturbed, repeat
from safepoint.differential.schedule import Schedule, parse
from safepoint.differential.schedulers import Replay
from safepoint.differential.small import PROGRAMS
from safepoint.differential.stepped import Stepped
from safepoint.graph.text import ProtocolError, Text
from safepoint.guest.faults import GuestSyntaxError
from safepoint.model import path
from safepoint.model.path import Path, ReplayError
from safepoint.protocol.policies import FOLDED, POLICIES
from safepoint.protocol.policy import Policy


class CannotReplay(Exception):
    """The string, its program or its target cannot be used; one line that says what to write."""


@dataclass(frozen=True)
class Walked:
    """A path of the model, walked again."""

    path: Path

    @property
    def agrees(self) -> bool:
        """Is nothing broken at its end?"""
        return not self.path.broken


@dataclass(frozen=True)
class Repeated:
    """A schedule, repeated.  `mismatch`: where the target differs from the reference machine; None: they agree."""

    program: str
    schedule: Schedule
    observed: Observation
    mismatch: Mismatch | None

    @property
    def agrees(self) -> bool:
        return self.mismatch is None


@dataclass(frozen=True)
class Rerun:
    """A controlled schedule, run again.  wrong: what is wrong with it."""

    ran: Ran
    wrong: Wrong | None

    @property
    def agrees(self) -> bool:
        return self.wrong is None


@dataclass(frozen=True)
class Refuzzed:
    """A fuzzed program, made and judged again.  source: its text, with a newline; "" of damaged code.  wrong: "" if nothing is."""

    instance: Instance
    source: str
    how: str
    wrong: str

    @property
    def agrees(self) -> bool:
        return not self.wrong


def scheduled(string: str, policy: Policy) -> Policy:
    """The policy that a controlled schedule's string names; of any other string the one that is given."""
    if not is_controlled(string):
        return policy
    try:
        return POLICIES[controlled.parse(string)[3]]
    except ValueError:
        return policy  # it is said where the schedule is run


def replay(
    string: str, text: Text, mutant: str = "", target: str = "folded", policy: Policy = FOLDED
) -> Walked | Repeated | Rerun | Refuzzed:
    """Replay `m:…`, a path of the model; or, with `target` and the mutant compiled into it, `s:…`, a schedule, or `f:…`, a fuzzed program.

    policy: of a schedule: whose checks both machines have.

    Raises CannotReplay.
    """
    try:
        known_mutant(mutant, text, target)
        if string.startswith("m:"):
            return Walked(path.replay(text, string))
        if string.startswith("f:"):
            return _refuzz(fuzz.parse(string), target, mutant)
        if is_controlled(string):
            return _rerun(string, target, mutant)
        if string.startswith("s:"):
            return _repeat(*parse(string), target, mutant, policy)
    except (ReplayError, ProtocolError, ValueError, UnknownTarget, GuestSyntaxError) as error:
        raise CannotReplay(str(error)) from None
    raise CannotReplay(
        f"{string!r} is not a replay string (m:… is a path of the model, s:… a schedule, f:… a fuzzed program: copy it from a failure, whole)"
    )


def _refuzz(instance: Instance, target_name: str, mutant: str) -> Refuzzed:
    """In this process: what takes it down does so again.  Raises CannotReplay, UnknownTarget."""
    target = find_stepped(target_name, mutant)
    if not hasattr(target, "load_program"):
        raise CannotReplay(f"target {target_name!r} takes no compiled code (leave out --target)")
    try:
        how, wrong = fuzz.judge(instance, target)
        source = fuzz.text_of(instance) if instance.kind == fuzz.TEXT else ""
    except KeyError:
        raise CannotReplay(f"no program {instance.program!r} (copy the string from a failure, whole)") from None
    return Refuzzed(instance, source, how, wrong)


def known_mutant(mutant: str, text: Text, target: str) -> None:
    """CannotReplay: neither the text nor the target has it.  UnknownTarget."""
    if not mutant or mutant in text.mutants:
        return
    there = [*text.mutants, *mistakes_of(target)]
    if mutant not in there:
        near = get_close_matches(mutant, there)
        which = f"did you mean {' or '.join(near)}?" if near else f"there are: {', '.join(there)}"
        raise CannotReplay(f"no mutant {mutant!r} in the text, nor of target {target!r}; {which}")


def _rerun(string: str, target_name: str, mutant: str) -> Rerun:
    """Raises CannotReplay, UnknownTarget, ValueError."""
    try:
        made, choices = parsed(string)
    except KeyError as unknown:
        known = ", ".join(PROGRAMS)
        raise CannotReplay(
            f"no program {unknown.args[0]!r} (write one of {known}; or of tests/programs, or a path)"
        ) from None
    target, scheduler = find_controlled(target_name), Replay(dict(choices))
    if cannot := _cannot_run(target, target_name, made, mutant):
        raise CannotReplay(cannot)
    try:
        ran = target.control(made, scheduler, mutant)
    except NotOffered as missing:
        remedy = " (leave out --mutant)" if mutant else ""
        raise CannotReplay(f"target {target_name!r} does not offer {missing}{remedy}") from None
    wrong = judge(ran)
    if idle := _not_made(scheduler) or ("" if wrong else _idle(ran, scheduler)):
        raise CannotReplay(f"{string!r}: {idle}")
    return Rerun(ran, wrong)


def _cannot_run(target: Controlled, name: str, made: Case, mutant: str) -> str:
    """Why a target cannot run a case, and what to write instead; ""."""
    policy = made.policy
    if why := target.why_not(policy):
        return f"target {name!r} runs no schedule under policy {policy}: {why} (leave out {policy},)"
    if made.code and (why := target.why_not_compiled(policy)):
        return f"target {name!r} runs no compiled code under policy {policy}: {why} (leave out ,{made.code})"
    if made.late and not target.can_be_late(policy):
        return f"target {name!r} has no late stores under policy {policy}: what a requester changes there is no word of memory (write sc)"
    if (needs := target.code_for(mutant)) and made.code not in needs:
        instead = " or ".join(f",{code}" for code in needs)
        place = f"in place of ,{made.code}" if made.code else "behind the memory"
        return f"mutant {mutant} makes a difference only in code that is {' or '.join(needs)} (write {instead} {place})"
    return ""


WHOLE = "copy it whole; a mutant's needs --mutant NAME"


def _not_made(scheduler: Replay) -> str:
    """Which choice names an actor that could not go on there; ""."""
    for point, moves in scheduler.missed.items():
        choice, there = choice_text(point, scheduler.choices[point]), ", ".join(map(move_text, moves))
        return f"a choice of it cannot be made in this run: {choice}, where one of these goes on: {there} ({WHOLE})"
    return ""


def _idle(ran: Ran, scheduler: Replay) -> str:
    """Which part of the string did nothing; "".  Of a run that is right: one that is wrong ends early."""
    for point, move in scheduler.choices.items():
        if point >= ran.points:
            choice = choice_text(point, move)
            return f"a choice of it cannot be made in this run: {choice}, for its choice points are 0 to {ran.points - 1} ({WHOLE})"
    for request in (each for asked in ran.case.requesters for each in asked):
        number = int(request.partition("/")[2] or 0)
        if number >= ran.guests:
            last = f", numbered from 0 to {ran.guests - 1}" if ran.guests > 1 else ", number 0"
            return f"no guest thread is ever asked for {request}: the run has {ran.guests}{last} (write one of these)"
    return ""


def find_stepped(name: str, mutant: str = "", policy: Policy = FOLDED) -> Stepped:
    """A target that a schedule can drive, with the mutant compiled in.  Raises UnknownTarget, CannotReplay."""
    target = find_target(name)
    if policy is not FOLDED:
        if not isinstance(target, Costed) or not target.has_checks_of(policy):
            raise CannotReplay(f"target {name!r} has no checks of policy {policy.name} (leave out --policy)")
        target = target.under(policy)
    if mutant:
        try:
            target = target.mutated(mutant)
        except NotOffered as missing:
            raise CannotReplay(f"target {name!r} does not offer {missing} (leave out --mutant)") from None
    if not isinstance(target, Stepped):
        raise CannotReplay(
            f"target {name!r} cannot be driven by a schedule (derive it from safepoint.differential.stepped.Stepped)"
        )
    return target


def _repeat(name: str, schedule: Schedule, target_name: str, mutant: str, policy: Policy) -> Repeated:
    target = find_stepped(target_name, mutant, policy)
    try:
        guest = find(name)
    except KeyError:
        raise CannotReplay(f"no program {name!r} (write the name of one of tests/programs, or a path)") from None
    try:
        run = Undisturbed(guest.source, guest.name, guest.stack, policy=policy)
        if schedule.step >= run.steps:
            raise CannotReplay(f"{name} has {run.steps} steps, numbered from 0 (step {schedule.step} is not one)")
        living = run.before(schedule.step).living
        if schedule.thread not in living:
            raise CannotReplay(
                f"{name}: before step {schedule.step} there is no guest thread {schedule.thread}"
                f" (choose another step, or one of these: {', '.join(map(str, living))})"
            )
        target.load(guest.source, guest.name, guest.stack)
        trial = repeat(target, schedule, run.longest)
    except GuestStuck as stuck:
        raise CannotReplay(f"{name}: {stuck}, before anything is posted (write a program that ends)") from None
    expected = run.run(schedule)
    if schedule.also and schedule.at >= max(expected.in_all, trial.in_all):
        raise CannotReplay(
            f"{name}: what follows the post has {expected.in_all} shared accesses, numbered from 0 ({schedule.at} is not one)"
        )
    differs = differences(expected.observation, trial.observation)
    mismatch = Mismatch(name, schedule, differs, target_name, mutant, policy.name) if differs else None
    return Repeated(name, schedule, trial.observation, mismatch)
