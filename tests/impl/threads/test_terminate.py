"""TERMINATE on OS threads: a guest thread is unwound, wherever it is, and its `finally`s run."""

from __future__ import annotations

import pytest

from safepoint.protocol.words import TERMINATE
from safepoint_vm.language.words import SERVED
from tests.impl.running import begun
from tests.impl.waiting import soon

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
