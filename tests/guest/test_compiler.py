"""The code that the compiler makes: back-edges, slots, handlers, constants."""

from __future__ import annotations

import ast
from itertools import takewhile

import pytest
from hypothesis import given

from safepoint.guest.code import BACK_EDGES, OPCODES, SITES, SMALL, STRAIGHT, UNSET
from safepoint.guest.compiler import emitter
from safepoint.guest.compiler.emitter import ENDS, SLACK
from tests.generated.once import once
from tests.generated.programs import programs
from tests.guest.compiling import compiled, ops, refused
from tests.strategies import EXAMPLES, THREADED
from tests.terminated import PROGRAMS as TERMINATED


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
@once
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
    assert [o for o in ops(code) if o in (*BACK_EDGES, "LESS") and o != "POLL"] == ["LESS", "TRUE_JUMP_BACK"]


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
    again = [
        h for h in code.handlers if code.instructions[h.target].op == "UNWINDS"
    ]  # what leaves it raises a TERMINATE again
    assert not any(h.start <= n < h.end for h in code.handlers for n in prints if h not in again)
    assert [n for n in prints if any(h.start <= n < h.end for h in again)] == prints[-1:]
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
    used = {
        op
        for path in [*EXAMPLES, *THREADED, *TERMINATED.values()]
        for code in compiled(path.read_bytes()).codes
        for op in ops(code)
    }
    assert used | {"TRUE_JUMP_BACK", "POLL"} == set(OPCODES)


STRAIGHT_CODE = {
    "statements": "x = 1\n" * 5000,
    "one expression": f"def f():\n  x = [{', '.join(['[1, 2, [3]]'] * 4000)}]\n",
    "variables that may be unset": "def f(a):\n" + "".join(f"  if a: x{i} = 1\n" for i in range(3000)) + "".join(f"  x{i}\n" for i in range(3000)),
    "nested locks": "def f(a):\n" + "".join("  " * i + " with a:\n" for i in range(19)) + ("  " * 19 + " x = 1\n") * 900 + " return 1\n",
    "nested cleanups": "def f(a):\n" + "".join("  " * i + " try:\n" for i in range(5)) + ("  " * 5 + " x = 1\n") * 900
    + "".join("  " * i + " finally:\n" + ("  " * i + "  y = 2\n") * 150 for i in reversed(range(5))),
    "ways out": "def f(a):\n for i in a:\n  with i:\n   try:\n" + ("    if a: break\n" + "    x = 1\n" * 600) * 2 + "   finally:\n" + "    y = 1\n" * 90,
    "a loop": "def f(x, y):\n while x < y:\n" + "  x = x + y\n" * 3000,
}  # fmt: skip


@pytest.mark.rule("LONG-WORK-POLLS")
@pytest.mark.parametrize("name", STRAIGHT_CODE)
def test_straight_code_polls(name: str) -> None:
    """Each way through it: the verifier lets it pass.  And no more often than its nesting asks for."""
    for code in compiled(STRAIGHT_CODE[name]).codes:
        polls = [number for number, op in enumerate(ops(code)) if op == "POLL"]
        unset = ops(code).count("BOUND")
        assert len(polls) <= 2 * len(code.instructions) // (STRAIGHT // 2) + unset // SLACK + 1
        assert len(polls) >= len(code.instructions) // STRAIGHT
        assert not {code.instructions[number + 1].op for number in polls} & {*ENDS, *SITES}


CLEANED_UP = """
def f(a):
{before} try:
{body}  if a:
   return 1
  x = 2
 finally:
  y = 3
{cleanup}"""


def test_no_poll_keeps_a_cleanup_from_beginning(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever the code before it has its POLLs: there is none right before the first instruction of a `finally`."""
    monkeypatch.setattr(emitter, "STRAIGHT", 80)
    found = 0
    for before in range(80):
        source = CLEANED_UP.format(before=" x = 1\n" * before, body="  x = 1\n" * 70, cleanup="  x = 1\n" * 70)
        code = compiled(source).codes[1]
        found += ops(code).count("POLL")
        begins = [n for n, i in enumerate(code.instructions) if i.op == "LOADK" and i.operands[1] == 3]
        assert len(begins) == 3  # the way out, the way through, and the handler
        assert "POLL" not in {code.instructions[n - 1].op for n in begins}
    assert found > 400
