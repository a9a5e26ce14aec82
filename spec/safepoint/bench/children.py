"""Guest programs as processes: CPU time, output, and whether all interpreters say the same."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from safepoint.bench.languages import Language
from safepoint.bench.sizes import EMPTY, SIZES, source
from safepoint.verify.report import Progress

PATIENCE = 300.0
"""Seconds on the clock in which a program must end."""


class BenchError(Exception):
    """What makes a comparison worthless: a program fails, hangs, or says something else than the others."""


@dataclass(frozen=True)
class Ran:
    """seconds: of CPU time, user and system."""

    seconds: float
    output: str


def ran(command: Sequence[str], patience: float = PATIENCE) -> Ran:
    """Run a process to its end.  BenchError: it fails, or takes longer than `patience`, in seconds."""
    with tempfile.TemporaryFile("w+", encoding="utf-8") as out, tempfile.TemporaryFile("w+", encoding="utf-8") as err:
        code, used, is_late = _waited_for(command, out, err, patience)
        out.seek(0)
        err.seek(0)
        if code:
            why = f"took more than {patience:g} s" if is_late else f"ended with {code}"
            raise BenchError(f"{' '.join(command)}: {why}: {err.read().strip()[-300:]}")
        return Ran(used.ru_utime + used.ru_stime, out.read())


def _waited_for(
    command: Sequence[str], out: IO[str], err: IO[str], patience: float
) -> tuple[int, resource.struct_rusage, bool]:
    """The exit code of a process, what it used, and whether it was killed because it took too long.

    The process does not outlive this function, whatever ends that: Control-C is raised only where the process is killed then.
    """
    # a user's processes keep their modules compiled, so these may, too
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=err, env=environment)
        late = threading.Event()

        def give_up() -> None:
            late.set()
            process.kill()

        timer = threading.Timer(patience, give_up)
        timer.start()
        try:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
            _, status, used = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        except BaseException:
            process.kill()
            process.wait()
            raise
        finally:
            timer.cancel()
            timer.join()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    return process.returncode, used, late.is_set()


class Programs:
    """The programs as files, in a directory for this run.  The default size is the file's own."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def run(self, language: Language, program: str, size: int | None = None) -> Ran:
        """BenchError: as `ran`."""
        file = self._directory / f"{program}-{size or 'full'}.{language.suffix}"
        if not file.exists():
            file.write_text(source(program, language.suffix, size), encoding="utf-8")
        return ran((*language.command, str(file)))


@contextmanager
def programs() -> Iterator[Programs]:
    """They are removed at the end."""
    with tempfile.TemporaryDirectory(prefix="safepoint-bench-") as directory:
        yield Programs(Path(directory))


class Outputs:
    """What each program says in each size.  BenchError: two languages say something else."""

    def __init__(self) -> None:
        self._said: dict[tuple[str, int | None], tuple[str, str]] = {}

    def compare(self, language: Language, program: str, size: int | None, output: str) -> None:
        first, said = self._said.setdefault((program, size), (language.name, output))
        if output != said or not (output or program == EMPTY):
            raise BenchError(
                f"{program}: {language.name} prints {output.strip()[:80]!r}, {first} {said.strip()[:80]!r}: the programs are not the same"
            )


def check(languages: Sequence[Language], names: Sequence[str], files: Programs, progress: Progress) -> Outputs:
    """Run each program in the smaller size, in every language.  BenchError: one fails, or they say different things."""
    outputs = Outputs()
    with progress.section("do all print the same?", len(names) * len(languages)) as done:
        for program in names:
            size = SIZES[program].less
            for language in languages:
                outputs.compare(language, program, size, files.run(language, program, size).output)
                done(f"{program}, {language.name}")
    return outputs
