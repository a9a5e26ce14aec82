"""Guest threads on OS threads of their own, against CPython, on both cores, and step by step."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import pytest

from safepoint.guest.compiler.program import compile_program
from safepoint_vm.target import FoldedTarget
from safepoint_vm.threads.vm import run
from tests.impl.running import IMPORTS, LONG, ran
from tests.strategies import THREADED


@pytest.mark.parametrize("path", THREADED, ids=lambda path: path.stem)
def test_race_free_programs_do_what_they_do_under_cpython(path: Path) -> None:
    theirs = subprocess.run([sys.executable, str(path)], capture_output=True, text=True, timeout=LONG, check=False)
    collects = any(word in path.read_text(encoding="utf-8") for word in ("collect()", "--heap 1M"))
    for stress in (False, True):
        output, errors = io.StringIO(), io.StringIO()
        outcome = run(compile_program(path.read_bytes(), str(path)), output, 4096, 1 << 20, stress, errors)
        assert output.getvalue() == theirs.stdout
        assert (outcome.fault is not None) == (theirs.returncode != 0)
        assert errors.getvalue().count("Exception in thread") == theirs.stderr.count("Exception in thread")
        assert (outcome.stats.collections > 0) == (stress or collects)


def test_threads_run_at_the_same_time() -> None:
    """Two that each wait, without leaving guest code, for what the other one writes."""
    done = ran("""
turn = [0]
def ping(me):
    for i in range(200):
        while turn[0] != me:
            pass
        turn[0] = 1 - me
all_of(ping, [0, 1])
print("done", turn[0])
""")
    assert done.output == "done 0\n"


def test_locks_of_one_thread_are_steppable() -> None:
    target = FoldedTarget()
    target.load(IMPORTS + "lock = Lock()\nwith lock:\n    print(1)\nlock.acquire()\nlock.release()\nprint(2)\n")
    target.start()
    target.advance(1000)
    assert (target.observe().ended, target.observe().output) == (True, "1\n2\n")
