"""The one precise error for what the compiler does not accept: what is outside the subset, not Python, or nested too deeply."""

from __future__ import annotations

import re
import warnings

import pytest
from hypothesis import given

from safepoint.guest.faults import GuestSyntaxError
from tests.guest.compiling import compiled, refused
from tests.strategies import sources

OUTSIDE = [
    ("x = 1\ny = b'a'", 2, 5, "bytes"),
    ("x = 2j", 1, 5, "complex"),
    ("x = ...", 1, 5, "..."),
    ("x = 2 @ 3", 1, 5, "@"),
    ("x = 2\nx @= 3", 2, 1, "@"),
    ("x = (1, 2)", 1, 5, "a tuple"),
    ("x = y[1, 2]", 1, 7, "a tuple"),
    ("x = {1}", 1, 5, "a set"),
    ("x = {}", 1, 5, "a dict"),
    ("x = [i for i in y]", 1, 5, "comprehension"),
    ("x = (i for i in y)", 1, 5, "generator"),
    ("x = [1, *y]", 1, 9, "starred"),
    ("x = f'{y:3}'", 1, 5, "format"),
    ("x = f'{y!a}'", 1, 5, "!a"),
    ("x = f'{y=}'; z = f'{z!r:>{x}}'", 1, 18, "format"),
    ("x = 'a%s' % y", 1, 5, "%"),
    ("x = f'{y}%s' % y", 1, 5, "%"),
    ("x = lambda: 1", 1, 5, "lambda"),
    ("x = y.z", 1, 5, "attribute"),
    ("x = y.append", 1, 5, "attribute"),
    ("y.z = 1", 1, 1, "subscripts"),
    ("y.sort()", 1, 1, "method sort"),
    ("x = 'a'.upper()", 1, 5, "method upper"),
    ("y.append()", 1, 1, "append with 0"),
    ("y.append(1, 2)", 1, 1, "append with 2"),
    ("y.pop(1, 2)", 1, 1, "pop with 2"),
    ("y.append(x=1)", 1, 10, "keyword"),
    ("x = y[::2]", 1, 9, "step"),
    ("y[1:2] = []", 1, 1, "a slice can only be read"),
    ("y[:] += []", 1, 1, "a slice can only be read"),
    ("del y[1:]", 1, 5, "a slice can only be read"),
    ("print(y := 1)", 1, 7, "assignment"),
    ("print(*y)", 1, 7, "starred"),
    ("print(1, sep=2)", 1, 10, "no keyword but end"),
    ("print(1, **y)", 1, 10, "no keyword but end"),
    ("f(1, end=2)", 1, 6, "keyword"),
    ("class C: pass", 1, 1, "class"),
    ("import os", 1, 1, "import"),
    ("from os import path", 1, 1, "import"),
    ("with a as b: pass", 1, 1, "one lock"),
    ("with a, b: pass", 1, 1, "one lock"),
    ("from threading import RLock", 1, 1, "this import"),
    ("from threading import Lock as L", 1, 1, "this import"),
    ("from threading import *", 1, 1, "this import"),
    ("from .threading import Lock", 1, 1, "this import"),
    ("import threading", 1, 1, "import"),
    ("x = 1\nfrom threading import Lock", 2, 1, "behind other statements"),
    ("def f():\n from time import sleep", 2, 2, "behind other statements"),
    ("from time import sleep\nx = sleep", 2, 5, "'sleep' can only be called"),
    ("from threading import Lock\nLock = 1", 2, 1, "'Lock' can only be called"),
    ("from threading import Lock\nLock(1)", 2, 1, "Lock with 1"),
    ("from time import sleep\nsleep()", 2, 1, "sleep with 0"),
    ("from threading import Thread\nThread()", 2, 1, "target and args"),
    ("from threading import Thread\nThread(f)", 2, 1, "target and args"),
    ("from threading import Thread\nThread(target=f, args=a)", 2, 1, "target and args"),
    ("from threading import Thread\nThread(target=f, daemon=True)", 2, 1, "target and args"),
    ("t.join(1)", 1, 1, "join with 1"),
    ("t.acquire(False)", 1, 1, "acquire with 1"),
    ("t.is_alive()", 1, 1, "is_alive"),
    ("try: pass\nexcept* ValueError: pass", 1, 1, "except*"),
    ("try: pass\nexcept a: pass", 2, 8, "classes"),
    ("try: pass\nexcept (ValueError, a): pass", 2, 21, "classes"),
    ("try: pass\nexcept SystemExit: pass", 2, 8, "classes"),
    ("def f(ValueError):\n try: pass\n except ValueError: pass", 3, 9, "classes"),
    ("raise", 1, 1, "except"),
    ("try: pass\nfinally: raise", 2, 10, "except"),
    ("raise a from b", 1, 14, "from"),
    ("x = ValueError", 1, 5, "'ValueError'"),
    ("ValueError = 1", 1, 1, "'ValueError'"),
    ("x = ValueError(1, 2)", 1, 5, "ValueError with 2"),
    ("x = ValueError(a=2)", 1, 16, "keyword"),
    ("raise UnicodeEncodeError", 1, 7, "UnicodeEncodeError"),
    ("try: pass\nexcept ValueError as print: pass", 2, 1, "'print'"),
    ("del a", 1, 5, "del"),
    ("del a[0], a.b", 1, 11, "del"),
    ("x: int = 1", 1, 1, "annotated"),
    ("match x:\n  case 1: pass", 1, 1, "match"),
    ("async def f(): pass", 1, 1, "async"),
    ("if a:\n  def f(): pass", 2, 3, "def inside"),
    ("def f():\n  def g(): pass", 2, 3, "def inside"),
    ("def f():\n  yield 1", 2, 3, "yield"),
    ("def f(a=1): pass", 1, 9, "default"),
    ("def f(*a): pass", 1, 8, "*args"),
    ("def f(**a): pass", 1, 9, "**kwargs"),
    ("def f(*, a): pass", 1, 10, "keyword-only"),
    ("def f(a, /): pass", 1, 7, "positional-only"),
    ("def f(a: int): pass", 1, 10, "annotation"),
    ("def f() -> int: pass", 1, 12, "annotation"),
    ("@g\ndef f(): pass", 1, 2, "decorator"),
    ("for a, b in range(3): pass", 1, 5, "only a name"),
    ("for a[0] in range(3): pass", 1, 5, "only a name"),
    ("for a in range(): pass", 1, 10, "0 arguments"),
    ("for a in range(1, 2, 3, 4): pass", 1, 10, "4 arguments"),
    ("for a in range(3):\n  pass\nelse:\n  pass", 4, 3, "else of a loop"),
    ("while a:\n  pass\nelse:\n  pass", 4, 3, "else of a loop"),
    ("a, b = c", 1, 8, "1 on the right"),
    ("a, b = 1, 2, 3", 1, 8, "3 on the right"),
    ("a.b = 1", 1, 1, "only names"),
    ("a.b += 1", 1, 1, "only names"),
    ("(a, *b) = 1, 2", 1, 5, "only names"),
    ("print = 1", 1, 1, "'print'"),
    ("x = print", 1, 5, "'print'"),
    ("x = range(3)", 1, 5, "'range'"),
    ("range = 1", 1, 1, "'range'"),
    ("def print(): pass", 1, 1, "'print'"),
    ("def f(print): pass", 1, 7, "'print'"),
    ("def f():\n  range = 1", 2, 3, "'range'"),
    ("x = len", 1, 5, "'len'"),
    ("x = len()", 1, 5, "len with 0"),
    ("x = len(1, 2)", 1, 5, "len with 2"),
    ("x = int('7', 8)", 1, 5, "int with 2"),
    ("x = min()", 1, 5, "min with 0"),
    ("x = sum(y, start=1)", 1, 12, "keyword"),
    ("x = sorted(y)", 1, 5, "'sorted'"),
    ("max = 1", 1, 1, "'max'"),
    ("x = __name__", 1, 5, "'__name__'"),
    ("x = 4611686018427387904", 1, 5, "63 bits"),
    ("x = -4611686018427387905", 1, 5, "63 bits"),
    ("é = 'ü'; x = b'a'", 1, 14, "bytes"),
    ("ü = 1; x = 1.5j", 1, 12, "complex"),
    ("x = y + f'é{y.z}'", 1, 13, "attribute"),
]


@pytest.mark.parametrize(("source", "line", "column", "what"), OUTSIDE, ids=[o[0] for o in OUTSIDE])
def test_what_is_outside_is_named_with_its_place_and_a_remedy(source: str, line: int, column: int, what: str) -> None:
    error = refused(source)
    assert (error.line, error.column) == (line, column)
    assert what in error.what
    assert "(write instead: " in str(error)


NO_PYTHON = [
    ("x = ", 1, 5),
    ("x = 1\n  y = 2", 2, 3),
    ("return 1", 1, 1),
    ("break", 1, 1),
    ("def f(a, a): pass", 1, 1),
    ("def f():\n  x = 1\n  global x", 3, 3),
    ("x = 'abc", 1, 5),
    ("x = 1__0", 1, 6),
    ("x = 1\0", 1, 6),
    ("x = 1\n\0", 2, 1),
    ("x = 1 #\ud800", 1, 8),
    (b"x = 1\nb = \xff", 2, 5),
    ("é = \xff".encode("latin-1"), 1, 1),
    (b"#\n# coding: latin-1\nx = 1", 2, 1),
    (b"# coding: nonsense\nx = 1", 1, 1),
    ("x = 1".encode("utf-16"), 1, 1),
    ("x = " + "1" * 5000, 1, 1),
]


@pytest.mark.parametrize(("source", "line", "column"), NO_PYTHON, ids=range(len(NO_PYTHON)))
def test_what_is_no_python_is_one_error_too(source: str | bytes, line: int, column: int) -> None:
    error = refused(source)
    assert error.line == line
    assert error.column == column or isinstance(source, str)  # there CPython says where


N = 10_000
DEEP = {
    "parentheses": "x = " + "(" * N + "1" + ")" * N,
    "brackets": "x = " + "[" * N + "]" * N,
    "minuses": "x = " + "-" * N + "1",
    "nots": "x = " + "not " * N + "1",
    "sums": "x = " + "+".join(["x"] * N),
    "calls": "x = f" + "()" * N,
    "conditionals": "x = " + "1 if x else " * N + "1",
    "ifs": "".join(" " * i + "if x:\n" for i in range(N)) + " " * N + "pass",
    "whiles": "".join(" " * i + "while x:\n" for i in range(30)) + " " * 30 + "pass",
    "elifs": "if x: pass\n" + "elif x: pass\n" * N,
    "lambdas": "x = " + "lambda: " * N + "1",
    "attributes": "x = x" + ".x" * N,
    "just too deep": "x = " + "+".join(["x"] * 101),
    "subscripts": "x = x" + "[0]" * N,
    "lists": "x = " + "[" * 150 + "]" * 150,
    "tries": "".join(" " * i + "try:\n" for i in range(30))
    + " " * 30
    + "pass\n"
    + "".join(" " * i + "finally: pass\n" for i in reversed(range(30))),
    "finally in finally": "".join(" " * i + "try: pass\n" + " " * i + "finally:\n" for i in range(60))
    + " " * 60
    + "pass",
    "ways out of finally": "while x:\n try:\n" + "  if x: break\n" * 2000 + " finally:\n" + "  x = x + 1\n" * 2000,
}


@pytest.mark.parametrize("source", DEEP.values(), ids=DEEP.keys())
def test_nesting_without_end_is_one_error(source: str) -> None:
    refused(source)


def test_reasonable_nesting_and_length_are_accepted() -> None:
    compiled("x = " + "+".join(["1"] * 95))
    compiled("x = " + "(" * 150 + "1" + ")" * 150)
    compiled("x = 1\nx = " + " and ".join(["x"] * 2000))
    compiled("x = 1\nx = " + " < ".join(["x"] * 2000))
    compiled("print(" + ", ".join(["1"] * 2000) + ")")
    compiled("x = [" + ", ".join(["1"] * 2000) + "]")
    compiled("x = f'" + "{1}" * 2000 + "'")
    levels = range(18)
    tries = "".join(" " * i + "try:\n" for i in levels) + " " * 18 + "return 1\n"
    compiled(function(tries + "".join(" " * i + "finally: print()\n" for i in reversed(levels))))
    compiled(
        function("".join(" " * i + "try: return 1\n" + " " * i + "finally:\n" for i in range(8)) + " " * 8 + "pass\n")
    )


def function(body: str) -> str:
    return "def f():\n" + "".join(f" {line}\n" for line in body.splitlines())


@given(sources())
def test_any_source_is_compiled_or_refused(source: str | bytes) -> None:
    """Nothing else: no other exception; and what is compiled is Python, and verified."""
    said = ""
    try:
        compiled(source)
    except GuestSyntaxError as error:
        said = str(error)
    if said:
        assert re.fullmatch(r"f\.py:[1-9]\d*:[1-9]\d*: \S[^\n]*", said)
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        compile(source, "f.py", "exec")


def test_source_forms_that_are_the_same_program() -> None:
    plain = [(i.op, i.operands) for i in compiled("x = 1\nprint(x)\n").codes[0].instructions]
    for same in (
        b"\xef\xbb\xbfx = 1\nprint(x)\n",
        "x = 1\r\nprint(x)\r\n",
        "x = 1\rprint(x)",
        b"# coding: utf-8\nx = 1; print(x)",
    ):
        assert [(i.op, i.operands) for i in compiled(same).codes[0].instructions] == plain
