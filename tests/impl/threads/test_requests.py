"""Requests that guest threads make of each other, in machine code, on OS threads: counted, so that none is lost or made twice."""

from __future__ import annotations

import pytest

from safepoint.protocol.words import HANDSHAKE
from safepoint_vm.language.records import SERVED
from tests.impl.running import begun, ran

REQUESTS = "from safepoint.guest.api import collect, handshake, interrupt, masked, terminate\n"

TRANSFERS = """
accounts = [60, 40]
heard = [0, 0]
ready = [-1]
def move(amount):
    with masked():
        left = accounts[0] - amount
        accounts[0] = left
        for i in range(3):
            [i] * 3
        accounts[1] = 100 - left
def work(times):
    for i in range(times):
        try:
            ready[0] = i
            while True:
                move(i % 7)
                if accounts[0] + accounts[1] != 100:
                    heard[1] += 1
        except KeyboardInterrupt:
            heard[0] += 1
            if accounts[0] + accounts[1] != 100:
                heard[1] += 1
t = Thread(target=work, args=(TIMES,))
t.start()
for i in range(TIMES):
    while ready[0] != i:
        pass
    interrupt(t)
t.join()
print(heard)
"""


@pytest.mark.rule("MASKED-STAYS", "UNMASK-LOOKS")
@pytest.mark.parametrize(("times", "stress"), [(400, False), (40, True)])
def test_every_interrupt_is_heard_once_and_never_inside_a_section(times: int, stress: bool) -> None:
    """Each is posted only when the one before has been heard; with collections at every allocation, too."""
    done = ran(TRANSFERS.replace("TIMES", str(times)), stress=stress, imports=REQUESTS)
    assert (done.output, done.errors, done.error) == (f"[{times}, 0]\n", "", "")


def test_without_the_section_the_transfers_are_torn() -> None:
    done = ran(TRANSFERS.replace("with masked():", "if True:").replace("TIMES", "400"), imports=REQUESTS)
    assert done.output.startswith("[400, ")
    assert done.output != "[400, 0]\n"


@pytest.mark.parametrize(("asks", "raised"), [("interrupt", "KeyboardInterrupt"), ("terminate", "Terminated")])
def test_a_newborn_is_interrupted_or_ended_too(asks: str, raised: str) -> None:
    """Birth drops what is pending; what is asked before it waits until after it."""
    done = ran(
        f"""
def work():
    while True:
        pass
for i in range(60):
    t = Thread(target=work)
    t.start()
    {asks}(t)
    t.join()
print("all ended")
""",
        imports=REQUESTS,
    )
    assert done.output == "all ended\n"
    assert done.errors.count(f"\n{raised}\n") == 60


@pytest.mark.rule("BIRTH-OWES-HANDSHAKE", "HANDSHAKE-ONCE")
def test_an_operation_on_a_newborn_is_run_once() -> None:
    """By itself or for it, wherever it is on its way into guest code; 60 threads take turns in one or two records."""
    newborns = """
go = [-1]
def work(i):
    while go[0] != i:
        pass
for i in range(60):
    t = Thread(target=work, args=(i,))
    t.start()
    handshake(t)
    go[0] = i
    t.join()
"""
    with begun(newborns, imports=REQUESTS) as (vm, program):
        program.wait()
    assert (program.errors, program.error) == ("", "")
    assert sum(record.get("served", SERVED[HANDSHAKE]) for record in vm.world._records) == 60


COLLECTORS = """
def work(me):
    for i in range(25):
        made = [me, [i], str(i)]
        collect()
        if made != [me, [i], str(i)]:
            print("lost", made)
all_of(work, [0, 1, 2])
"""


@pytest.mark.rule("COORDINATOR-IS-OUTSIDE")
def test_each_collect_is_a_collection_also_of_several_threads_at_once() -> None:
    done = ran(COLLECTORS, imports=REQUESTS)
    assert (done.output, done.errors, done.error) == ("", "", "")
    assert done.statistics.collections == 3 * 25


HANDSHAKES = """
over = [0]
started = []
lock = Lock()
def turns(me):
    while over[0] < 2:
        pass
def asks(me):
    while not started:
        pass
    for i in range(100):
        handshake(threads[0])
        handshake(threads[3 - me])
    with lock:
        over[0] += 1
threads = []
for number in range(3):
    threads.append(Thread(target=asks if number else turns, args=(number,)))
for t in threads:
    t.start()
started.append(True)
for i in range(50):
    handshake(threads[0])
    collect()
for t in threads:
    t.join()
"""


@pytest.mark.rule("HANDSHAKE-ONCE", "CLAIM-LOOKS-AGAIN", "BACK-OFF-POSTS-AGAIN")
def test_each_handshake_runs_once_beside_stops_and_between_threads_that_ask_each_other() -> None:
    with begun(HANDSHAKES, imports=REQUESTS) as (vm, program):
        program.wait()
    counts = sorted(record.get("served", SERVED[HANDSHAKE]) for record in vm.world._records)
    assert (program.errors, program.error) == ("", "")
    assert counts[0] == 0  # the main thread
    assert counts[-1] in range(2 * 100, 2 * 100 + 50 + 1)
    assert max(counts[1:3]) == 100
