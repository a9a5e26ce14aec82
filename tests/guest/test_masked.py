"""Critical sections: on the reference machine, with an interrupt at every step, and in the module that CPython executes."""

from __future__ import annotations

import re
import signal
from pathlib import Path

import pytest

from safepoint.differential.runs import Undisturbed
from safepoint.differential.schedule import Schedule
from safepoint.guest.api import masked
from safepoint.guest.compiler.program import compile_program
from safepoint.guest.faults import GuestSyntaxError
from tests import oracle

PROGRAMS = Path(__file__).parents[1] / "programs"
IMPORT = "from safepoint.guest.api import masked\n"


def after_each_step(source: str) -> set[tuple[str, str]]:
    """(output, exception) of the runs in which an interrupt is posted before a step, any step of the program's."""
    run = Undisturbed(source, "f.py", 4096)
    trials = [run.run(Schedule(step, "INTERRUPT")) for step in range(run.steps)]
    return {(t.observation.output, t.observation.error) for t in trials}


@pytest.mark.rule("MASKED-STAYS")
def test_no_interrupt_comes_between_the_two_halves_of_a_transfer() -> None:
    """Without the critical section money is lost; with it never, wherever the interrupt is posted."""
    source = (PROGRAMS / "masked_transfer.py").read_text()
    assert {output for output, _ in after_each_step(source)} == {"100\n"}
    careless = source.replace("with masked():", "if True:")
    assert {output for output, _ in after_each_step(careless)} > {"100\n"}


ENDS = """
def late():
    try:
        with masked():
            for i in range(3):
                pass
        print("not interrupted")
    except KeyboardInterrupt:
        print("interrupted", i)
late()
"""


@pytest.mark.rule("UNMASK-LOOKS")
def test_what_came_in_a_section_is_raised_at_its_end() -> None:
    """There is no check site between its last loop and the `print`: the end itself is one."""
    assert after_each_step(IMPORT + ENDS) == {
        ("", "KeyboardInterrupt"),  # before the call
        ("interrupted 2\n", ""),
        ("not interrupted\n", ""),  # after the end, or before the program's
    }


NESTED = """
def f():
    with masked():
        for i in range(2):
            pass
def g():
    try:
        with masked():
            with masked():
                f()
            f()
            done[0] = 1
            f()
    except KeyboardInterrupt:
        print("interrupted", done[0])
done = [0]
g()
"""


def test_the_end_of_an_inner_section_ends_nothing() -> None:
    printed = {output for output, _ in after_each_step(IMPORT + NESTED)}
    assert printed == {"", "interrupted 1\n"}


REPLACED = """
try:
    with masked():
        for i in range(3):
            pass
        raise ValueError("what was under way")
except ValueError as e:
    print(e)
except KeyboardInterrupt:
    print("interrupted")
"""


def test_an_interrupt_takes_the_place_of_what_leaves_the_section() -> None:
    assert after_each_step(IMPORT + REPLACED) == {("what was under way\n", ""), ("interrupted\n", "")}


def test_an_interrupt_raised_at_the_end_is_at_the_with() -> None:
    source = IMPORT + "with masked():\n for i in range(3):\n  pass\n"
    run = Undisturbed(source, "f.py", 4096)
    seen = run.run(Schedule(run.steps - 3, "INTERRUPT")).observation
    assert (seen.error, seen.traceback) == ("KeyboardInterrupt", ("<module>:2",))


def test_cpython_keeps_control_c_until_the_end_of_the_outermost_section() -> None:
    done = []

    def interrupted() -> None:
        with masked():
            with masked():
                signal.raise_signal(signal.SIGINT)
                done.append("inner")
            done.append("outer")
        done.append("never")

    handler = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert done == ["inner", "outer"]
    assert signal.getsignal(signal.SIGINT) is handler
    with masked():
        done.append("again")
    assert done[-1] == "again"


def test_in_cpython_too_an_interrupt_takes_the_place_of_what_leaves_the_section() -> None:
    def fails() -> None:
        with masked():
            signal.raise_signal(signal.SIGINT)
            raise ValueError

    with pytest.raises(KeyboardInterrupt) as raised:
        fails()
    assert isinstance(raised.value.__context__, ValueError)


# ---------------------------------------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("source", "what"),
    [
        ("x = masked()\n", r"f\.py:2:5: masked\(\) stands only in a with \(write instead: with masked\(\):\)"),
        ("with masked(1):\n pass\n", r"f\.py:2:6: masked with 1 argument \(write instead: 0 of them\)"),
        ("with masked() as m:\n pass\n", r"f\.py:2:1: with is for one lock, without as, or for masked\(\)"),
        ("f = masked\n", r"f\.py:2:5: 'masked' can only be called"),
        ("from safepoint.guest.api import what\n", r"f\.py:2:1: this import is outside .* from safepoint\.guest\.api import masked"),
    ],
)  # fmt: skip
def test_what_else_is_written_is_refused(source: str, what: str) -> None:
    with pytest.raises(GuestSyntaxError) as raised:
        compile_program(IMPORT + source, "f.py")
    assert re.match(what, str(raised.value)), str(raised.value)


def test_without_the_import_the_name_is_the_programs_own() -> None:
    source = "def masked():\n return 1\nprint(masked())\n"
    run = Undisturbed(source, "f.py", 4096)
    assert run.end.output == oracle.run(source).output == "1\n"
