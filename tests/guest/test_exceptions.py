"""Exceptions on every way out of a `try`, against CPython: output, how it ends, where it came through, and the checks on the way."""

from __future__ import annotations

import re
import subprocess
import sys
from itertools import product
from pathlib import Path

import pytest

from safepoint.guest.compiler.program import compile_program
from safepoint.guest.reference.machine import Machine
from safepoint.guest.reference.sites import Sites
from safepoint.protocol.words import INTERRUPT
from tests import oracle
from tests.guest.running import run

ENDINGS = ("pass", "return 'r'", "break", "continue", "raise ValueError('v')")


def agrees(source: str) -> None:
    assert run(source).opinion == oracle.run(source), source


@pytest.mark.parametrize("body", ENDINGS)
@pytest.mark.parametrize("final", ENDINGS)
def test_every_way_out_of_every_part(body: str, final: str) -> None:
    """The whole opinion: also the lines of the traceback, and how often the loop's test was evaluated."""
    for handler, other in product((*ENDINGS, "raise"), ENDINGS):
        agrees(f"""
def f():
    for i in range(3):
        try:
            print("try", i)
            {body}
        except ValueError as e:
            print("except", e)
            {handler}
        else:
            print("else")
            {other}
        finally:
            print("finally")
            {final}
        print("behind")
    return "end"
print(f())
print(f())
""")


@pytest.mark.parametrize("inner", [*ENDINGS, "1 // 0", "raise KeyError(0)"])
@pytest.mark.parametrize("outer", ENDINGS)
def test_ways_out_of_two_tries_with_loops_between(inner: str, outer: str) -> None:
    for final in ENDINGS:
        agrees(f"""
def f(n):
    while n < 3:
        n += 1
        try:
            for x in [1, 2]:
                try:
                    print(n, x)
                    {inner}
                except LookupError:
                    print("lookup")
                    raise
                finally:
                    print("inner")
                    if x == n: {final}
            {outer}
        except ValueError as e:
            print("outer", e)
            return [e]
        finally:
            print("outer finally")
    return "end"
print(f(0))
print(f(1))
""")


SOURCES = {
    "a name is unset behind its handler": """
def f(e):
    try:
        raise ValueError(1)
    except ValueError as e:
        print(e)
    return e
f(0)
""",
    "also if the handler returns, breaks or raises": """
def f(how):
    e = 5
    while True:
        try:
            try:
                raise ValueError(how)
            except ValueError as e:
                if how == 0: break
                if how == 1: raise KeyError(e)
                if how == 2: e = 7
        except KeyError:
            pass
        try:
            print(e)
        except NameError as n:
            print(n)
        return
    print(e)
f(2)
f(1)
f(0)
""",
    "a global name too": """
try:
    raise ValueError(1)
except ValueError as e:
    pass
print(e)
""",
    "the value of return is computed before the finally": """
def f(x):
    try:
        return x
    finally:
        x.append(1)
        x = 5
y = []
print(f(y), y)
def g(x):
    try:
        return x + 1
    finally:
        x = 100
print(g(1))
""",
    "a handler of the caller's": """
def f(n):
    return 1 // n if n < 1 else f(n - 1)
for i in range(3):
    try:
        print(f(i))
    except ZeroDivisionError as e:
        print(i, e)
f(1)
""",
    "an exception raised in a handler of another": """
def f():
    try:
        1 // 0
    except ZeroDivisionError:
        [][1]
def g():
    try:
        f()
    except IndexError as e:
        raise e
g()
""",
    "bare raise takes the innermost": """
try:
    try:
        raise ValueError(1)
    except ValueError:
        try:
            raise KeyError(2)
        except KeyError as e:
            print(e)
        raise
except ValueError as e:
    print(e)
    raise
""",
    "a finally in flight": """
def f():
    try:
        raise ValueError(1)
    except ValueError:
        try:
            raise KeyError(2)
        finally:
            try:
                raise
            except LookupError as e:
                print("in flight", e)
f()
""",
    "an operation that raises leaves its variable as it was": """
def f():
    x, y, z = [1], 5, "s"
    for turn in range(5):
        try:
            if turn == 0: x = x + 1
            if turn == 1: y = y and x[3]
            if turn == 2: y += None
            if turn == 3: x[0], y, x[9] = 7, 8, 9
            if turn == 4: z = [y, 1 // 0]
        except (TypeError, LookupError, ArithmeticError) as e:
            print(e, x, y, z)
f()
""",
    "evaluation order": """
def say(x):
    print(x, end=" ")
    return x
x = [1, 2, 3]
say(x)[say(0)] = say(9)
say(x)[say(1)] += say(10)
x[say(0)], x[say(2)] = say(5), say(6)
print([say(1), say(2)], say(x)[say(0):say(2)], say(1) in [say(1)], f"{say(1)}-{say('a')!r}")
print(f"{x}{x.append(4)}{x}", say(1) < say(0) < say(5))
say(x).append(say(7))
del say(x)[say(0)], x[say(1)]
print(x.pop(say(0)), min(say(3), say(2)), end=say("!"))
assert say(0), say("msg")
""",
    "assertions": """
def both(x, y):
    return x and y != 4
def check(n):
    assert n > 0
    assert n > 1, n
    assert n > 2, f"{n}"
    assert n > 3, [n, "list"]
    assert both(n < 9, n)
    return n
for i in range(6):
    try:
        print(check(i))
    except AssertionError as e:
        print(repr(e), str(e) == "")
assert None, None
""",
    "a key error is quoted": "raise KeyError('it is\\n')",
    "an exception without a message": "raise MemoryError",
    "an exception made with an exception": "raise ValueError(KeyError('k'))",
    "what is no exception": "def f(): pass\ntry:\n    raise f\nexcept TypeError as e:\n    print(e)\nraise [1]",
    "a message that is a list": "x = [1, 'a']\nx.append(x)\nraise ValueError(x)",
}


@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES.keys())
def test_programs_with_exceptions_are_as_in_cpython(source: str) -> None:
    agrees(source)


@pytest.mark.parametrize("name", ["a handler of the caller's", "an exception raised in a handler of another", "a key error is quoted",
                                  "bare raise takes the innermost", "an exception without a message", "a message that is a list"])  # fmt: skip
def test_the_text_of_a_traceback_is_cpythons(name: str, tmp_path: Path) -> None:
    """But for the carets, and for the exception that another one was handling."""
    file = tmp_path / "guest.py"
    file.write_text(SOURCES[name])
    theirs = subprocess.run(
        [sys.executable, "-I", file], capture_output=True, text=True, timeout=20, check=False
    ).stderr
    last = theirs.split("During handling of the above exception, another exception occurred:\n\n")[-1]
    plain = re.sub(r"^ *[\^~]+\n", "", last, flags=re.MULTILINE)
    assert run(SOURCES[name]).traceback == plain.replace(str(file), oracle.FILE)


def test_an_interrupt_is_an_exception_like_any_other() -> None:
    """Posted before each step of a program whose handlers take it: it is caught, or ends the program; and nothing is lost."""
    source = """
caught = []
n = 0
while n < 3:
    try:
        n += 1
    except KeyboardInterrupt as e:
        caught.append("in the try")
    finally:
        caught.append(n)
try:
    for x in caught:
        print(x, end=" ")
except KeyboardInterrupt:
    print("in the for")
print(len(caught))
"""
    program = compile_program(source, "f.py")
    ends = set()
    first = Machine(program, Sites(300))
    while True:
        assert isinstance(first.sites, Sites)
        sites = first.sites.copy()
        machine = first.fork(sites)
        if not machine.ended:
            sites.go_on(sites.begin("post", INTERRUPT))
        while machine.step():
            pass
        ends.add((machine.output, machine.fault.kind if machine.fault else ""))
        if not first.step():
            break
    outputs = {output for output, _ in ends}
    assert ("1 2 3 3\n", "") in ends, "posted when there was no check any more"
    assert any("in the for" in output for output in outputs)
    assert ("", "KeyboardInterrupt") in ends, "at the while's own check, outside of every try"
    assert all(kind in ("", "KeyboardInterrupt") for _, kind in ends)
