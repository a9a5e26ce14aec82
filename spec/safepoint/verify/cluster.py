"""A Dask cluster in place of the worker processes: who works there is who we are, and one that has gone is noticed.

What a lost worker was at, the scheduler gives to another one; a job's result does not depend on where, or how often, it was made.
"""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Executor, Future
from contextlib import contextmanager, suppress
from multiprocessing import current_process
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from safepoint.verify.identity import Identity, identity
from safepoint.verify.kept import NotUsable

if TYPE_CHECKING:
    from distributed import Client

P = ParamSpec("P")
T = TypeVar("T")
CONNECT = 10.0
"""Seconds in which a scheduler, or a worker, must answer."""
PATIENCE = 30.0
"""Seconds in which a scheduler that does not answer, or any one worker, must be there again."""
LOOK = 0.5
"""Seconds between two looks at them."""


LIBRARIES = ("distributed", "tornado", "asyncio")
"""Whose log is not to be seen."""

ADDRESS = re.compile(r"(\w+://)?[^:/\s]+:\d+")


@contextmanager
def cluster(address: str) -> Iterator[Executor]:
    """The workers of the scheduler at an address.  Raises NotUsable, from within too: whatever is wrong with them."""
    if not ADDRESS.fullmatch(address):
        raise NotUsable(
            f"--on {address}: no address of a scheduler (write tcp://HOST:PORT, as dask scheduler prints it)"
        )
    try:
        from distributed import Client  # noqa: PLC0415  # an extra, and slow to import
    except ImportError:
        raise NotUsable("--on: distributed is not installed (pip install distributed: the extra `cluster`)") from None
    for name in [*LIBRARIES, *logging.root.manager.loggerDict]:  # distributed gives some of them levels of their own
        if name.partition(".")[0] in LIBRARIES:
            logging.getLogger(name).setLevel(logging.CRITICAL)  # what of it concerns the user is an exception here
    try:  # it waits for ever for one that accepts, and then says nothing
        client = _within(2 * CONNECT, lambda: Client(address, timeout=CONNECT, set_as_default=False))
    except (OSError, ValueError) as error:
        why = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise NotUsable(f"--on {address}: no scheduler listens there: {why} (begin one: dask scheduler)") from error
    try:
        look_at_workers(client, address)
        with _watched(client, address) as executor:
            yield executor
    finally:
        with suppress(Exception):
            _within(CONNECT / 2, client.close)


def look_at_workers(client: Client, address: str) -> None:
    """Each has one thread, and is as we are.  Raises NotUsable."""
    try:
        threads = client.sync(client.scheduler.ncores, workers=None, callback_timeout=CONNECT)
        answers = _within(CONNECT, lambda: client.run(who, on_error="return")) if threads else {}
    except (OSError, TimeoutError) as error:
        raise NotUsable(
            f"--on {address}: a worker, or the scheduler, does not answer (begin the cluster anew)"
        ) from error
    if not threads:
        raise NotUsable(f"--on {address}: there is no worker (begin one: dask worker {address} --nthreads 1)")
    for worker, count in threads.items():
        if count != 1:
            raise NotUsable(
                f"--on {address}: worker {worker} has {count} threads, and a job needs a process of its own (begin it with --nthreads 1)"
            )
        if why := unlike(answers.get(worker)):
            raise NotUsable(f"--on {address}: worker {worker}: {why} (install there what is here)")


def who() -> Identity:
    """In a worker."""
    return identity()


def unlike(answer: object) -> str:
    """Why the worker that says this is another than we are; "" if it is not."""
    if isinstance(answer, Identity):
        return answer.other(identity())
    return f"it cannot say which safepoint it has: {type(answer).__name__}: {' '.join(str(answer).split())}"


def checked(here: Identity, work: Callable[..., T], arguments: tuple[object, ...]) -> T:
    """In a worker, which may have come later than the look at all of them.  Raises NotUsable."""
    if why := identity().other(here):
        raise NotUsable(f"--on: a worker: {why} (install there what is here)")
    # else a worker that has a nanny may begin no process, as the judge does
    current_process().daemon = False
    return work(*arguments)


class _Watched(Executor):
    """The jobs of a client.  Once the cluster has gone each that is open fails, and `gone` says why."""

    def __init__(self, client: Client) -> None:
        self.client, self.jobs, self.gone = client, client.get_executor(pure=False), ""
        self._asked: set[Future[Any]] = set()
        self._lock = threading.Lock()

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        assert not kwargs, "as `Jobs`"
        answer: Future[T] = Future()
        with self._lock:
            if self.gone:
                raise CancelledError
            self._asked.add(answer)
        asked = self.jobs.submit(checked, identity(), fn, args)
        asked.add_done_callback(lambda done: self._finish(answer, done))
        return answer

    def _finish(self, answer: Future[T], done: Future[T] | None) -> None:
        with self._lock:
            if answer not in self._asked:
                return
            self._asked.remove(answer)
        if answer.set_running_or_notify_cancel():
            error = CancelledError() if done is None or done.cancelled() else done.exception()
            if error is None and done is not None:
                answer.set_result(done.result())
            else:
                answer.set_exception(error)

    def watch(self, over: threading.Event) -> None:
        """Until it is over, or the cluster has gone."""
        seen = time.monotonic()
        while not over.wait(LOOK):
            why = _missing(self.client)
            seen = seen if why else time.monotonic()
            if time.monotonic() - seen > PATIENCE:
                with self._lock:
                    self.gone, asked = f"for {PATIENCE:g} s {why}", tuple(self._asked)
                for answer in asked:  # not cancelled: the scheduler may not answer that, either
                    self._finish(answer, None)
                return


@contextmanager
def _watched(client: Client, address: str) -> Iterator[Executor]:
    """Raises NotUsable in place of what comes of it that the cluster has gone."""
    jobs, over = _Watched(client), threading.Event()
    threading.Thread(target=jobs.watch, args=(over,), daemon=True).start()
    try:
        yield jobs
    except Exception as error:
        why = jobs.gone
        if type(error).__name__ == "KilledWorker":
            why = "one job has ended each worker that was at it (have they enough memory?)"
        elif not why and (isinstance(error, CancelledError) or client.status != "running"):
            why = "the scheduler has gone"
        if not why:
            raise
        raise NotUsable(f"--on {address}: {why}; what was kept is kept: the same command goes on from there") from error
    finally:
        over.set()
        with suppress(Exception):  # the scheduler need not begin the rest
            _within(CONNECT / 2, lambda: jobs.jobs.shutdown(wait=False))


def _missing(client: Client) -> str:
    """What of the cluster is not there now; "" if nothing is."""
    try:
        if client.sync(client.scheduler.ncores, workers=None, callback_timeout=CONNECT):
            return ""
    except Exception:  # noqa: BLE001  # whatever a client says that is losing its connection
        return "the scheduler does not answer"
    return "there was no worker"


def _within(seconds: float, call: Callable[[], T]) -> T:
    """Raises TimeoutError."""
    answer: Future[T] = Future()

    def run() -> None:
        try:
            answer.set_result(call())
        except BaseException as error:  # noqa: BLE001  # it is told where it is waited for
            answer.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return answer.result(seconds)
