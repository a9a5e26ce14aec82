"""Text, built-in functions, exceptions and calls, against CPython's own: result, exception and message."""

from __future__ import annotations

import contextlib
import io
import math
import warnings
from typing import Any

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from safepoint.guest import values
from safepoint.guest.code import OPCODES, FunctionConstant, Instruction, Program
from safepoint.guest.faults import BASES, EXCEPTIONS, Fault, derives
from safepoint.guest.operations import builtins as builtin
from safepoint.guest.operations import instructions as operations
from safepoint.guest.operations.text import printed, repr_text, text
from safepoint.guest.operations.values import truth
from safepoint.guest.reference.effects import EFFECTS
from safepoint.guest.values import Function
from tests.values import (
    FUNCTION,
    Copies,
    anything,
    by_cpython,
    check,
    evaluated,
    floats,
    has_function,
    numbers,
    strings,
)

# ---------------------------------------------------------------------------------------------- text, exceptions


@given(anything)
def test_text_and_truth(thing: Any) -> None:
    assume(not has_function(thing))
    copies = Copies()
    value = copies.guest(thing)
    assert text(copies.heap, value) == str(thing)
    assert repr_text(copies.heap, value) == repr(thing)
    assert truth(copies.heap, value) == bool(thing)


def test_the_text_of_a_function_has_no_address() -> None:
    heap = Copies().heap
    assert text(heap, FUNCTION) == repr_text(heap, FUNCTION) == "<function f>"
    assert truth(heap, FUNCTION)


@given(st.lists(anything, max_size=4), st.one_of(st.none(), strings, anything))
def test_printing(things: list[Any], end: Any) -> None:
    assume(not has_function([things, end]))
    copies = Copies()
    ours = printed(copies.heap, [copies.guest(t) for t in things], copies.guest(end))
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        theirs = by_cpython(lambda: print(*things, end=end))
    assert ours == (theirs or output.getvalue())


def test_half_a_surrogate_pair_is_an_exception_not_a_crash() -> None:
    fault = printed(Copies().heap, ["a\ud800"])
    with pytest.raises(UnicodeEncodeError) as caught:
        "a\ud800\n".encode()
    assert fault == Fault("UnicodeEncodeError", str(caught.value))


@pytest.mark.parametrize("kind", [k for k in EXCEPTIONS if not k.startswith("Unicode")])
def test_exceptions_are_cpythons(kind: str) -> None:
    theirs: type[BaseException] = eval(kind)
    assert BASES[kind] == ("" if kind == "BaseException" else theirs.__mro__[1].__name__)
    for args in ((), ("text",), (None,), ([1, "two"],), ("",)):
        exception = theirs(*args)
        copies = Copies()
        ref = copies.guest(exception)
        assert text(copies.heap, ref) == str(exception)
        assert repr_text(copies.heap, ref) == repr(exception)
        for base in EXCEPTIONS:
            assert derives(kind, base) == issubclass(theirs, eval(base))
            assert operations.matches(copies.heap, ref, base) == isinstance(exception, eval(base))
        assert operations.raised(copies.heap, ref) == Fault(kind, ref=ref)  # type: ignore[arg-type]


def test_a_list_in_itself() -> None:
    ring: list[Any] = [1]
    ring.append(ring)
    ring.append(KeyError(ring))
    copies = Copies()
    assert repr_text(copies.heap, copies.guest(ring)) == repr(ring)


# ---------------------------------------------------------------------------------------------- built-in functions


def called(name: str, arguments: list[Any]) -> None:
    instruction = Instruction("BUILTIN", (0, builtin.BUILTINS.index(name), len(arguments)), 1)
    check(instruction, eval(name), arguments)


@pytest.mark.parametrize("name", ["int", "float", "bool", "abs", "chr", "ord"])
@given(value=anything)
@example(value="1" * 30)
@example(value=" 12\n")
@example(value="é")
@example(value=0x10FFFF)
@example(value=math.inf)
def test_builtins_of_one_value(name: str, value: Any) -> None:
    called(name, [value])


@pytest.mark.parametrize("name", ["str", "repr"])
@given(value=anything)
def test_builtins_that_give_text(name: str, value: Any) -> None:
    assume(not has_function(value))
    called(name, [value])


@pytest.mark.parametrize("name", ["int", "float", "str", "bool"])
def test_builtins_of_nothing(name: str) -> None:
    called(name, [])


@pytest.mark.parametrize("name", ["min", "max"])
@given(st.one_of(st.lists(anything, min_size=1, max_size=4), st.lists(numbers, min_size=2, max_size=4),
                 st.tuples(st.lists(numbers)).map(list), st.tuples(strings).map(list)))  # fmt: skip
def test_the_least_and_the_greatest(name: str, arguments: list[Any]) -> None:
    called(name, arguments)


@given(of=st.one_of(anything, st.lists(st.integers(-99, 99)), st.lists(floats)), start=st.one_of(st.none(), anything))
def test_sums(of: Any, start: Any) -> None:
    partial = 0
    for item in of if isinstance(of, list) else []:
        partial = max(partial, abs(item)) if isinstance(item, int) else partial
    assume(partial < 2**58)  # the guest minds a partial sum that is too large, too
    called("sum", [of] if start is None or isinstance(start, int) else [of, start])


@given(st.lists(anything, max_size=4))
def test_formats(things: list[Any]) -> None:
    assume(not has_function(things))
    check(Instruction("FORMAT", (0, len(things)), 1), lambda *a: "".join(map(str, a)), things)


# ---------------------------------------------------------------------------------------------- calls, constants


@pytest.mark.parametrize("takes", range(5))
@pytest.mark.parametrize("given_", range(6))
def test_the_messages_of_wrong_calls_are_cpythons(takes: int, given_: int) -> None:
    names = tuple("abcde"[:takes])
    scope: dict[str, Any] = {}
    exec(f"def f({', '.join(names)}): pass", scope)
    expected = None
    try:
        scope["f"](*range(given_))
    except TypeError as error:
        expected = Fault("TypeError", str(error))
    assert operations.call_fault(Copies().heap, Function(1, "f", names), given_) == expected


@pytest.mark.parametrize("callee", [None, True, 3, 0.5, "f", [1], KeyError()])
def test_what_is_no_function_cannot_be_called(callee: Any) -> None:
    copies = Copies()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert operations.call_fault(copies.heap, copies.guest(callee), 0) == by_cpython(evaluated("a()"), callee)


def test_constants_become_values() -> None:
    program = Program("f", "", (), (7, FunctionConstant(0)), (), ())
    assert values.constant(program, 0) == 7
    assert [values.small(n) for n in (5, -(2**30), -(2**30) + 1, -(2**30) + 2)] == [5, None, False, True]


def test_every_opcode_has_a_meaning() -> None:
    """And what it computes, if anything, is computed by its effect: neither table has an opcode too many."""
    assert EFFECTS.keys() == OPCODES.keys()
    assert operations.RESULTS.keys() < OPCODES.keys()
