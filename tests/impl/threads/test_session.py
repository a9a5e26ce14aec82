"""A program that grows input by input while its threads go on: what it computes, what it keeps, whom an interrupt reaches."""

from __future__ import annotations

import contextlib
import io
import time
from code import InteractiveInterpreter
from collections.abc import Iterator
from typing import ClassVar

import pytest

from safepoint.guest.faults import format_traceback
from safepoint.guest.lockstep import THREADS
from safepoint_vm.language.records import SEEN
from safepoint_vm.threads.os_thread import OsThread, Outcome
from safepoint_vm.threads.session import Session
from tests.impl.running import LONG


class Typed:
    """A session, and what it has printed and said."""

    def __init__(self, kind: type[Session] = Session) -> None:
        self.output, self.errors = io.StringIO(), io.StringIO()
        self.session = kind(self.output, 1 << 14, 1 << 20, self.errors)

    def says(self, text: str) -> str:
        """What an input prints, or its traceback."""
        before = len(self.output.getvalue())
        outcome = self.session.execute(text)
        if outcome.fault:
            return format_traceback(outcome.fault, outcome.traceback, self.session.sources)
        return self.output.getvalue()[before:]


@contextlib.contextmanager
def typed(kind: type[Session] = Session) -> Iterator[Typed]:
    it = Typed(kind)
    with it.session:
        yield it


INPUTS = [
    "1 + 1", "None", "'text'", "x = [1, 'two', 3.0]", "x", "x.append(None)", "x.pop(0)", "x", "print('a', end='')", "print(x)",
    "for i in range(3):\n    i * 'ab'\n", "if x:\n    'yes'\nelse:\n    'no'\n", "def f(a):\n    a + 1\n    return [a, x]\n", "f(2)",
    "f('2')", "nope", "1 // 0", "x = 5", "f(2)", "def h(a):\n    return [a]\n", "x = h; x(6)", "'''a\nb'''", "1; 2; None; 3", "y = x", "y(x == y)",
    "def f():\n    return g()\n", "f()", "def g():\n    return 'later'\n", "f()", "x is y", "x is h", "not x and 1 < 2 < 3",
    "try:\n    1 // 0\nexcept ZeroDivisionError as e:\n    kept = e\n", "kept", "raise kept", "raise ValueError('v')",
    "while x:\n    x = None\n    'once'\n", "10**18", "assert not x", "assert x, 'why'", "[1, [2, []]][1:]", "f'{y}'[:5]", "-0.0", "True",
]  # fmt: skip


def test_inputs_print_what_they_print_at_pythons_prompt() -> None:
    python = InteractiveInterpreter()
    with typed() as ours:
        for text in INPUTS:
            output, errors = io.StringIO(), io.StringIO()
            with contextlib.redirect_stdout(output), contextlib.redirect_stderr(errors):
                for line in text.split("; "):
                    assert not python.runsource(line, symbol="single")
            theirs = output.getvalue() or (errors.getvalue().splitlines() or [""])[-1]
            said = ours.says(text)
            assert (said.splitlines()[-1] if errors.getvalue() else said) == theirs, text


WORK = """
def fails(a):
    raise ValueError(a)

def work():
    global n
    while on:
        try:
            fails('constant')
        except ValueError as e:
            if str(e) != 'constant' or n * 2.5 != 2.5 * n:
                wrong.append(n)
        n = n + 1
"""


def test_a_thread_goes_on_while_the_tables_that_it_uses_grow() -> None:
    """Constants, variables and landings: each input adds some of each."""
    with typed() as ours:
        ours.says("from threading import Thread")
        ours.says("on = True; n = 0; wrong = []")
        ours.says(WORK)
        ours.says("t = Thread(target=work)")
        ours.says("t.start()")
        for number in range(150):
            said = ours.says(
                f"before = n\nv{number} = 'text {number}'\ntry:\n    fails({number}.5)\nexcept ValueError as e:\n    f{number} = e\n"
                f"while n == before:\n    pass\n[str(f{number}), v{number}, v{number // 2}]\n"
            )
            assert said == f"['{number}.5', 'text {number}', 'text {number // 2}']\n"
        assert ours.says("on = False") == ""
        assert ours.says("t.join()") == ""
        assert ours.says("[wrong, n > 150]") == "[[], True]\n"
    assert ours.errors.getvalue() == ""


def test_a_traceback_names_the_inputs_that_it_goes_through() -> None:
    with typed() as ours:
        ours.says("def f(a):\n    return a // 0\n")
        assert ours.says("x = 1\nf(x)") == (
            'Traceback (most recent call last):\n  File "<input-2>", line 2, in <module>\n    f(x)\n'
            '  File "<input-1>", line 2, in f\n    return a // 0\nZeroDivisionError: integer division or modulo by zero\n'
        )


class Early(Session):
    """Control-C after an input was loaded, and before it runs."""

    presses: ClassVar[int] = 1

    def _load(self, text: str) -> None:
        super()._load(text)
        for _ in range(self.presses):
            self.interrupt()


class Late(Session):
    """Control-C as soon as an input has ended."""

    def has_ended(self, thread: OsThread) -> None:
        super().has_ended(thread)
        if thread.thread is None:
            self.interrupt()


def test_an_early_interrupt_is_raised_by_the_input() -> None:
    with typed(Early) as ours:
        assert ours.says("while True:\n    pass\n").endswith("    while True:\nKeyboardInterrupt\n")
        assert (
            ours.says("try:\n    while True:\n        pass\nexcept KeyboardInterrupt:\n    'caught'\n") == "'caught'\n"
        )


def test_a_late_interrupt_is_said_and_reaches_no_later_input() -> None:
    with typed(Late) as ours:
        assert ours.says("x = 1") == "KeyboardInterrupt\n"
        ours.session.has_ended = lambda thread: Session.has_ended(ours.session, thread)  # type: ignore[method-assign]
        assert ours.says("for i in range(100000):\n    x = x + 1\n") == ""
        assert ours.says("x") == "100001\n"


class WhileItRuns(Session):
    """Control-C as soon as an input has printed `begins`."""

    def write(self, text: str) -> None:
        super().write(text)
        if text == "begins\n":
            self.interrupt()


def test_an_interrupt_reaches_the_input_alone() -> None:
    with typed(WhileItRuns) as ours:
        ours.says("from threading import Thread\nfrom time import sleep")
        ours.says("n = 0")
        ours.says("def count():\n    global n\n    while True:\n        n = n + 1\n")
        ours.says("def slumber():\n    sleep(1000)\n")
        ours.says("t = Thread(target=count); t.start(); s = Thread(target=slumber); s.start()")
        for block in ("while True:\n    pass\n", "sleep(1000)\n", "t.join()\n") * 2:
            assert ours.says("print('begins')\n" + block).endswith("KeyboardInterrupt\n")
        assert ours.says("before = n\nwhile n == before:\n    pass\n'on'\n") == "'on'\n"
        assert ours.session.alive() == ["Thread-1 (count)", "Thread-2 (slumber)"]
        assert ours.errors.getvalue() == ""


def test_an_interrupt_behind_the_end_of_an_input_reaches_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    with typed() as ours:
        ours.says("from threading import Thread\nn = 0")
        ours.says("def count():\n    global n\n    while True:\n        n = n + 1\n")
        ours.says("t = Thread(target=count); t.start()")

        ended = OsThread.outcome

        def outcome(thread: OsThread) -> Outcome:
            assert thread.done.wait(LONG)
            ours.session.interrupt()
            return ended(thread)

        monkeypatch.setattr(OsThread, "outcome", outcome)
        assert ours.says("1") == "KeyboardInterrupt\n"
        monkeypatch.undo()
        ours.session.interrupt()
        assert ours.says("before = n\nwhile n == before:\n    pass\n'on'\n") == "'on'\n"


def test_an_input_is_executed_however_many_threads_there_are() -> None:
    with typed() as ours:
        ours.says("from threading import Thread\nfrom time import sleep")
        ours.says("def slumber():\n    sleep(1000)\n")
        ours.says("made = 0")
        said = ours.says("while True:\n    t = Thread(target=slumber)\n    t.start()\n    made = made + 1\n")
        assert said.endswith("RuntimeError: can't start new thread\n")
        assert ours.says("made") == f"{THREADS - 1}\n"


# -- stacks, by handshake

DIVE = """
def down(k):
    if k:
        down(k - 1)

def work():
    while on:
        down(20)

def ask():
    while on:
        handshake(t)
"""


def test_each_stack_is_one_that_the_thread_has_had() -> None:
    """Another thread asks for the same operation all the time."""
    with typed() as ours:
        ours.says("from threading import Thread\nfrom safepoint.guest.api import handshake")
        ours.says("on = True")
        ours.says(DIVE)
        ours.says("t = Thread(target=work)\nt.start()\na = Thread(target=ask)\na.start()")
        session, depths = ours.session, set[int]()
        guest = session._started[1].guest
        until, asked = time.monotonic() + LONG, 0
        while (
            asked < 500 or len(depths) <= 3
        ):  # it is met in different places: on a busy machine it may be at the same one for long
            assert time.monotonic() < until
            asked += 1
            with session.world.keeping(lambda: guest):
                places = [session._image.line(pc) for pc in reversed(session.world.stack(guest))]
                assert guest.record.get("observer") == 0  # so the operations of the other thread write nowhere
            file = places[0][0]
            inner = places[1:]
            assert places[0] in [(file, 7, "work"), (file, 8, "work")]
            assert all(place == (file, 4, "down") for place in inner[:-1])
            assert all(place[2] == "down" for place in inner[-1:])
            depths.add(len(places))
        assert max(depths) <= 22
        ours.says("on = False")


def test_of_a_deep_stack_the_innermost_calls_are_shown() -> None:
    with typed() as ours:
        ours.says("from threading import Thread\nfrom time import sleep")
        ours.says("deep = False")
        ours.says("def down(k):\n    global deep\n    if k:\n        down(k - 1)\n    deep = True\n    sleep(1000)\n")
        ours.says("t = Thread(target=down, args=(1500,))\nt.start()\nwhile not deep:\n    pass\n")
        ours.session.show_stacks()
        until = time.monotonic() + LONG
        while not (said := ours.errors.getvalue()):
            assert time.monotonic() < until
            time.sleep(0.001)
        entries = ['  File "<input-3>", line 4, in down\n    down(k - 1)\n'] * 3
        assert said == (
            f"Thread-1 (down) (most recent call last):\n{''.join(entries)}  [Previous line repeated {SEEN - 1 - 3} more times]\n"
            '  File "<input-3>", line 6, in down\n    sleep(1000)\n'
        )
