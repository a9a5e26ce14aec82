"""Judge a target in a process of its own: an adapter whose call never returns, or that dies, loses the claim at hand and no more.

That process sends each verdict as soon as it is there, and a word every second; no word at all means that the adapter holds the GIL.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing import Pipe
from multiprocessing.connection import Connection, wait
from pickle import PicklingError
from threading import Event, Lock, Thread
from time import monotonic
from typing import Any, cast

from safepoint.conform.claims import CLAIMS
from safepoint.conform.judge import TargetRow, UnknownTarget, Verdict, find_target, hold, in_one_line, target_row
from safepoint.conform.runs import Runs
from safepoint.conform.target import Target
from safepoint.verify.workers import Worker, end_with_parent, hearing_control_c

BEAT = 1.0
"""Seconds between two words on the open call."""
BEATS = 5
"""A process that is not heard for this many more than a call may take hangs: it may wait for a core, too."""
DAY = 86_400.0
"""Seconds that a call may take at most, whatever `Target.longest_call` says."""
MAKING = 600.0
"""Seconds in which a target is imported and made: it may compile a VM."""
REMEDY = "raise GuestStuck in time, as a ThreadedTarget does, or set Target.longest_call"

Word = Verdict | UnknownTarget | str | float
"""What the process sends: a verdict; that there is no such target; what the adapter does instead; seconds that a call may take."""


class Calls:
    """The open calls of an adapter, the outermost first: name, begin, and the seconds that it may take."""

    def __init__(self) -> None:
        self.open: list[tuple[str, float, float]] = []

    @contextmanager
    def note(self, name: str, limit: float) -> Iterator[None]:
        """Note a call as open."""
        self.open.append((name, monotonic(), limit))
        try:
            yield
        finally:
            self.open.pop()

    @property
    def overdue(self) -> str:
        """The first that should have come back, in words; "": none."""
        for name, since, limit in [*self.open]:
            if monotonic() - since > limit:
                return f"has not come back from {name} for {limit:g} seconds ({REMEDY})"
        return ""


class Timed:
    """A target whose every call is noted.  `limit`: seconds that one may take."""

    def __init__(self, target: Target, calls: Calls, limit: float) -> None:
        self._target, self._calls, self._limit = target, calls, limit

    def __getattr__(self, name: str) -> Any:
        with self._calls.note(name, self._limit):  # a property may hang, too
            found = getattr(self._target, name)
        if not callable(found):
            return found

        def call(*given: Any) -> Any:
            with self._calls.note(f"{name}()", self._limit):
                return found(*given)

        return call


def _in_its_process(pipe: Connection, name: str, claims: list[str]) -> None:
    """Judge these claims."""
    end_with_parent()  # also if it hangs
    with suppress(OSError):
        os.dup2(2, 1)  # what the VM prints is no part of the verdict
    calls, sending, ended = Calls(), Lock(), Event()

    def send(word: Word) -> None:
        with sending:
            try:
                pipe.send(word)
            except (PicklingError, AttributeError, TypeError) as error:
                pipe.send(f"gave what no other process can read: {in_one_line(error)}")
            except OSError:  # the parent has gone
                os._exit(0)

    def beat() -> None:
        while not ended.wait(BEAT):
            send(calls.overdue or limit)

    limit = MAKING
    Thread(target=beat, daemon=True).start()
    try:
        with hearing_control_c():
            with calls.note("its import", MAKING):
                target = find_target(name)
            limit = min(target.longest_call, DAY)
            send(limit)  # now: the next beat may find the GIL held
            runs = Runs(cast("Target", Timed(target, calls, limit)))
            for claim in claims:
                try:
                    verdict = hold(CLAIMS[claim], runs, name)
                except KeyboardInterrupt as leaked:  # the guest's; or Control-C, which the parent has heard, too
                    verdict = _not_judged(claim, f"the adapter of {name} raised {in_one_line(leaked)}")
                send(verdict)
    except UnknownTarget as unknown:
        send(unknown)
    except KeyboardInterrupt as leaked:
        send(f"raised {in_one_line(leaked)}")
    ended.set()


def judge_target(name: str) -> tuple[TargetRow, list[Verdict]]:
    """Hold every claim of the judge against one target.  Raises UnknownTarget."""
    verdicts: list[Verdict] = []
    for _ in range(2):  # no more, because each loss may cost Target.longest_call
        left = list(CLAIMS)[len(verdicts) :]
        found, how = _judge(name, left) if left else ([], "")
        verdicts += found
        if not how:
            break
        verdicts.append(_not_judged(left[len(found)], how))
    for claim in list(CLAIMS)[len(verdicts) :]:
        verdicts.append(_not_judged(claim, f"the adapter of {name} hung or died twice"))
    return target_row(name, verdicts), verdicts


def _not_judged(claim: str, how: str) -> Verdict:
    return Verdict(CLAIMS[claim], "no verdict", None, f"{claim} was not judged: {how}")


def _judge(name: str, claims: list[str]) -> tuple[list[Verdict], str]:
    """The verdicts on these claims; and if it ended before the last one, how.  Raises UnknownTarget."""
    ours, theirs = Pipe(duplex=False)
    process = Worker(target=_in_its_process, args=(theirs, name, claims))
    process.start()
    theirs.close()
    verdicts: list[Verdict] = []
    limit = MAKING
    try:
        while len(verdicts) < len(claims):
            ready = wait([ours, process.sentinel], limit + BEATS * BEAT)
            if not ready:
                return verdicts, f"the adapter of {name} holds the GIL, and has not come back ({REMEDY})"
            if ours not in ready:  # a process that the adapter has begun may keep the pipe open
                raise EOFError
            match ours.recv():
                case Verdict() as verdict:
                    verdicts.append(verdict)
                case UnknownTarget() as unknown:
                    raise unknown
                case str(how):
                    return verdicts, f"the adapter of {name} {how}"
                case limit:
                    pass
    except EOFError:
        process.join()
        return verdicts, f"the process of {name} ended in the middle, by {_ending(process.exitcode)}"
    else:
        process.join(BEATS * BEAT)  # the adapter may have something to tidy up
    finally:
        process.kill()
        process.join()
        ours.close()
    return verdicts, ""


def _ending(status: int | None) -> str:
    """How a process ended, in words."""
    return signal.Signals(-status).name if status and status < 0 else f"exit status {status}"
