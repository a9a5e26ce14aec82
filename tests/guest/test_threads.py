"""Guest threads on the reference machine, against CPython and under many schedules: births, ends, sleeps, deadlocks."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from safepoint.cli.main import cli
from safepoint.guest.compiler.program import compile_program
from safepoint.guest.faults import format_traceback
from safepoint.guest.lockstep import QUANTUM, THREADS, Turns
from safepoint.guest.operations.threads import name
from safepoint.guest.reference.machine import Machine
from safepoint.guest.reference.sites import Sites
from safepoint.protocol.words import INTERRUPT
from tests.guest.worlds import IMPORTS, ended, finish, world
from tests.strategies import THREADED

# ---------------------------------------------------------------------------------------------- programs


def without_library(text: str) -> str:
    """CPython's standard error without the carets, and without the entries of its own library."""
    text = re.sub(r'^  File "[^"]*threading\.py".*\n    .*\n', "", text, flags=re.MULTILINE)
    text = re.sub(r"^ *[\^~]+\n", "", text, flags=re.MULTILINE)
    return re.sub(r"^Traceback.*\n(?! )", "", text, flags=re.MULTILINE)


@pytest.mark.parametrize("path", THREADED, ids=lambda p: p.stem)
def test_programs_are_as_in_cpython(path: Path) -> None:
    theirs = subprocess.run([sys.executable, "-P", path], capture_output=True, text=True, timeout=60, check=False)
    ours = CliRunner().invoke(cli, ["run", "--machine", "reference", str(path)])
    assert ours.stdout == theirs.stdout
    assert ours.stdout.strip(), "a program shows nothing"
    assert ours.exit_code == theirs.returncode
    assert ours.stderr == without_library(theirs.stderr)


@pytest.mark.parametrize("quantum", [1, 2, 7, 61])
@pytest.mark.parametrize("path", THREADED, ids=lambda p: p.stem)
def test_programs_print_the_same_under_any_schedule(path: Path, quantum: int) -> None:
    source = path.read_text()
    assert ended(source, quantum) == ended(source)


COUNT = """
count = [0]
def add(n):
    for i in range(n):
        count[0] += 1
a = Thread(target=add, args=(50,))
b = Thread(target=add, args=(50,))
a.start()
b.start()
a.join()
b.join()
print(count[0])
"""


def test_schedules_do_differ_where_a_program_races() -> None:
    """Without a lock an addition can be lost; so the test above shows something."""
    found = {int(ended(IMPORTS + COUNT, quantum)) for quantum in (1, 2, 3, 5, QUANTUM)}
    assert 100 in found
    assert min(found) < 100


def test_a_run_is_always_the_same() -> None:
    assert ended(IMPORTS + COUNT, 3) == ended(IMPORTS + COUNT, 3)


def test_turns_go_round() -> None:
    turns = Turns(quantum=2)
    went = []
    for step in range(8):
        number, left = next((n, left) for n, left in turns.order(3) if n != 1 or step > 3)
        assert left == 2 - step % 2
        turns.executed(number)
        went.append(number)
    assert went == [0, 0, 2, 2, 0, 0, 1, 1]
    assert next(turns.order(3)) == (2, 2)
    turns.executed(2, 2)
    assert list(turns.order(3)) == [(0, 2), (1, 2), (2, 2)]


# ---------------------------------------------------------------------------------------------- births and ends


def test_records_are_used_again() -> None:
    source = "def f(): pass\nfor i in range(200):\n t = Thread(target=f)\n t.start()\n t.join()\n"
    assert len(finish(world(IMPORTS + source)).machines) == 2


def test_there_is_room_for_so_many() -> None:
    """And one that was not started can be started later."""
    source = f"""
lock = Lock()
lock.acquire()
def f():
    with lock: pass
threads = []
try:
    while True:
        threads.append(Thread(target=f))
        threads[-1].start()
except RuntimeError as e:
    print(e, len(threads))
lock.release()
for i in range({THREADS - 1}): threads[i].join()
threads[-1].start()
threads[-1].join()
print('all')
"""
    assert ended(IMPORTS + source) == f"can't start new thread {THREADS}\nall\n"


@pytest.mark.parametrize("target", ["None", "0", "''", "[]"])
def test_a_target_that_is_false_is_not_called(target: str) -> None:
    w = finish(world(IMPORTS + f"t = Thread(target={target})\nt.start()\nt.join()\nprint('joined')\n"))
    assert (w.output, w.uncaught, w.waiting()) == ("joined\n", [], [])


def test_an_uncaught_exception_is_its_threads_own() -> None:
    source = (
        IMPORTS + "def g(n):\n return 1 // n\ndef f(n):\n return g(n)\nt = Thread(target=f, args=(0,))\nt.start()\n"
    )
    w = finish(world(source))
    thread, fault, machine = w.uncaught[0]
    assert name(thread) == "Thread-1 (f)"
    assert [(line, f) for _, line, f in machine.traceback()] == [(6, "f"), (4, "g")]
    assert "ZeroDivisionError" in format_traceback(fault, machine.traceback(), source)
    assert w.main.fault is None


def test_each_thread_has_a_stack_of_its_own() -> None:
    """A recursion to the limit in one leaves the other's frames alone."""
    source = (
        "def down(n):\n return down(n + 1)\ndef f():\n try:\n  down(0)\n except RecursionError:\n  print('deep')\n"
        "def up(n):\n if n == 0: return 0\n return 1 + up(n - 1)\nt = Thread(target=f)\nt.start()\nprint(up(20))\nt.join()\n"
    )
    assert sorted(ended(IMPORTS + source, quantum=3).split()) == ["20", "deep"]


def test_sleepers_wake_in_the_order_of_their_time() -> None:
    source = (
        "def f(n):\n sleep(n)\n print(n)\nthreads = []\nfor n in [3, 1, 2]:\n threads.append(Thread(target=f, args=(n,)))\n"
        " threads[-1].start()\n"
    )
    assert ended(IMPORTS + source) == "1\n2\n3\n"


def test_a_sleeper_wakes_while_others_run() -> None:
    source = "done = []\ndef f():\n sleep(0.002)\n done.append(1)\nThread(target=f).start()\nwhile not done: pass\nprint('seen')\n"
    assert ended(IMPORTS + source) == "seen\n"


# ---------------------------------------------------------------------------------------------- waiting for ever

DEADLOCK = (
    IMPORTS
    + """
a = Lock()
b = Lock()
def f():
    with b:
        sleep(1)
        with a:
            pass
t = Thread(target=f)
t.start()
with a:
    sleep(1)
    with b:
        pass
"""
)


def test_a_deadlock_says_who_waits_and_where(tmp_path: Path) -> None:
    file = tmp_path / "d.py"
    file.write_text(DEADLOCK)
    done = CliRunner().invoke(cli, ["run", "--machine", "reference", str(file)])
    assert done.exit_code == 2
    assert "deadlock" in done.stderr
    assert f"MainThread at {file}:15" in done.stderr
    assert f"Thread-1 (f) at {file}:9" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_thread_alone_starts_no_other_and_forks() -> None:
    source = IMPORTS + "l = Lock()\nl.acquire()\nsleep(9)\nt = Thread(target=None)\n"
    program = compile_program(source + "try:\n t.start()\nexcept RuntimeError as e:\n print(e)\nl.acquire()\n", "f.py")
    m = Machine(program, Sites(300))
    while m.step():
        pass
    assert m.output == "can't start new thread\n"
    assert m.blocks
    assert isinstance(m.sites, Sites)
    sites = m.sites.copy()
    other = m.fork(sites)
    sites.go_on(sites.begin("post", INTERRUPT))
    assert other.step()
    assert other.fault is not None
    assert other.fault.kind == "KeyboardInterrupt"
    assert not m.step()
    assert not m.ended
