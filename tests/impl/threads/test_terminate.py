"""TERMINATE on OS threads: a guest thread is unwound, wherever it is, and its `finally`s run."""

from __future__ import annotations

import io

import pytest
from hypothesis import given, note
from hypothesis import strategies as st

from safepoint.guest.compiler.program import compile_program
from safepoint.protocol.words import TERMINATE
from safepoint_vm.language.records import SERVED
from safepoint_vm.memory.heap import SMALLEST
from safepoint_vm.threads.vm import run
from tests.generated.requests import asking
from tests.impl.running import begun, ran
from tests.impl.waiting import soon
from tests.machines import by_machine_code
from tests.terminated import PROGRAMS, SAYS

REQUESTS = "from safepoint.guest.api import terminable, terminate\n"

WHERE = {
    "in a loop": "while True:\n            pass",
    "in a recursion": "while True:\n            deep(9)",
    "asleep": "sleep(60)",
    "at a lock": "lock.acquire()",
    "joining": "other.join()",
    "printing": "while True:\n            print()",
}


@pytest.mark.rule("TERMINATE-ONCE", "BLOCK-LOOKS-AGAIN")
@pytest.mark.parametrize("where", WHERE)
def test_a_thread_is_terminated(where: str) -> None:
    """The last that it prints is its `finally`; it is served once, though it is asked for again and again."""
    with begun(f"""
lock = Lock()
lock.acquire()
def deep(n):
    if n > 0:
        deep(n - 1)
def sleeps():
    sleep(0.5)
def work(n):
    global other
    other = Thread(target=sleeps)
    other.start()
    try:
        {WHERE[where]}
    except:
        print("caught")
    finally:
        for i in range(100):
            deep(3)
        print("cleaned")
work(1)
""") as (vm, program):
        guest = program.running.guest
        assert soon(lambda: len(vm.world.threads) == 2)
        while not program.running.done.is_set():
            vm.world.post(guest, TERMINATE)
        program.wait()
        assert program.error == "Terminated"
        assert "caught" not in program.output
        assert program.output.rstrip("\n").endswith("cleaned")
        assert guest.record.get("served", SERVED[TERMINATE]) == 1


def test_a_lock_held_by_a_with_is_released() -> None:
    with begun("""
lock = Lock()
def work():
    with lock:
        while True:
            pass
t = Thread(target=work)
t.start()
t.join()
with lock:
    print("free")
""") as (vm, program):
        assert soon(lambda: len(vm.world.threads) == 2)
        (worker,) = (thread for thread in vm.world.threads if thread.number)
        assert soon(lambda: worker.record.get("state") == 0)
        vm.world.post(worker, TERMINATE)
        program.wait()
        assert program.output == "free\n"
        assert program.errors.endswith("\nTerminated\n")


# ---------------------------------------------------------------------------------------------- the guest terminates itself


@pytest.mark.parametrize("stress", [False, True])
@pytest.mark.parametrize("name", PROGRAMS)
def test_programs_that_terminate_their_threads_print_what_they_say(name: str, stress: bool) -> None:
    """On both cores, without a collection and with one at every allocation."""
    output, errors = io.StringIO(), io.StringIO()
    outcome = run(compile_program(PROGRAMS[name].read_bytes(), name), output, 4096, 1 << 20, stress, errors)
    said, ended = SAYS[name]
    assert (output.getvalue(), outcome.fault) == (said, None)
    assert errors.getvalue().count("Exception in thread") == errors.getvalue().count("\nTerminated\n") == ended


STORM = """
accounts = [60, 40]
torn = [0]
begun = [0]
ended = [0]
def move(amount):
    try:
        left = accounts[0] - amount
        accounts[0] = left
        for i in range(3):
            pass
    finally:
        accounts[1] = 100 - accounts[0]
def work():
    for n in range(TIMES):
        with terminable():
            try:
                begun[0] = n + 1
                while True:
                    move(n % 7)
                    if accounts[0] + accounts[1] != 100:
                        torn[0] += 1
            finally:
                ended[0] += 1
t = Thread(target=work)
t.start()
for n in range(TIMES):
    while begun[0] != n + 1:
        pass
    terminate(t)
t.join()
print(torn, ended, accounts[0] + accounts[1])
"""


@pytest.mark.rule("TERMINATE-ONCE", "UNMASK-LOOKS")
@pytest.mark.parametrize(("times", "stress"), [(300, False), (40, True)])
def test_each_termination_of_a_thread_that_goes_on_ends_one_section(times: int, stress: bool) -> None:
    """Each is posted only when the one before has unwound; every `finally` between it and the section is whole."""
    done = ran(STORM.replace("TIMES", str(times)), stress=stress, imports=REQUESTS)
    assert (done.output, done.errors, done.error) == (f"[0] [{times}] 100\n", "", "")


def test_threads_that_terminate_each_other_end() -> None:
    """While one asks, it may be asked itself; none of the pair is left waiting."""
    done = ran(
        """
pair = [None, None]
def work(me):
    while pair[1 - me] == None:
        pass
    terminate(pair[1 - me])
for i in range(30):
    pair[0] = pair[1] = None
    a = Thread(target=work, args=(0,))
    b = Thread(target=work, args=(1,))
    a.start()
    b.start()
    pair[0] = a
    pair[1] = b
    a.join()
    b.join()
print("all ended")
""",
        imports=REQUESTS,
    )
    assert (done.output, done.error) == ("all ended\n", "")
    assert done.errors.count("Exception in thread") == done.errors.count("\nTerminated\n") <= 60


@given(asking(), st.booleans())
def test_generated_threads_that_terminate_each_other_end_on_both_cores(source: str, stress: bool) -> None:
    """In any order: none waits for ever, and no lock is left held; with the smallest heap, or collections everywhere."""
    note(source)
    by_machine_code(compile_program(source, "asks"), 4096, SMALLEST, stress)  # fails if a thread does not end


FULL = """
ready = [0]
said = [0, 0, 0]
def fills(way):
    keep = [None]
    try:
        while True:
            keep = [keep]
    except MemoryError:
        ready[0] = 1
    try:
        while True:
            pass
    except:
        said[0] = 1
    finally:
        said[1] += 1
        if way == 1:
            return 1
        if way == 2:
            said[3]
    said[0] = 2
def work(way):
    try:
        fills(way)
        said[0] = 3
    except:
        said[0] = 4
    finally:
        said[2] += 1
for way in range(3):
    ready[0] = 0
    t = Thread(target=work, args=(way,))
    t.start()
    while ready[0] == 0:
        pass
    terminate(t)
    t.join()
print(said)
"""


@pytest.mark.parametrize("stress", [False, True])
def test_a_full_heap_keeps_no_thread_from_its_end(stress: bool) -> None:
    """There is no room for the exception, nor for its traceback at each frame: no MemoryError takes its place."""
    done = ran(FULL, heap=SMALLEST, stress=stress, imports=REQUESTS)
    assert (done.output, done.error) == ("[0, 3, 3]\n", "")
    assert done.errors.count("\nTerminated\n") == 3
    assert "MemoryError" not in done.errors
