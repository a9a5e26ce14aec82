"""What the compiler accepts and makes, and the one precise error for whatever it does not accept."""

from __future__ import annotations

import ast
import re
import warnings
from itertools import takewhile

import pytest
from hypothesis import given

from safepoint.guest.code import BACK_EDGES, OPCODES, SMALL, UNSET, Code, Program
from safepoint.guest.compiler.program import compile_program
from safepoint.guest.faults import GuestSyntaxError
from safepoint.guest.verifier import verify
from tests.generated.programs import programs
from tests.strategies import EXAMPLES, THREADED, sources


def compiled(source: str | bytes) -> Program:
    program = compile_program(source, "f.py")
    verify(program)
    return program


def ops(code: Code) -> list[str]:
    return [i.op for i in code.instructions]


def refused(source: str | bytes) -> GuestSyntaxError:
    with pytest.raises(GuestSyntaxError) as caught:
        compile_program(source, "f.py")
    assert re.fullmatch(r"f\.py:[1-9]\d*:[1-9]\d*: [^\n]+", str(caught.value))
    return caught.value


# ---------------------------------------------------------------------------------------------- errors

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


# ---------------------------------------------------------------------------------------------- code


@pytest.mark.parametrize(
    ("test", "op"),
    [("a < b", "LESS_JUMP_BACK"), ("a > b", "TRUE_JUMP_BACK"), ("a < b < c", "TRUE_JUMP_BACK"), ("a", "TRUE_JUMP_BACK"),
     ("a and b", "TRUE_JUMP_BACK"), ("True", "JUMP_BACK"), ("7", "JUMP_BACK"), ("0", "TRUE_JUMP_BACK")],
)  # fmt: skip
def test_a_while_loop_has_one_back_edge_at_its_bottom(test: str, op: str) -> None:
    code = compiled(f"def f(a, b, c):\n  while {test}:\n    a += 1\n    if c: continue\n    if b: break\n").codes[1]
    assert [o for o in ops(code) if o in BACK_EDGES] == [op]
    assert ops(code)[0] == "JUMP", "the loop is entered at its test"


@given(programs())
def test_there_are_as_many_back_edges_as_loops(source: str) -> None:
    """But for a loop in a finally, whose code stands at each way out of the try."""
    loops = [n.lineno for n in ast.walk(ast.parse(source)) if isinstance(n, ast.While | ast.For)]
    found = [i.line for code in compiled(source).codes for i in code.instructions if i.op in BACK_EDGES]
    assert set(found) == set(loops)
    if "finally:" not in source:
        assert sorted(found) == sorted(loops)


def test_a_while_loop_too_long_for_a_fused_test_has_a_plain_one() -> None:
    body = "  x = x + y\n" * 1000
    assert "LESS_JUMP_BACK" in ops(compiled(f"def f(x, y):\n while x < y:\n{body}").codes[1])
    body *= 5
    code = compiled(f"def f(x, y):\n while x < y:\n{body}").codes[1]
    assert [o for o in ops(code) if o in (*BACK_EDGES, "LESS")] == ["LESS", "TRUE_JUMP_BACK"]


def test_what_does_not_fit_the_encoding_is_refused() -> None:
    error = refused("def f(x, y):\n for i in range(3):\n" + "  x = x + y\n" * 5000)
    assert (error.line, error.column) == (2, 2)
    assert "too long" in error.what
    names = [f"v{i}" for i in range(33_000)]
    assert "too many variables" in refused("def f():\n" + "".join(f" {n} = 1\n" for n in names)).what
    assert "too many arguments" in refused("f(" + ",".join(["1"] * 17_000) + ")").what


def unset_slots(source: str) -> int:
    """How many variables are made UNSET before anything else."""
    code = compiled(source).codes[1]
    unset = (i.op == "LOADK" and SMALL.get(i.operands[1]) is UNSET for i in code.instructions)
    return sum(takewhile(bool, unset))


@pytest.mark.parametrize(
    ("body", "checks"),
    [
        ("x = 1\n return x", 0),
        ("if a: x = 1\n else: x = 2\n return x", 0),
        ("if a: x = 1\n else: return 0\n return x", 0),
        ("while True:\n  x = 1\n  if a: break\n return x", 0),
        ("for i in range(a): print(i)", 0),
        ("if a: x = 1\n return x", 1),
        ("while a: x = 1\n return x", 1),
        ("for i in range(a): pass\n return i", 1),
        ("if a: x = 1\n return x + x", 1),
        ("while True:\n  if a: break\n  x = 1\n return x", 1),
        ("x = a and x", 1),
        ("if a and x: pass\n x = 1\n return x", 1),
        ("if a: x = 1\n b = a and x\n return x", 2),
        ("x += 1", 1),
        ("if 1 < a < x: pass\n x = x", 2),
        ("b = 1 < a < x\n x = x", 2),
        ("b = x if a else 0\n x = x", 2),
        ("b = 1 if x else 0\n x = x", 1),
        ("while x:\n  a = x\n x = x", 2),
        ("while a < 3:\n  if a: break\n return a", 0),
        ("try: x = 1\n except ValueError: x = 2\n return x", 0),
        ("try: x = 1\n except ValueError: return 0\n return x", 0),
        ("try: x = 1\n except ValueError: pass\n return x", 1),
        ("try: x = 1\n finally: print(x)", 1),
        ("x = 1\n try: x = a\n finally: print(x)", 0),
        ("try: pass\n finally: x = 1\n return x", 0),
        ("try: print(a)\n except ValueError as x: print(x)", 0),
        ("x = 1\n try: print(a)\n except ValueError as x: pass\n return x", 1),
        ("x = 1\n while a:\n  print(x)\n  try: print(a)\n  except ValueError as x: pass", 1),
        ("x = 1\n try:\n  try: print(a)\n  except ValueError as x: pass\n finally: print(x)", 2),
        ("while a:\n  try:\n   x = 1\n   break\n  finally: a -= 1\n return x", 1),
        ("while True:\n  try:\n   if a: break\n  finally: x = 1\n return x", 0),
        ("for x in [1]: print(x)", 0),
        ("for i in a: x = i\n return x", 1),
        ("assert a, x\n x = a", 1),
    ],
)
def test_only_variables_that_may_be_unset_are_checked(body: str, checks: int) -> None:
    source = f"def f(a):\n {body}\n"
    assert ops(compiled(source).codes[1]).count("BOUND") == checks
    assert unset_slots(source) == min(checks, 1)


def test_small_steps_are_immediate_and_say_which_operator_they_were() -> None:
    code = compiled("def f(x):\n x += 1\n x = x - 16384\n x = x + 16384\n x = x - 0\n x = x + -1\n").codes[1]
    assert [i.operands[2] for i in code.instructions if i.op == "ADDI"] == [1, -16384]
    assert [o for o in ops(code) if o in ("ADD", "SUB")] == ["ADD", "SUB", "ADD"]


def test_ints_that_look_like_other_constants_are_kept() -> None:
    numbers = [n + d for n in SMALL for d in range(-1, 2)] + [2**30 - 1, 2**30, -(2**62), 2**62 - 1]
    program = compiled("\n".join(f"x = {n}" for n in numbers))
    loads = [i for i in program.codes[0].instructions if i.op in ("LOADK", "CONSTANT")]
    loaded = [program.constants[i.operands[1]] if i.op == "CONSTANT" else i.operands[1] for i in loads]
    assert loaded == numbers
    assert not any(i.op == "LOADK" and i.operands[1] in SMALL for i in loads)


def test_equal_constants_of_different_types_are_different_constants() -> None:
    program = compiled("print(1.0, -0.0, 0.0, 1e400, '1.0', 4611686018427387903, 4611686018427387903.0, 0.0)")
    assert list(map(repr, program.constants)) == ["1.0", "-0.0", "0.0", "inf", "'1.0'", str(2**62 - 1), repr(2.0**62)]


WAYS_OUT = """def f(a):
    while a:
        try:
            if a > 1: return 2
            if a: break
            a += 1
        finally:
            print(7)
"""


def test_the_code_of_a_finally_is_outside_of_its_own_trys_cover() -> None:
    code = compiled(WAYS_OUT).codes[1]
    prints = [n for n, i in enumerate(code.instructions) if i.op == "PRINT"]
    assert len(prints) == 4, "return, break, the end of the body, and an exception"
    assert not any(h.start <= n < h.end for h in code.handlers for n in prints)
    adds = [n for n, i in enumerate(code.instructions) if i.op == "ADDI"]
    assert adds
    assert all(any(h.start <= n < h.end for h in code.handlers) for n in adds)


def test_inner_handlers_come_first() -> None:
    source = "try:\n try:\n  a = 1 // 0\n except ValueError: pass\nexcept ZeroDivisionError: pass\n"
    inner, *outer = compiled(source).codes[0].handlers
    assert any(o.start <= inner.start and inner.end <= o.end and o.target > inner.target for o in outer)


def test_an_operator_with_an_equals_sign_says_so() -> None:
    code = compiled("def f(x, y):\n x += y\n x *= y\n x -= y\n x[0] += y\n x += 1\n x = x + y\n").codes[1]
    found = [(i.op, i.augmented) for i in code.instructions if i.op in ("IADD", "IMUL", "SUB", "ADDI", "ADD")]
    assert found == [("IADD", True), ("IMUL", True), ("SUB", True), ("IADD", True), ("ADDI", True), ("ADD", False)]


def test_every_opcode_is_used_by_some_example() -> None:
    used = {op for path in [*EXAMPLES, *THREADED] for code in compiled(path.read_bytes()).codes for op in ops(code)}
    assert used | {"TRUE_JUMP_BACK"} == set(OPCODES)
