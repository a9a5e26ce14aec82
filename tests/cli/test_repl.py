"""`safepoint repl`: inputs at a real terminal and through a pipe; Control-C, Control-D and SIGQUIT, while threads go on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.terminal import CONTROL_BACKSLASH, CONTROL_C, CONTROL_D, ENTER, ROOT, Terminal, stands_at

pytest.importorskip("llvmlite", reason="the interpreter needs llvmlite: pip install -e '.[vm,test]'")
pytest.importorskip("prompt_toolkit", reason="a prompt needs prompt_toolkit: pip install -e '.[repl]'")

COUNTER = """
n = 0
on = True
right = True
def count():
    global n, right
    mine = 0
    while on:
        mine = mine + 1
        n = n + 1
        right = right and mine == n

t = Thread(target=count)
t.start()
""".strip().splitlines()
"""A thread that counts in a variable of its own and in a global, and says whether they ever differ."""

SLEEPER = """
def slumber():
    sleep(100000)

s = Thread(target=slumber)
s.start()
""".strip().splitlines()

COLLECTOR = """
def tidy():
    while on:
        collect()

on = True
c = Thread(target=tidy)
c.start()
""".strip().splitlines()


@pytest.fixture
def repl() -> Iterator[Terminal]:
    with Terminal() as terminal:
        terminal.until(">>>")
        yield terminal


def begins(repl: Terminal, *block: str) -> None:
    """Type a block that does not end, and wait until it is in its first line."""
    repl.type("if True:", "    print('begins' + '.')", *(f"    {line}" for line in block), "")
    repl.until("begins.\n")
    stands_at(repl, block[0])


def interrupted(repl: Terminal) -> str:
    """Press Control-C, and wait for the prompt.  Returns the traceback."""
    repl.press(CONTROL_C)
    shown = repl.until("KeyboardInterrupt\n")
    repl.until(">>>")
    return shown


def counts_on(repl: Terminal) -> None:
    """The counter goes on, and is right."""
    repl.run("before = n")
    assert "'further'" in repl.run("while n == before:", "    pass", "", "'fur' + 'ther' if right else 'wrong'")


# -- inputs


def test_an_expression_is_shown_and_a_block_ends_at_an_empty_line(repl: Terminal) -> None:
    assert "\n42\n" in repl.run("6 * 7")
    repl.run("def double(x):", "    if x:", "        return x + x", "    return 'no'", "")
    assert "\n'abab'\n" in repl.run("double('ab')")
    assert "\n[1, 2]\n" in repl.run("[1,", "2]")


def test_an_error_has_a_caret_and_the_prompt_comes_back(repl: Terminal) -> None:
    column = "total = 1 +* 2".index("*")
    assert f"\n    total = 1 +* 2\n    {' ' * column}^\nSyntaxError: invalid syntax\n" in repl.run("total = 1 +* 2")
    said = repl.run("x = lambda: 1")
    assert (
        "\n    x = lambda: 1\n        ^\nSyntaxError: lambda is outside the guest's language (write instead: " in said
    )
    said = repl.run("def half(x):", "    return x // 0", "", "half(3)")
    assert 'line 1, in <module>\n    half(3)\n  File "<input-' in said
    assert ", line 2, in half\n    return x // 0\nZeroDivisionError: " in said


def test_the_history_has_what_was_typed(repl: Terminal) -> None:
    repl.run("k = 20")
    repl.run("k = k + 1")
    repl.press("\x1b[A\x1b[A")  # up: the mark, and the input before it
    repl.run("")
    assert "\n22\n" in repl.run("k")


def test_the_history_can_be_searched(repl: Terminal) -> None:
    repl.run("k = 6 * 7")
    repl.run("k = 0")
    repl.press("\x126 *" + ENTER)  # Control-R; Enter ends the search, and executes nothing
    repl.run("")
    assert "\n42\n" in repl.run("k")


def test_what_other_threads_print_stands_above_the_prompt(repl: Terminal) -> None:
    repl.run("from threading import Thread")
    repl.run("go = False")
    repl.run(
        "def talk():", "    while not go:", "        pass", "    for i in range(200):", "        print('row', i)", ""
    )
    repl.run("t = Thread(target=talk)")
    repl.run("t.start()")
    repl.type("go = True")
    shown = repl.until("row 199\n")
    assert [f"row {i}\n" in shown for i in range(199)] == [True] * 199
    assert "'done'" in repl.run("t.join()", "'do' + 'ne'")


def test_what_is_half_typed_stands_below_it(repl: Terminal) -> None:
    repl.press("6 *")
    repl.until("6 *")
    repl.press(CONTROL_BACKSLASH)
    repl.until("No guest thread runs.\n")
    repl.until(">>> 6 *")
    assert "\n42\n" in repl.run(" 7")


def test_output_that_ends_no_line_is_not_overwritten(repl: Terminal) -> None:
    assert "\nabc\n" in repl.run("print('ab' + 'c', end='')")


# -- Control-C


def test_an_endless_loop_comes_back_to_the_prompt_twice_in_a_row(repl: Terminal) -> None:
    for _ in range(2):
        begins(repl, "while True:", "    pass")
        assert "line 3, in <module>\n    while True:\n" in interrupted(repl)
    assert "\n42\n" in repl.run("6 * 7")


def test_other_threads_go_on_and_keep_their_state(repl: Terminal) -> None:
    repl.run("from threading import Thread")
    repl.run(*COUNTER)
    for _ in range(2):
        begins(repl, "while True:", "    pass")
        interrupted(repl)
        counts_on(repl)
    assert "\n[True, True]\n" in repl.run("on = False", "t.join()", "[right, n > 0]")


def test_at_the_prompt_it_discards_what_is_typed(repl: Terminal) -> None:
    repl.run("k = 1")
    repl.press("k = 2")
    interrupted(repl)
    repl.type("if k:", "    k = 3")
    interrupted(repl)
    assert "\n1\n" in repl.run("k")


def test_while_all_sleep(repl: Terminal) -> None:
    repl.run("from threading import Thread", "from time import sleep")
    repl.run(*SLEEPER)
    for _ in range(2):
        begins(repl, "sleep(100000)")
        assert "sleep(100000)\n" in interrupted(repl)
    repl.press(CONTROL_BACKSLASH)
    repl.until("Thread-1 (slumber) (most recent call last):\n")
    assert repl.until("\n    sleep(100000)\n").endswith(", line 2, in slumber")


@pytest.mark.parametrize("block", [("while True:", "    pass"), ("while True:", "    collect()"), ("sleep(100000)",)])
def test_while_the_world_is_being_stopped(repl: Terminal, block: tuple[str, ...]) -> None:
    """Two threads collect all the time; in one case that of the input, too."""
    repl.run("from threading import Thread", "from time import sleep", "from safepoint.guest.api import collect")
    repl.run(*COLLECTOR)
    repl.run("d = Thread(target=tidy)", "d.start()")
    for _ in range(5):
        begins(repl, *block)
        interrupted(repl)
    assert "\n'ended'\n" in repl.run("on = False", "c.join()", "d.join()", "'end' + 'ed'")


def test_inside_finally(repl: Terminal) -> None:
    repl.type("try:", "    try:", "        1 // 0", "    finally:", "        print('in' + 'ner')", "        while True:",
              "            pass", "finally:", "    print('out' + 'er')", "    while True:", "        pass", "")  # fmt: skip
    repl.until("inner\n")
    stands_at(repl, "while True:")
    repl.press(CONTROL_C)
    repl.until("outer\n")
    stands_at(repl, "while True:")
    assert ", line 10, in <module>\n    while True:\n" in interrupted(repl)


def test_a_guest_may_catch_it(repl: Terminal) -> None:
    repl.type("try:", "    print('begins' + '.')", "    while True:", "        pass",
              "except KeyboardInterrupt:", "    print('cau' + 'ght')", "")  # fmt: skip
    repl.until("begins.\n")
    stands_at(repl, "while True:")
    repl.press(CONTROL_C)
    repl.until("caught\n")
    assert "KeyboardInterrupt\n" not in repl.run("")


def test_a_storm_of_them_ends_nothing(repl: Terminal) -> None:
    repl.run("from threading import Thread")
    repl.run(*COUNTER)
    begins(repl, "while True:", "    pass")
    for _ in range(50):
        repl.press(CONTROL_C)
    repl.until("KeyboardInterrupt\n")
    counts_on(repl)


# -- SIGQUIT


def test_sigquit_shows_each_stack_and_disturbs_none(repl: Terminal) -> None:
    repl.run("from threading import Thread", "from time import sleep")
    repl.run(*COUNTER)
    repl.run("def dive(depth):", "    if depth:", "        dive(depth - 1)", "    else:", "        sleep(100000)", "")
    repl.run("d = Thread(target=dive, args=(1,))", "d.start()")
    repl.press(CONTROL_BACKSLASH)
    shown = repl.until(", in dive\n    sleep(100000)\n")
    assert "MainThread" not in shown
    assert "Thread-1 (count) (most recent call last):\n" in shown
    assert ", in count\n" in shown
    assert "Thread-2 (dive) (most recent call last):\n" in shown
    assert ", line 3, in dive\n    dive(depth - 1)\n" in shown
    begins(repl, "while True:", "    pass")
    os.kill(repl.process.pid, signal.SIGQUIT)
    repl.until("MainThread (most recent call last):\n")
    assert repl.until("\n    while True:\n").endswith(", line 3, in <module>")
    repl.until("sleep(100000)\n")
    interrupted(repl)
    counts_on(repl)


# -- the end


def test_control_d_ends(repl: Terminal) -> None:
    repl.press(CONTROL_D)
    assert repl.ends()[0] == 0


def test_control_d_says_for_whom_it_waits_and_control_c_interrupts_them(repl: Terminal) -> None:
    repl.run("from threading import Thread")
    repl.run(*COUNTER)
    repl.press(CONTROL_D)
    repl.until("waiting for Thread-1 (count) (Control-C interrupts all)\n")
    repl.press(CONTROL_C)
    status, said = repl.ends()
    assert status == 0
    assert "Exception in thread Thread-1 (count):\nTraceback (most recent call last):\n" in said
    assert said.endswith("KeyboardInterrupt\n")


def test_without_prompt_toolkit_it_says_what_to_install() -> None:
    with Terminal(before="import sys; sys.modules['prompt_toolkit'] = None\n") as terminal:
        status, said = terminal.ends()
    assert status == 2
    (line,) = said.splitlines()
    assert line.startswith("safepoint: a prompt needs prompt_toolkit: ")
    assert line.endswith("(pip install prompt_toolkit, or give the inputs through a pipe)")


# -- a pipe


def piped(text: str) -> tuple[int, str, str]:
    done = subprocess.run(
        [sys.executable, "-c", "from safepoint.cli.entry import main; main()", "repl"],
        cwd=ROOT, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}, input=text, text=True, capture_output=True, timeout=60, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout, done.stderr


def test_inputs_through_a_pipe_have_no_prompts() -> None:
    assert piped("x = 20\n\nx + 1\ndef f(a):\n    return [a, x]\nf(1)\nif x:\n    'yes'\nelse:\n    'no'\nfor i in range(2):\n    i") == (
        0, "21\n[1, 20]\n'yes'\n0\n1\n", ""
    )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "status", "last"),
    [
        ("1 // 0\n2\n", 1, "ZeroDivisionError: integer division or modulo by zero"),
        ("1 +\n2\n", 2, "SyntaxError: invalid syntax"),
        ("nope\n2\n1 +\n1 // 0\n", 2, "ZeroDivisionError: integer division or modulo by zero"),
    ],
)
def test_the_status_is_that_of_the_worst_input_and_the_others_are_executed(text: str, status: int, last: str) -> None:
    code, output, errors = piped(text)
    assert (code, output) == (status, "2\n")
    assert errors.splitlines()[-1] == last


@pytest.mark.parametrize(
    ("redirected", "said"),
    [
        ("< /dev/null", ""),
        ("<&-", "safepoint: standard input: is closed (give the command a terminal, or a pipe)\n"),
        ("< bytes", "safepoint: standard input: byte 0xff is not UTF-8 (write the inputs in it)\n"),
    ],
)
def test_an_input_that_cannot_be_read_is_one_error(redirected: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "bytes").write_bytes(b"x = 1\n'\xff'\n")
    script = "from safepoint.cli.entry import main; main()"
    done = subprocess.run(
        ["/bin/sh", "-c", f'exec "$0" -c "$1" repl {redirected}', sys.executable, script], cwd=tmp_path, text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "PYTHONIOENCODING": "utf-8"}, capture_output=True, timeout=60, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (2 if said else 0, "", said)


def test_it_waits_for_the_threads_that_inputs_have_started() -> None:
    text = "from threading import Thread\nfrom time import sleep\ndef f():\n    sleep(0.3)\n    print('late')\n\nt = Thread(target=f)\nt.start()\n"
    assert piped(text) == (0, "late\n", "")


# -- `run`


def test_sigquit_shows_the_stacks_of_a_program(tmp_path: Path) -> None:
    program = tmp_path / "waits.py"
    program.write_text("def f():\n    print('begins')\n    while True:\n        pass\n\nf()\n", encoding="utf-8")
    where = f'  File "{program}", line 6, in <module>\n    f()\n  File "{program}", line 3, in f\n    while True:\n'
    with Terminal("run", str(program)) as terminal:
        terminal.until("begins\n")
        stands_at(terminal, "while True:", "f")
        terminal.press(CONTROL_C)
        status, said = terminal.ends()
    assert status == 130
    assert said.endswith("Traceback (most recent call last):\n" + where + "KeyboardInterrupt\n")
