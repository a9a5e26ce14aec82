"""Control-C while the standard library has a lock of the pool of processes, or makes or starts one: silent, and it ends."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

BEGIN = """
import os, signal, sys
module, name, caller, when = sys.argv[1:]
def called(frame, event, value):
    if (frame.f_code.co_name, frame.f_globals["__name__"]) == (name, module) and caller in ("", frame.f_back.f_code.co_name):
        return press if when == "return" else press(frame, event, value)
def press(frame, event, value):
    if event == when:
        sys.settrace(None)
        os.kill(os.getpid(), signal.SIGINT)
    return press
if __name__ == "__main__":
    from safepoint.verify.workers import workers
    signal.signal(signal.SIGINT, lambda *_: os._exit(130))
    sys.settrace(called)
    with workers() as pool:
        print([done.result() for done in [pool.submit(abs, number) for number in (-1, -2, -3)]])
    print("it was not pressed")
"""
"""Presses it where a function of a module is first called in the main thread, or returns, by any function or by that `caller`."""


@pytest.mark.parametrize("when", ["call", "return"])
@pytest.mark.parametrize(
    ("module", "name", "caller"),
    [
        ("multiprocessing.resource_tracker", "ensure_running", ""),
        ("multiprocessing.resource_tracker", "_send", ""),
        ("multiprocessing.synchronize", "__init__", ""),
        ("safepoint.verify.workers", "__init__", ""),
        ("multiprocessing.process", "start", ""),
        ("multiprocessing.popen_spawn_posix", "_launch", ""),
        ("concurrent.futures.process", "submit", ""),
        ("safepoint.verify.workers", "submit", ""),
        ("threading", "__enter__", "add_done_callback"),
        ("threading", "__exit__", "add_done_callback"),
        ("threading", "__exit__", "result"),
        ("concurrent.futures._base", "result", ""),
        ("concurrent.futures.process", "shutdown", ""),
    ],
)
def test_pressed_there(module: str, name: str, caller: str, when: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", BEGIN, module, name, caller, when],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}, text=True, capture_output=True, timeout=60, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout.replace("[1, 2, 3]\n", ""), done.stderr) == (130, "", "")
