"""Controlled schedules: what an interpreter offers whose threads run one at a time, as a scheduler decides.

Each guest thread, coordinator and requester has an OS thread of its own; before each shared access of the protocol, and before
each check of the guest, the scheduler says which one goes on.  The interpreter reaches `verify` through its target.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from safepoint.conform.judge import UnknownTarget, find_target
from safepoint.conform.target import Observation
from safepoint.differential.schedulers import Choices, Scheduler
from safepoint.protocol.policies import FOLDED, POLICIES
from safepoint.trace.events import Event
from safepoint.trace.lines import Header

LIKE = re.compile(r"s:([^@]*\|(?!.*@[0-9]+[A-Z])|[^@]*@[^:]*:).*", re.DOTALL)
"""What is meant as such a string: requesters are set off by |, and the choices by a colon; a schedule of a step has neither."""
STRING = re.compile(r"s:(?P<program>[^@|]+)(?P<asked>[^@]*)@(?P<where>[^:@]*):(?P<choices>.*)", re.DOTALL)
REQUEST = re.compile(r"STOP|(INTERRUPT|SAMPLE|HANDSHAKE|TERMINATE)(/[0-9]{1,9})?")
CHOICE = re.compile(r"([0-9]{1,9})>(w?)([0-9]{1,9})")
SC, TSO = MEMORIES = ("sc", "tso")
INTERPRETED, COMPILED, INSTALLS = "", "compiled", "installs"
"""What executes the guest: the interpreter; machine code of each function, there from the beginning; or installed by a guest thread on the way."""


@dataclass(frozen=True)
class Case:
    """A guest program, and who asks what of it meanwhile.

    requesters: for each, its requests in order: a kind, or for another thread than the first KIND/record.  late: each store reaches
    memory later than the access, as x86's store buffer allows.  full: every allocation finds the heap full, and collects.
    code: INTERPRETED, COMPILED or INSTALLS.
    """

    program: str
    source: str
    requesters: tuple[tuple[str, ...], ...]
    late: bool = False
    stack: int = 256
    policy: str = FOLDED.name
    full: bool = False
    code: str = INTERPRETED

    def __str__(self) -> str:
        return self.name

    @property
    def records(self) -> int:
        """How many threads the program has beside the first, at once, at most: it is written so."""
        return self.source.count("Thread(")

    @property
    def name(self) -> str:
        """As `safepoint replay` takes it, without the choices."""
        memory = TSO if self.late else SC
        where = memory if self.policy == FOLDED.name else f"{self.policy},{memory}"
        where += f",{self.code}" * (self.code != INTERPRETED)
        return "|".join([self.program, *("+".join(each) for each in self.requesters)]) + f"@{where}"


def string_of(case: Case, choices: Choices) -> str:
    """What `safepoint replay` takes: `s:PROGRAM|REQUESTS|…@POLICY,MEMORY,CODE:POINT>ACTOR,…`; wN: a store of actor N reaches memory."""
    return f"s:{case.name}:{','.join(choice_text(*each) for each in choices)}"


def choice_text(point: int, move: int) -> str:
    """One choice, as a string has it."""
    return f"{point}>{move_text(move)}"


def move_text(move: int) -> str:
    """Who goes on: N, or wN."""
    return str(move) if move >= 0 else f"w{-1 - move}"


def is_controlled(string: str) -> bool:
    """Is it meant as a controlled schedule?  `parse` says what is wrong with it, if anything."""
    return LIKE.fullmatch(string.strip()) is not None


def parse(string: str) -> tuple[str, tuple[tuple[str, ...], ...], bool, str, str, Choices]:
    """The program's name, its requesters, whether stores are late, the policy, the code, and the choices.  Raises ValueError."""
    found = STRING.fullmatch(string.strip())
    if not found:
        raise ValueError(_no_schedule(string, "write PROGRAM|REQUESTS@MEMORY: and, behind the colon, the choices"))
    asked = tuple(tuple(part.split("+")) for part in found["asked"].split("|")[1:])
    for each in (request for part in asked for request in part):
        if not REQUEST.fullmatch(each):
            raise ValueError(
                f"{each!r} is no request (write STOP, INTERRUPT, SAMPLE, HANDSHAKE or TERMINATE, or STOP+SAMPLE;"
                " INTERRUPT/1, of another thread than the first; a STOP is of all)"
            )
    policy, memory, code = _where(string, found["where"])
    return found["program"], asked, memory == TSO, policy, code, _choices(found["choices"])


def _where(string: str, where: str) -> tuple[str, str, str]:
    """Policy, memory and code, from `POLICY,MEMORY,CODE`.  Raises ValueError."""
    parts = where.split(",")
    at = next((n for n, part in enumerate(parts) if part in MEMORIES), None)
    if at is None:
        raise ValueError(
            _no_schedule(string, f"@{where} has no memory: write sc or tso behind the policy, before the code")
        )
    before, behind = parts[:at], parts[at + 1 :]
    if len(before) > 1 or len(behind) > 1:
        raise ValueError(_no_schedule(string, f"@{where} has too many parts: write @POLICY,MEMORY,CODE"))
    policy, code = (before or [FOLDED.name])[0], (behind or [INTERPRETED])[0]
    if policy not in POLICIES:
        raise ValueError(f"no policy {policy!r} (there are: {', '.join(POLICIES)})")
    if behind and code not in (COMPILED, INSTALLS):
        raise ValueError(
            _no_schedule(string, f"{code!r} is no code: write {COMPILED}, {INSTALLS} or, with its comma, nothing")
        )
    return policy, parts[at], code


def _choices(text: str) -> Choices:
    """Raises ValueError."""
    choices: dict[int, int] = {}
    for each in text.split(",") if text else ():
        if not each:
            raise ValueError(
                f"{text!r}: a comma stands beside no choice (leave the comma out, or copy the string whole)"
            )
        choice = CHOICE.fullmatch(each)
        if not choice:
            raise ValueError(f"{each!r} is no choice (it looks like 17>1 or 17>w1: copy the string whole)")
        point, actor = int(choice[1]), int(choice[3])
        if point in choices:
            raise ValueError(f"{each!r}: choice point {point} has a choice already (leave one of the two out)")
        choices[point] = -1 - actor if choice[2] else actor
    return tuple(choices.items())


def _no_schedule(string: str, why: str) -> str:
    return f"{string!r} is no schedule: {why} (it looks like s:loop|STOP@sc:17>1,23>0: copy it whole)"


@dataclass(frozen=True)
class Done:
    """What a guest thread did: an instruction.  Or less than one, `seen`: it was told at a check to raise what this kind of request
    asks for; or `waits`: it began to block at one.  Or `until`: one, and what was executed behind it without a pause, up to an instruction.
    """

    thread: int
    """The number in its name: 0 is the first."""
    seen: str = ""
    waits: bool = False
    starts: int = 0
    """The number of the thread that the instruction started; 0: none."""
    until: tuple[int, int] | None = None
    """The number of a code of the program, and of an instruction there."""


class Made(NamedTuple):
    """An access of the protocol's text, or (file "") an instruction of the guest."""

    by: str
    file: str
    line: int
    statement: str


@dataclass
class Ran:
    """One run.  choices: where it was not the default.  points: choice points; actors, guests: how many actors, and of these guest threads, began.

    wrong: what may not be, in words; "" if nothing.  made: who did what, in order, for people.  done: what guest threads did, in order.  events, header: its trace; none where
    stores are late: a trace is judged as if they were not.
    """

    case: Case
    choices: Choices = ()
    points: int = 0
    actors: int = 0
    guests: int = 0
    wrong: str = ""
    done: list[Done] = field(default_factory=list)
    observation: Observation | None = None
    made: list[Made] = field(default_factory=list)
    sites: tuple[tuple[str, str, int], ...] = ()
    events: list[Event] = field(default_factory=list)
    header: Header | None = None

    @property
    def string(self) -> str:
        return string_of(self.case, self.choices)


class Controlled(ABC):
    """A target whose threads a scheduler can control.  A mix-in of a `Target`."""

    @abstractmethod
    def control(self, case: Case, scheduler: Scheduler, mutant: str = "") -> Ran:
        """One run of a case.  Raises NotOffered for a mutant that cannot be compiled, and for a policy that it has no machine code for."""

    @abstractmethod
    def compiles(self, mutant: str, policy: str = FOLDED.name) -> bool:
        """Does the mutant change anything that is compiled under this policy?"""

    @abstractmethod
    def why_not(self, policy: str) -> str:
        """Why threads cannot be controlled under this policy; "": they can."""

    def why_not_compiled(self, policy: str) -> str:
        """Why no case can be run in compiled code under this policy; "": it can."""
        return "it has no compiled code"

    def code_for(self, mutant: str) -> tuple[str, ...]:
        """In which code the mutant makes a difference: some of COMPILED, INSTALLS; empty: in any."""
        return ()

    @abstractmethod
    def can_be_late(self, policy: str) -> bool:
        """Can stores come late under this policy?  Not where what a requester changes is no word of memory."""


def find_controlled(name: str) -> Controlled:
    """A target that can be controlled.  UnknownTarget: there is none of that name, or it cannot."""
    target = find_target(name)
    if not isinstance(target, Controlled):
        raise UnknownTarget(
            f"target {name!r} cannot be controlled (derive it from {Controlled.__module__}.Controlled, too)"
        )
    return target


Cases = Sequence[Case]
