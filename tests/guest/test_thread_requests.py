"""What makes guest threads stop or take notice: a stopped world, Control-C, births into either."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from safepoint.graph.ir import Cell
from safepoint.guest.lockstep import MAIN
from safepoint.guest.operations.threads import name
from safepoint.protocol.words import INTERRUPT, MANAGED
from tests.guest.worlds import IMPORTS, finish, until, world

LOOPS = (
    IMPORTS
    + """
lock = Lock()
total = 0
def work(n):
    global total
    for i in range(n):
        with lock:
            total += 1
    sleep(0.0001)
    if n > 3:
        t = Thread(target=work, args=(n - 3,))
        t.start()
        t.join()
threads = [Thread(target=work, args=(9,)), Thread(target=work, args=(7,)), Thread(target=work, args=(5,))]
for t in threads:
    t.start()
for t in threads:
    t.join()
print(total)
"""
)


@pytest.mark.rule("STOP-AWAITS-ALL")
@pytest.mark.parametrize("before", range(0, 900, 75))
@pytest.mark.parametrize("quantum", [1, 5])
def test_the_world_is_stopped_while_somebody_stops_it(before: int, quantum: int) -> None:
    w = world(LOOPS, quantum)
    for _ in range(before):
        w.step()
    stop = w.sites[MAIN].begin("stop_world")
    steps = 0
    while not w.sites[MAIN].go_on(stop):
        w.step()
        steps += 1
        assert steps < 200, "a check site is never far"
    frames = [(m.state.frame, m.ended) for m in w.machines]
    for _ in range(3):
        assert not w.step(), "a thread goes on in a stopped world"
    assert [(m.state.frame, m.ended) for m in w.machines] == frames
    assert all(w.sites[MAIN].words[Cell(n, "state")] != MANAGED for n in range(len(w.machines)))
    assert w.sites[MAIN].go_on(w.sites[MAIN].begin("start_world"))
    assert finish(w).output == f"{9 + 6 + 3 + 7 + 4 + 1 + 5 + 2}\n"
    assert w.waiting() == []


@pytest.mark.rule("BIRTH-REENTERS")
def test_who_is_born_into_a_stopped_world_parks() -> None:
    w = world(IMPORTS + "def f():\n print(1)\nt = Thread(target=f)\nt.start()\nwhile True: pass\n", quantum=1000)
    while len(w.machines) == 1:
        w.step()
    stop = w.sites[MAIN].begin("stop_world")
    assert not w.sites[MAIN].go_on(stop)
    for _ in range(1000):
        if w.sites[MAIN].go_on(stop):
            break
        w.step()
    assert not w.step()
    assert w.machines[1].unborn
    assert w.sites[1].suspended
    assert w.output == ""


def test_a_stop_does_not_wait_for_a_blocked_thread() -> None:
    w = until(world(IMPORTS + "l = Lock()\nl.acquire()\nl.acquire()\n"), 5)
    assert w.sites[MAIN].go_on(w.sites[MAIN].begin("stop_world"))


@pytest.mark.parametrize("blocking", ["t.join()", "with held:\n  print('got it')", "held.acquire()", "sleep(1000)"])
def test_control_c_ends_what_blocks(blocking: str) -> None:
    """An interrupted acquire does not own: the other thread can still release, and the lock is free after it."""
    w = world(
        IMPORTS + "held = Lock()\ndef f():\n with held:\n  sleep(5)\nt = Thread(target=f)\nt.start()\nsleep(1)\n"
        f"try:\n {blocking}\nexcept KeyboardInterrupt:\n print('stopped')\nt.join()\nprint(held.acquire())\n"
    )
    until(w, 11)
    w.interrupt()
    assert finish(w).output == "stopped\nTrue\n"
    assert w.waiting() == []
    assert [kind for kind, *_ in w.sites[MAIN].seen] == ["INTERRUPT"]


def test_control_c_is_the_first_threads_affair_while_it_lives() -> None:
    source = "def f():\n while True: pass\nt = Thread(target=f)\nt.start()\nsleep(0.001)\n"
    w = world(IMPORTS + source, quantum=10)
    for _ in range(100):
        w.step()
    w.interrupt()
    for _ in range(5000):
        w.step()
    assert w.main.fault is not None
    assert w.main.fault.kind == "KeyboardInterrupt"
    assert not w.machines[1].ended
    w.interrupt()
    finish(w)
    thread, fault, _ = w.uncaught[0]
    assert (name(thread), fault.kind) == ("Thread-1 (f)", "KeyboardInterrupt")
    assert w.waiting() == []


@pytest.mark.rule("BIRTH-IS-CLEAN")
def test_nobody_inherits_a_request() -> None:
    """A post that comes too late finds a record whose thread has ended; the next one is born there."""
    w = world(
        IMPORTS + "def f():\n sleep(0.1)\n print('whole')\n"
        "t = Thread(target=f)\nt.start()\nt.join()\nt = Thread(target=f)\nt.start()\nt.join()\n"
    )
    while 1 not in w.over:
        assert w.step()
    w.sites[1].go_on(w.sites[1].begin("post", INTERRUPT))
    assert finish(w).output == "whole\nwhole\n"
    assert len(w.machines) == 2
    assert w.uncaught == []


def test_control_c_from_outside(tmp_path: Path) -> None:
    """A real signal, while the first thread joins one that never ends; a second ends that one too."""
    file = tmp_path / "c.py"
    file.write_text(
        IMPORTS + "def f():\n while True: pass\nt = Thread(target=f)\nt.start()\nprint('on', end='\\n')\nt.join()\n"
    )
    code = "from safepoint.cli.main import cli; cli()"
    guest = subprocess.Popen(
        [sys.executable, "-u", "-c", code, "run", "--machine", "reference", str(file)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip
    try:
        assert guest.stdout is not None
        assert guest.stdout.readline() == "on\n"
        guest.send_signal(signal.SIGINT)
        with pytest.raises(subprocess.TimeoutExpired):
            guest.wait(timeout=1)  # the other thread goes on
        guest.send_signal(signal.SIGINT)
        _, errors = guest.communicate(timeout=20)
    finally:
        guest.kill()
    assert guest.returncode == 130
    assert "Exception in thread Thread-1 (f):" in errors
    assert errors.rstrip().endswith("KeyboardInterrupt")
