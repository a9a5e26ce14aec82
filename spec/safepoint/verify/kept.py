"""Results in a directory, one file each, so that a long run that was ended goes on from there: the one mechanism of every campaign.

A job is a function and its arguments, and nothing else decides its result but the program: so that is its key.
"""

from __future__ import annotations

import hashlib
import json
import os
import pickle
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Executor, Future
from pathlib import Path
from typing import Any, NamedTuple, ParamSpec, TypeVar

from safepoint.verify.identity import Identity, identity

P = ParamSpec("P")
T = TypeVar("T")
ENDING = ".result"


class NotUsable(Exception):
    """What was to be used has another state than it must: one line, with the remedy."""


class Job(NamedTuple):
    """As the file of its result names it.  `work`: a function by its full name; `arguments`: as Python writes them."""

    program: str
    work: str
    arguments: str

    @property
    def key(self) -> str:
        return hashlib.sha256("\n".join(self).encode()).hexdigest()[:40]


class Kept:
    """The results of this version of the program in a directory; those of others stand beside them."""

    def __init__(self, folder: Path, who: Identity | None = None) -> None:
        """Raises NotUsable: it cannot be made."""
        self.folder, self.program = folder, (who or identity()).digest
        try:
            (folder / self.program).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise NotUsable(f"{folder}: {error.strerror} (name a directory that can be written)") from error

    def job(self, work: Callable[..., object], arguments: tuple[object, ...]) -> Job:
        said = repr(arguments)
        assert " at 0x" not in said, f"not a value: {said}"
        return Job(self.program, name_of(work), said)

    def file(self, job: Job) -> Path:
        return self.folder / self.program / f"{job.key}{ENDING}"

    def has(self, job: Job) -> bool:
        return self.file(job).exists()

    def find(self, job: Job) -> Any:
        """The result of a job that has one.  Raises NotUsable: the file is damaged, or of another job."""
        found, result = _read(self.file(job))
        if found != job:
            raise NotUsable(f"{self.file(job)}: the result of another job, or of another text (delete it)")
        return pickle.loads(result)

    def keep(self, job: Job, result: object) -> None:
        """Whole or not at all.  Raises OSError."""
        content = json.dumps(job._asdict()).encode() + b"\n" + pickle.dumps(result)
        file = self.file(job)
        unfinished = file.with_suffix(f".{os.getpid()}")
        unfinished.write_bytes(_checksum(content) + b"\n" + content)
        unfinished.replace(file)


def name_of(work: Callable[..., object]) -> str:
    return f"{work.__module__}.{work.__qualname__}"


def _checksum(content: bytes) -> bytes:
    return hashlib.sha256(content).hexdigest().encode()


def _read(file: Path) -> tuple[Job, bytes]:
    """Whose result it is, and the result.  Raises NotUsable."""
    try:
        checksum, _, content = file.read_bytes().partition(b"\n")
    except OSError as error:
        raise NotUsable(f"{file}: {error.strerror} (name a directory that can be read)") from error
    if checksum != _checksum(content):
        raise NotUsable(f"{file}: damaged: it has not the checksum that it names (delete it, and it is made again)")
    head, _, result = content.partition(b"\n")
    return Job(**json.loads(head)), result


def of_any_version(folder: Path, work: Callable[..., object]) -> Iterator[Any]:
    """The results of a function that any version of the program has kept, as far as this one can read them.  Raises NotUsable."""
    for file in sorted(folder.glob(f"*/*{ENDING}")):
        job, result = _read(file)
        if job.work == name_of(work):
            try:
                yield pickle.loads(result)
            except (AttributeError, ImportError, TypeError, pickle.UnpicklingError):
                continue  # of a class that has another shape now


class Jobs(Executor):
    """An executor that makes only what is missing.  `made`: results that `inner` has made; `there`: those that were kept before."""

    def __init__(self, inner: Executor, kept: Kept | None = None) -> None:
        self.inner, self.kept = inner, kept
        self.made = self.there = 0

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Raises NotUsable: its result is there, and damaged.

        Cancelling an answer leaves its job to `inner`: the thread of CPython 3.11's pool ends, and its processes do not, when a worker process has
        died and another thread has cancelled one of the pool's own futures.
        """
        assert not kwargs, "they would have to be in the key"
        answer: Future[T] = Future()
        job = self.kept.job(fn, args) if self.kept else None
        if self.kept and job and self.kept.has(job):
            answer.set_result(self.kept.find(job))
            self.there += 1
            return answer
        asked = self.inner.submit(fn, *args, **kwargs)
        asked.add_done_callback(lambda done: self._finish(job, done, answer))
        return answer

    def _finish(self, job: Job | None, done: Future[T], answer: Future[T]) -> None:
        """In a thread of `inner`: keep the result, then hand it on; keep it also if the job was cancelled meanwhile."""
        error: BaseException | None = CancelledError() if done.cancelled() else done.exception()
        if error is None:
            self.made += 1
            try:
                if self.kept and job:
                    self.kept.keep(job, done.result())
            except OSError as full:
                error = NotUsable(
                    f"{self.kept and self.kept.folder}: {full.strerror} (give it room; the results so far are kept)"
                )
            except Exception as defect:  # noqa: BLE001  # raised here, it would leave who waits for the answer waiting
                error = defect
        if not answer.set_running_or_notify_cancel():
            return
        if error is None:
            answer.set_result(done.result())
        else:
            answer.set_exception(error)

    @property
    def said(self) -> str:
        """How much was done, for people; "" if nothing is kept."""
        if not self.kept:
            return ""
        return f"{self.kept.folder}: {self.made:,} results made, {self.there:,} were there already"
