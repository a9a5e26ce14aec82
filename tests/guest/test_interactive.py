"""Inputs of a prompt: where one ends, and what each may use of the others."""

from __future__ import annotations

import pytest

from safepoint.guest.compiler.interactive import Inputs, begins_another, is_complete
from safepoint.guest.faults import GuestSyntaxError, format_syntax_error
from safepoint.guest.verifier import verify


@pytest.mark.parametrize(
    ("text", "complete"),
    [
        ("", True), ("x = 1", True), ("f(1,", False), ("f(1,\n2)", True), ("'''a", False), ("'''a\n\nb'''", True),
        ("if x:", False), ("if x:\n    y", False), ("if x:\n    y\n", True), ("if x:\n    y\nelse:", False),
        ("x = \\", False), ("1 +* 2", True), ("def f(:", True), ("lambda: 1", True), ("x = 1\ny = 2", True),
        ("if x:\n    '''\n", False), ("\0", True), ("(" * 300, True),
    ],
)  # fmt: skip
def test_an_input_is_complete_where_no_line_is_missing_or_none_can_mend_it(text: str, complete: bool) -> None:
    assert is_complete(text) == complete


@pytest.mark.parametrize(
    ("text", "line", "begins"),
    [
        ("if x:\n    y", "z", True), ("if x:\n    y", "else:", False), ("if x:\n    y", "elif(z):", False),
        ("if x:\n    y", "elsewhere = 1", True), ("if x:\n    y", "    z", False), ("if x:\n    y", "# note", False), ("if x:\n    y", "", False),
        ("try:\n    y", "except ValueError:", False), ("try:\n    y\nexcept ValueError:\n    z", "finally:", False),
        ("f(1,", "2)", False), ("if x:\n    '''a", "b'''", False), ("if x:", "y", False),
    ],
)  # fmt: skip
def test_a_line_that_no_block_goes_on_with_begins_another_input(text: str, line: str, begins: bool) -> None:
    assert begins_another(text, line) == begins


def test_what_was_loaded_stays_what_it_was() -> None:
    """Codes, constants, variables and names: a program begins with the one before, and is verified from there on."""
    inputs = Inputs()
    before = inputs.program
    for text in (
        "x = 10**9",
        "def f(a):\n    b = a\n    return [x, 'text', 2.5]\n",
        "y = f('text')",
        "def x():\n    return y\n",
    ):
        now = inputs.add(text)
        for table in ("codes", "constants", "globals", "names"):
            old = getattr(before, table)
            assert getattr(now, table)[: len(old)] == old
        verify(now)
        assert (now.codes[-1].name, now.codes[-1].parameters) == ("<module>", ())
        before = now


def test_an_input_with_an_error_defines_nothing() -> None:
    inputs = Inputs()
    before = inputs.program
    with pytest.raises(GuestSyntaxError, match=r"^<input-1>:3:5: lambda is outside"):
        inputs.add("from time import sleep\ny = 2\nz = lambda: 0")
    assert inputs.program is before
    assert inputs.add("sleep = 3").file == "<input-2>"  # it was not imported
    assert "y" not in inputs.program.globals


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "def f(a):\n" + 8 * "    a += 1\n",
            r"<input-2>:7:1: f\(\) has \d+ instructions, .* for 5 ",
        ),
        (
            "a = 1\na += 1\na += 1\n",
            r"<input-2>:\d:1: this input has \d+ instructions, .* for 5 \(write instead: several inputs, or",
        ),
    ],
)
def test_an_input_that_is_too_long_is_refused_where_it_gets_so(text: str, said: str) -> None:
    """Each `a += 1` is one instruction: the sixth stands in line 7."""
    inputs = Inputs(5)
    before = inputs.add("x = 1\n")
    with pytest.raises(GuestSyntaxError, match=said):
        inputs.add(text)
    assert inputs.program is before
    assert len(inputs.add("x = 2\n").codes) == len(before.codes) + 1


def test_an_import_is_refused_where_a_function_has_the_name_as_a_variable() -> None:
    inputs = Inputs()
    inputs.add("sleep(1)")  # a NameError, once it runs
    inputs.add("from time import sleep")
    inputs.add("sleep(1)")
    inputs.add("def f():\n    return Lock()\n")
    with pytest.raises(
        GuestSyntaxError, match=r"^<input-5>:1:1: 'Lock' is a variable in f\(\), which was defined before"
    ):
        inputs.add("from threading import Thread, Lock")


@pytest.mark.parametrize(
    ("text", "marked"),
    [("x = 1 +* 2", "*"), ("if x:\n\t\ty = lambda: 1\n", "l"), ("'äöü' + (lambda: 1)", "l"), ("    x", " ")],
)
def test_the_caret_of_an_error_is_below_its_column(text: str, marked: str) -> None:
    with pytest.raises(GuestSyntaxError) as error:
        Inputs().add(text)
    place, line, caret, what = format_syntax_error(error.value, text).splitlines()
    assert place == f'  File "<input-1>", line {error.value.line}'
    assert what.startswith(("SyntaxError: ", "IndentationError"))
    assert len(caret) <= len(line) + 1
    if marked != " ":
        assert line[len(caret) - 1] == marked
