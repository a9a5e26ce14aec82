"""Every operation on every kind of value, against CPython's own: result, changes of lists, or exception and message.

Each example is a tree of CPython's objects.  It is copied into the reference machine's heap, the operation is done on both
sides, and the guest's result and operands are copied back.
"""

from __future__ import annotations

import contextlib
import io
import math
import struct
import warnings
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from safepoint.guest import values
from safepoint.guest.code import INT_MAX, INT_MIN, OPCODES, FunctionConstant, Instruction, Program
from safepoint.guest.faults import BASES, KINDS, Fault, derives
from safepoint.guest.heap import NoRoom
from safepoint.guest.operations import builtins as builtin
from safepoint.guest.operations import instructions as operations
from safepoint.guest.operations import operators, sequences
from safepoint.guest.operations.comparison import COMPARE
from safepoint.guest.operations.operators import NO_COMPLEX
from safepoint.guest.operations.text import printed, repr_text, text
from safepoint.guest.operations.values import NO_MEMORY, TOO_BIG, truth
from safepoint.guest.reference.effects import EFFECTS
from safepoint.guest.reference.heap import MOST, Objects
from safepoint.guest.reference.vector import Vector
from safepoint.guest.values import Function, Ref, Value


def f() -> None:
    """CPython's counterpart of FUNCTION."""


FUNCTION = Function(1, "f", ())
ERROR = ValueError("v")
EDGES = [e + d for e in (INT_MIN, -(2**53), -(2**31), 0, 2**31, 2**53, INT_MAX) for d in range(-2, 3)]
ints = st.one_of(
    st.sampled_from([e for e in EDGES if INT_MIN <= e <= INT_MAX]), st.integers(INT_MIN, INT_MAX), st.integers(-9, 70)
)
one_nan = st.floats().map(lambda x: math.nan if math.isnan(x) else x)  # in the guest's language there is only one
floats = st.one_of(one_nan, st.integers(-4, 9).map(lambda n: n / 2), st.sampled_from((0.0, -0.0, 1e308, -1e308)))
strings = st.one_of(st.text(max_size=4), st.sampled_from(("a", "ab", "b", "", "12", " -1.5 ")))
flat = st.one_of(ints, floats, strings, st.booleans(), st.none(), st.just(f), st.just(ERROR))
lists = st.recursive(
    st.lists(flat, max_size=3), lambda inner: st.lists(st.one_of(flat, inner), max_size=3), max_leaves=6
)
anything = st.one_of(flat, lists)
numbers = st.one_of(ints, floats, st.booleans())


class World:
    """A heap, and which of its objects are copies of which of CPython's."""

    def __init__(self) -> None:
        self.heap = Objects(Vector())
        self.known: dict[int, Ref] = {}
        self.kept: list[object] = []  # so that no `id` is used twice

    def guest(self, thing: Any) -> Value:
        if isinstance(thing, list | BaseException):
            if id(thing) not in self.known:
                self.kept.append(thing)
                if isinstance(thing, list):
                    ref = self.known[id(thing)] = self.heap.new_list(())
                    self.heap.set_items(ref, [self.guest(item) for item in thing])
                else:
                    args = tuple(self.guest(a) for a in thing.args)
                    self.known[id(thing)] = self.heap.new_exception(type(thing).__name__, args)
            return self.known[id(thing)]
        return FUNCTION if thing is f else thing

    def shown(self, value: object) -> object:
        """A guest's value in a form that can be compared: types told apart, floats by their bits, exceptions by name."""
        match value:
            case Ref(kind="list"):
                return ["list", *(self.shown(item) for item in self.heap.items(value))]
            case Ref():
                return self.heap.exception(value)
        return shown(value)


def shown(thing: object) -> object:
    """The same form, of CPython's objects."""
    match thing:
        case list():
            return ["list", *map(shown, thing)]
        case BaseException():
            return type(thing).__name__, thing.args
        case float():
            return "float", "nan" if math.isnan(thing) else struct.pack("d", thing)
    return ("Function", "f") if thing is f or thing == FUNCTION else (type(thing).__name__, thing)


def python(operation: Callable[..., object], operands: list[Any]) -> object:
    """What CPython makes of it: a value, or a Fault."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            result = operation(*operands)
    except (TypeError, ArithmeticError, ValueError, LookupError, AttributeError) as error:
        return Fault(type(error).__name__, str(error))
    if isinstance(result, complex):
        return NO_COMPLEX
    if isinstance(result, int) and not INT_MIN <= result <= INT_MAX:
        return TOO_BIG
    return result


def check(instruction: Instruction, operation: Callable[..., object], operands: list[Any]) -> None:
    """The instruction reads its operands from slots 0, 1, 2."""
    world = World()
    slots = [world.guest(thing) for thing in operands]
    ours = operations.result(PROGRAM, instruction, slots.__getitem__, world.heap)
    theirs = python(operation, operands)
    if isinstance(ours, Fault) or isinstance(theirs, Fault):
        assert ours == theirs
    else:
        assert world.shown(ours) == shown(theirs)
    for slot, thing in zip(slots, operands, strict=True):
        assert world.shown(slot) == shown(thing), "what became of an operand"


PROGRAM = Program("f", "", (), (), (), ())
TOO_DEEP = "maximum recursion depth exceeded"


def evaluated(expression: str) -> Callable[..., object]:
    function: Callable[..., object] = eval(f"lambda a, b=None, c=None: {expression}")
    return function


def executed(statement: str, result: str = "None") -> Callable[..., object]:
    scope: dict[str, Any] = {}
    exec(f"def g(a, b=None, c=None):\n    {statement}\n    return {result}", scope)
    function: Callable[..., object] = scope["g"]
    return function


def too_long(*operands: object) -> bool:
    """CPython would really make it."""
    return any(isinstance(n, int) and n > 1000 for n in operands) and any(isinstance(s, str | list) for s in operands)


# ---------------------------------------------------------------------------------------------- operators

SYMBOLS = {**operators.SYMBOLS, "LESS": "<", "LESS_EQUAL": "<=", "GREATER": ">", "GREATER_EQUAL": ">=", "EQUAL": "==",
           "NOT_EQUAL": "!=", "IN": "in", "NOT_IN": "not in"}  # fmt: skip


def small_enough(op: str, left: Any, right: Any) -> bool:
    """For CPython to compute in full: the guest stops before."""
    if op in ("SHL", "POWER") and isinstance(left, int) and isinstance(right, int):
        return right <= 200
    return op != "MUL" or not too_long(left, right)


@pytest.mark.parametrize("op", sorted(operators.BINARY))
@given(left=st.one_of(anything, numbers), right=st.one_of(anything, numbers), augmented=st.booleans())
def test_binary(op: str, left: Any, right: Any, augmented: bool) -> None:
    if not small_enough(op, left, right) or (op == "MOD" and isinstance(left, str)):
        return
    symbol = SYMBOLS[op]
    name = {"ADD": "IADD", "MUL": "IMUL"}.get(op, op) if augmented else op
    operation = executed(f"a {symbol}= b", "a") if augmented else evaluated(f"a {symbol} b")
    check(Instruction(name, (9, 0, 1), 1, augmented), operation, [left, right])


@given(left=lists, times=st.integers(-2, 4))
def test_a_list_grows_in_place_also_by_itself(left: Any, times: int) -> None:
    check(Instruction("IADD", (9, 0, 0), 1, True), executed("a += a", "a"), [left])
    check(Instruction("IMUL", (9, 0, 1), 1, True), executed("a *= b", "a"), [left, times])


@given(left=anything, right=st.integers(-20, 20), augmented=st.booleans())
def test_add_immediate_is_an_addition_or_a_subtraction(left: Any, right: int, augmented: bool) -> None:
    symbol = "-" if right < 0 else "+"
    statement = executed(f"a {symbol}= {abs(right)}", "a") if augmented else evaluated(f"a {symbol} {abs(right)}")
    check(Instruction("ADDI", (9, 0, right), 1, augmented), statement, [left])


@pytest.mark.parametrize("op", [*operators.UNARY, "NOT"])
@given(value=anything)
def test_unary(op: str, value: Any) -> None:
    check(Instruction(op, (9, 0), 1), evaluated(f"{SYMBOLS[op]} a"), [value])


@pytest.mark.parametrize("op", COMPARE[:6])
@given(left=st.one_of(anything, numbers), right=st.one_of(anything, numbers))
@example(left=2**53 + 1, right=2.0**53)
@example(left=[1, [2, "a"]], right=[1, [2, "b"]])
@example(left=[1, "a"], right=[1, 2])
def test_compare(op: str, left: Any, right: Any) -> None:
    check(Instruction(op, (9, 0, 1), 1), evaluated(f"a {SYMBOLS[op]} b"), [left, right])
    check(Instruction(op, (9, 0, 0), 1), evaluated(f"a {SYMBOLS[op]} a"), [left])


@pytest.mark.parametrize("op", ["IN", "NOT_IN"])
@given(left=anything, right=st.one_of(anything, lists))
def test_membership(op: str, left: Any, right: Any) -> None:
    check(Instruction(op, (9, 0, 1), 1), evaluated(f"a {SYMBOLS[op]} b"), [left, right])
    if isinstance(right, list):
        check(Instruction(op, (9, 0, 1), 1), evaluated(f"a {SYMBOLS[op]} b"), [left, [*right, left]])


@given(left=st.one_of(st.booleans(), st.none(), st.just(f), lists), right=st.one_of(st.booleans(), st.none(), lists))
def test_identity(left: Any, right: Any) -> None:
    for other in (left, right):
        check(Instruction("IS", (9, 0, 1), 1), evaluated("a is b"), [left, other])
        check(Instruction("IS_NOT", (9, 0, 1), 1), evaluated("a is not b"), [left, other])


def test_identity_of_what_has_none() -> None:
    for value in (INT_MAX, 0.5, "abc", -0.0, math.nan):
        assert values.same(value, type(value)(str(value))), "equal values are one"
    for left, right in (
        (1, 1.0),
        (1, True),
        (0.0, -0.0),
        ("a", "b"),
        (1.0, math.nan),
        (FUNCTION, Function(2, "f", ())),
    ):
        assert not values.same(left, right)


@pytest.mark.parametrize("left", [0, 1, -1, 2, -2, INT_MAX])
def test_enormous_results_are_not_computed(left: int) -> None:
    heap = Objects(Vector())
    large = INT_MAX - 1 if left == -1 else INT_MAX
    assert operators.binary(heap, "SHL", left, INT_MAX) == (TOO_BIG if left else 0)
    assert operators.binary(heap, "SHR", left, INT_MAX) == (-1 if left < 0 else 0)
    assert operators.binary(heap, "POWER", left, large) == (left * left if abs(left) < 2 else TOO_BIG)
    assert operators.binary(heap, "MUL", "ab", INT_MAX) == operators.binary(heap, "MUL", INT_MAX, "ab") == NO_MEMORY
    assert operators.binary(heap, "MUL", heap.new_list([1]), 2**40) == NO_MEMORY
    with pytest.raises(NoRoom):
        operators.binary(heap, "MUL", "ab", MOST)


def test_formatting_with_percent_is_not_the_guests() -> None:
    fault = operators.binary(World().heap, "MOD", "%s", 1, augmented=True)
    assert fault == Fault("TypeError", "unsupported operand type(s) for %=: 'str' and 'int'")


# ---------------------------------------------------------------------------------------------- lists and strings

indices = st.one_of(st.integers(-5, 5), anything)
sequence = st.one_of(lists, strings, anything)


@given(of=sequence, index=indices, value=anything)
def test_items(of: Any, index: Any, value: Any) -> None:
    check(Instruction("INDEX", (9, 0, 1), 1), evaluated("a[b]"), [of, index])
    check(Instruction("STORE_INDEX", (0, 1, 2), 1), executed("a[b] = c"), [of, index, value])
    check(Instruction("DELETE_INDEX", (0, 1), 1), executed("del a[b]"), [of, index])


@given(of=sequence, start=st.one_of(st.none(), indices), end=st.one_of(st.none(), indices))
def test_slices(of: Any, start: Any, end: Any) -> None:
    check(Instruction("SLICE", (9, 0, 1), 1), evaluated("a[b:c]"), [of, start, end])


@given(of=sequence, value=anything, index=indices)
def test_methods(of: Any, value: Any, index: Any) -> None:
    check(Instruction("LEN", (9, 0), 1), evaluated("len(a)"), [of])
    check(Instruction("APPEND", (0, 1), 1), executed("a.append(b)"), [of, value])
    check(Instruction("POP_AT", (9, 0, 1), 1), evaluated("a.pop(b)"), [of, index])
    check(Instruction("POP", (9, 0), 1), evaluated("a.pop()"), [of])


@given(of=sequence)
def test_what_a_loop_can_go_over(of: Any) -> None:
    world = World()
    guest = world.guest(of)
    fault = operations.result(PROGRAM, Instruction("EACH_PREPARE", (0, 0), 1), lambda _: guest, world.heap)
    theirs = python(iter, [of])
    assert fault == (theirs if isinstance(theirs, Fault) else 0)
    if fault == 0:
        found = [sequences.turn(world.heap, guest, n) for n in range(len(of) + 1)]
        assert found.pop() == ()
        assert [world.shown(item) for (item,) in found] == [shown(item) for item in of]


@given(start=anything, end=anything, step=anything)
def test_ranges(start: Any, end: Any, step: Any) -> None:
    expected = python(range, [start, end, step])
    world = World()
    ours = sequences.range_values(world.heap, *(world.guest(v) for v in (start, end, step)))
    if isinstance(expected, Fault):
        assert ours == expected
        return
    assert isinstance(ours, tuple)
    assert isinstance(expected, range)
    first, turns, by = ours
    assert (turns > 0, by) == (len(expected[:1]) == 1, step)
    if turns:
        assert (type(first), first) == (int, expected[0])
        assert first + (turns - 1) * by == expected[-1]


# ---------------------------------------------------------------------------------------------- text, built-in functions


@given(anything)
def test_text_and_truth(thing: Any) -> None:
    if "<function" in repr(thing):  # CPython prints an address
        assert text(World().heap, FUNCTION) == "<function f>"
        return
    world = World()
    value = world.guest(thing)
    assert text(world.heap, value) == str(thing)
    assert repr_text(world.heap, value) == repr(thing)
    assert truth(world.heap, value) == bool(thing)


@given(st.lists(anything, max_size=4), st.one_of(st.none(), strings, anything))
def test_printing(things: list[Any], end: Any) -> None:
    if "<function" in repr([things, end]):
        return
    world = World()
    ours = printed(world.heap, [world.guest(t) for t in things], world.guest(end))
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        theirs = python(lambda: print(*things, end=end), [])
    assert ours == (theirs or output.getvalue())


def test_half_a_surrogate_pair_is_an_exception_not_a_crash() -> None:
    fault = printed(World().heap, ["a\ud800"])
    with pytest.raises(UnicodeEncodeError) as caught:
        "a\ud800\n".encode()
    assert fault == Fault("UnicodeEncodeError", str(caught.value))


@pytest.mark.parametrize("kind", [k for k in KINDS if not k.startswith("Unicode")])
def test_exceptions_are_cpythons(kind: str) -> None:
    theirs: type[BaseException] = eval(kind)
    assert BASES[kind] == ("" if kind == "BaseException" else theirs.__mro__[1].__name__)
    for args in ((), ("text",), (None,), ([1, "two"],), ("",)):
        exception = theirs(*args)
        world = World()
        ref = world.guest(exception)
        assert text(world.heap, ref) == str(exception)
        assert repr_text(world.heap, ref) == repr(exception)
        for base in KINDS:
            assert derives(kind, base) == issubclass(theirs, eval(base))
            assert operations.matches(world.heap, ref, base) == isinstance(exception, eval(base))
        assert operations.raised(world.heap, ref) == Fault(kind, ref=ref)  # type: ignore[arg-type]


def test_a_list_in_itself() -> None:
    ring: list[Any] = [1]
    ring.append(ring)
    ring.append(KeyError(ring))
    world = World()
    assert repr_text(world.heap, world.guest(ring)) == repr(ring)


@pytest.mark.parametrize(
    ("op", "operands", "doing"),
    [("EQUAL", (9, 0, 1), "in comparison"), ("LESS", (9, 0, 1), "in comparison"), ("IN", (9, 0, 1), "in comparison"),
     ("FORMAT", (0, 1), "while getting the repr of an object")],
)  # fmt: skip
def test_lists_nested_without_end(op: str, operands: tuple[int, ...], doing: str) -> None:
    """CPython says the same, of its own depth."""
    heap = Objects(Vector())
    these, those = heap.new_list([]), heap.new_list([1])
    mine: list[Any] = []
    other: list[Any] = [1]
    for _ in range(2000):
        these, those = heap.new_list([these]), heap.new_list([those])
        mine, other = [mine], [other]
    fault = operations.result(PROGRAM, Instruction(op, operands, 1), (these, heap.new_list([those])).__getitem__, heap)
    with pytest.raises(RecursionError) as caught:
        str(mine) if op == "FORMAT" else mine == other
    assert fault == Fault("RecursionError", str(caught.value)) == Fault("RecursionError", f"{TOO_DEEP} {doing}")


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
    if "<function" not in repr(value):
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
    if partial < 2**58:  # the guest minds a partial sum that is too large, too
        called("sum", [of] if start is None or isinstance(start, int) else [of, start])


@given(st.lists(anything, max_size=4))
def test_formats(things: list[Any]) -> None:
    if "<function" not in repr(things):
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
    assert operations.call_fault(World().heap, Function(1, "f", names), given_) == expected


@pytest.mark.parametrize("callee", [None, True, 3, 0.5, "f", [1], KeyError()])
def test_what_is_no_function_cannot_be_called(callee: Any) -> None:
    world = World()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert operations.call_fault(world.heap, world.guest(callee), 0) == python(evaluated("a()"), [callee])


def test_constants_become_values() -> None:
    program = Program("f", "", (), (7, FunctionConstant(0)), (), ())
    assert values.constant(program, 0) == 7
    assert [values.small(n) for n in (5, -(2**30), -(2**30) + 1, -(2**30) + 2)] == [5, None, False, True]


def test_every_opcode_has_a_meaning() -> None:
    assert EFFECTS.keys() == OPCODES.keys()
