"""Guest threads that terminate each other: on the reference machine, under many schedules, and what CPython's module says."""

from __future__ import annotations

import re
import threading

import pytest

from safepoint.cli.guest import said_of
from safepoint.differential.runs import Undisturbed
from safepoint.guest.api import terminable, terminate
from safepoint.guest.compiler.program import compile_program
from safepoint.guest.faults import GuestSyntaxError
from safepoint.guest.features import NotWrittenFor, refuse
from safepoint.guest.lockstep import MAIN, QUANTUM
from safepoint.guest.reference.run import Outcome
from safepoint.guest.reference.world import World
from safepoint.protocol.policies import POLICIES
from safepoint.protocol.words import TERMINATE
from tests import oracle
from tests.guest.worlds import IMPORTS, finish, until, world
from tests.terminated import PROGRAMS, SAYS

REQUESTS = IMPORTS + "from safepoint.guest.api import interrupt, masked, terminable, terminate\n"
TURNS = (1, 2, 3, 7, 61, QUANTUM)


def finished(source: str, quantum: int = QUANTUM) -> World:
    w = finish(world(REQUESTS + source, quantum))
    assert w.waiting() == []
    return w


def died(w: World) -> list[str]:
    return [uncaught.fault.kind for uncaught in w.uncaught]


# ---------------------------------------------------------------------------------------------- whole programs


def test_every_program_says_what_it_must() -> None:
    assert set(PROGRAMS) == set(SAYS)


@pytest.mark.rule("TERMINATE-ONCE")
@pytest.mark.parametrize("quantum", TURNS)
@pytest.mark.parametrize("name", PROGRAMS)
def test_programs_print_what_they_say_under_any_schedule(name: str, quantum: int) -> None:
    w = finish(world(PROGRAMS[name].read_text(), quantum))
    assert w.waiting() == []
    output, ended = SAYS[name]
    assert (w.output, died(w)) == (output, ["Terminated"] * ended)


# ---------------------------------------------------------------------------------------------- one point each

BLOCKED = """
lock = Lock()
lock.acquire()
def f():
    while True:
        pass
endless = Thread(target=f)
endless.start()
def work():
    try:
        {}
    except:
        print("caught")
    finally:
        print("cleans")
t = Thread(target=work)
t.start()
sleep(0.001)
terminate(t)
t.join()
terminate(endless)
print("joined", lock.release())
"""


@pytest.mark.rule("BLOCK-LOOKS-AGAIN")
@pytest.mark.parametrize(
    "where", ["sleep(1000)", "lock.acquire()", "endless.join()", "with lock:\n            print(1)"]
)
def test_a_thread_that_blocks_wakes_and_is_ended(where: str) -> None:
    """It does not own the lock that it has waited for: the last line releases it."""
    w = finished(BLOCKED.format(where))
    assert w.output == "cleans\njoined None\n"
    assert died(w) == ["Terminated", "Terminated"]
    assert w.clock < 10**6, "it has slept to the end"


@pytest.mark.parametrize("quantum", TURNS)
@pytest.mark.parametrize("turns", range(4))
def test_a_newborn_is_terminated_and_keeps_what_else_was_asked(turns: int, quantum: int) -> None:
    """Birth drops what is pending: what came before it is posted after it."""
    w = finished(
        f"""
def f():
    try:
        while True:
            pass
    finally:
        try:
            for i in range(9):
                pass
            print("whole")
        except KeyboardInterrupt:
            print("interrupted")
t = Thread(target=f)
t.start()
for i in range({turns}):
    pass
terminate(t)
interrupt(t)
t.join()
""",
        quantum,
    )
    assert died(w) == ["Terminated"]
    assert w.output in ("whole\n", "interrupted\n")


def test_before_birth_both_are_kept() -> None:
    """With one long turn the other has not been born: the TERMINATE goes first, and the interrupt is raised in the `finally`."""
    w = finished("""
def f():
    for i in range(2):
        pass
    print("not reached")
t = Thread(target=f)
t.start()
interrupt(t)
terminate(t)
terminate(t)
t.join()
""")
    assert (w.output, died(w)) == ("", ["Terminated"])
    assert [served.kind for served in w.sites[0].seen] == ["TERMINATE"]


SECOND = """
def f():
    try:
        while True:
            pass
    finally:
        for i in range(50):
            pass
        print("whole", i)
t = Thread(target=f)
t.start()
sleep(0.0001)
terminate(t)
for i in range({}):
    pass
terminate(t)
t.join()
u = Thread(target=f)
u.start()
sleep(0.0001)
terminate(u)
u.join()
"""


@pytest.mark.rule("TERMINATE-ONCE")
@pytest.mark.parametrize("turns", range(0, 60, 7))
def test_a_second_one_does_not_break_off_the_first(turns: int) -> None:
    """Wherever it comes in the `finally`; and the thread that lives in the record then can be terminated."""
    w = finished(SECOND.format(turns), 1)
    assert (w.output, died(w)) == ("whole 49\nwhole 49\n", ["Terminated", "Terminated"])
    assert len(w.machines) == 2


@pytest.mark.rule("MASKED-STAYS")
@pytest.mark.parametrize("quantum", TURNS)
def test_a_critical_section_defers_an_interrupt_and_no_termination(quantum: int) -> None:
    """The interrupt is raised at the end of the section that the TERMINATE leaves: so it is over, and the TERMINATE goes on."""
    w = finished(
        """
inside = []
def f():
    try:
        with masked():
            inside.append(1)
            while True:
                pass
    except KeyboardInterrupt:
        print("caught")
    finally:
        print("out")
t = Thread(target=f)
t.start()
while not inside:
    pass
interrupt(t)
for i in range(20):
    pass
terminate(t)
t.join()
""",
        quantum,
    )
    assert (w.output, died(w)) == ("out\n", ["Terminated"])
    assert [s.kind for s in w.sites[0].seen if s.thread == 1] == ["TERMINATE", "INTERRUPT"]


def test_its_traceback_is_said_as_that_of_any_exception() -> None:
    w = until(world(REQUESTS + "def f():\n sleep(9)\nt = Thread(target=f)\nt.start()\nsleep(1)\nterminate(t)\n"), 8)
    finish(w)
    (thread, fault, machine), *_ = w.uncaught
    assert (thread.number, str(fault)) == (1, "Terminated")
    assert [line for _, line, _ in machine.traceback()] == [5]
    assert w.main.fault is None


def test_a_main_thread_that_the_host_has_ended_is_exit_status_1(capsys: pytest.CaptureFixture[str]) -> None:
    """As of any exception that ends it, but for Control-C."""
    w = world("while True:\n pass\n")
    w.sites[MAIN].go_on(w.sites[MAIN].begin("post", TERMINATE))
    finish(w)
    assert w.main.fault is not None
    assert said_of(Outcome(w.main.fault, w.main.traceback()), w.main.state.program) == 1
    assert capsys.readouterr().err.endswith("\nTerminated\n")


# ---------------------------------------------------------------------------------------------- where it ends

WAYS = """
def leaves(n):
    try:
        while n == 0:
            pass
        return n
    finally:
        said.append("f")
def work():
    for i in range(2):
        with terminable():
            with terminable():
                said.append(leaves(i))
            said.append("inner")
        said.append("outer")
said = []
t = Thread(target=work)
t.start()
sleep(0.0001)
terminate(t)
t.join()
print(said)
"""


@pytest.mark.parametrize("quantum", TURNS)
def test_it_ends_at_the_innermost_section(quantum: int) -> None:
    w = finished(WAYS, quantum)
    assert (w.output, died(w)) == ("['f', 'inner', 'outer', 'f', 1, 'inner', 'outer']\n", [])


def test_other_exceptions_go_through_it_with_their_traceback() -> None:
    source = "with terminable():\n with terminable():\n  [][0]\n"
    run = Undisturbed("from safepoint.guest.api import terminable\n" + source, "f.py", 4096)
    assert (run.end.error, run.end.traceback) == ("IndexError", ("<module>:4",))
    whole = oracle.run("from safepoint.guest.api import terminable\n" + source)
    assert [line for line, _ in whole.lines] == [4]


def test_an_interrupt_at_its_end_is_raised_there() -> None:
    """Asked for by a `finally` without a check behind that: the end of the unwinding is the next one."""
    w = finished("""
me = [None]
def work():
    try:
        with terminable():
            try:
                while True:
                    terminate(me[0])
            finally:
                interrupt(me[0])
        print("not reached")
    except KeyboardInterrupt:
        print("interrupted")
        raise
me[0] = Thread(target=work)
me[0].start()
me[0].join()
""")
    assert (w.output, died(w)) == ("interrupted\n", ["KeyboardInterrupt"])
    assert [line for _, line, _ in w.uncaught[0].machine.traceback()] == [8]


# ---------------------------------------------------------------------------------------------- refused

IMPORT = "from safepoint.guest.api import terminable, terminate\n"


@pytest.mark.parametrize("value", ["None", "'t'", "[]"])
def test_only_a_thread_is_terminated(value: str) -> None:
    source = f"{IMPORT}try:\n terminate({value})\nexcept TypeError as e:\n print(e)\n"
    assert Undisturbed(source, "f.py", 4096).end.output == oracle.run(source).output == "terminate() wants a thread\n"


@pytest.mark.parametrize(
    ("source", "what"),
    [
        ("x = terminable()\n", r"f\.py:2:5: terminable\(\) stands only in a with \(write instead: with terminable\(\):\)"),
        ("with terminable(1):\n pass\n", r"f\.py:2:6: terminable with 1 argument \(write instead: 0 of them\)"),
        ("with terminable() as m:\n pass\n", r"f\.py:2:1: with is for one lock, without as, or for masked\(\) or terminable\(\)"),
        ("terminate()\n", r"f\.py:2:1: terminate with 0 arguments \(write instead: 1 of them\)"),
        ("f = terminate\n", r"f\.py:2:5: 'terminate' can only be called"),
    ],
)  # fmt: skip
def test_what_else_is_written_is_refused(source: str, what: str) -> None:
    with pytest.raises(GuestSyntaxError) as raised:
        compile_program(IMPORT + source, "f.py")
    assert re.match(what, str(raised.value)), str(raised.value)


@pytest.mark.parametrize("source", ["terminate(None)\n", "with terminable():\n pass\n"])
def test_a_policy_whose_threads_nothing_terminates_refuses_it(source: str) -> None:
    program = compile_program(IMPORT + source, "f.py")
    without = [policy for policy in POLICIES.values() if "unwinding" not in policy.slices]
    assert without
    for policy in without:
        with pytest.raises(NotWrittenFor, match="is not written for unwinding"):
            refuse(program, policy)
    refuse(program, POLICIES["folded"])


# ---------------------------------------------------------------------------------------------- CPython


def test_cpython_says_that_it_cannot() -> None:
    """But of a thread that has not begun, or has ended, there is nothing to end."""
    over = threading.Event()
    thread = threading.Thread(target=over.wait, args=(60,))
    terminate(thread)
    thread.start()
    try:
        with pytest.raises(NotImplementedError, match="CPython cannot terminate a thread"):
            terminate(thread)
    finally:
        over.set()
    thread.join(60)
    terminate(thread)


def test_under_cpython_a_section_is_its_statements() -> None:
    done = []

    def fails() -> None:
        with terminable():
            done.append(2)
            raise KeyError

    with terminable():
        done.append(1)
    with pytest.raises(KeyError):
        fails()
    assert done == [1, 2]
