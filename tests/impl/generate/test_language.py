"""The handler language's loops, floats, characters and routines: compiled, called, and compared with Python."""

from __future__ import annotations

import ctypes
import math
import operator
import struct
from collections.abc import Callable
from typing import Any

import llvmlite.binding as llvm
import pytest
from hypothesis import given
from hypothesis import strategies as st
from llvmlite import ir

from safepoint_vm.generate.compiler import ModuleCompiler, parameters_of
from safepoint_vm.generate.engine import PLAIN
from safepoint_vm.generate.object_code import prepare_llvm, target_machine
from safepoint_vm.generate.parts import handlers_of
from safepoint_vm.language.layout import Memory, Record
from safepoint_vm.language.records import World
from safepoint_vm.language.tagged import bits, from_bits, signed
from safepoint_vm.language.vocabulary import (
    Array,
    Value,
    Word,
    bits_of_float,
    fetch_add,
    float_from_bits,
    inline,
    int_to_float,
    rotate_left,
    routine,
)
from safepoint_vm.language.words import Characters


def compiled(function: Callable[..., Any]) -> Callable[..., int]:
    prepare_llvm()
    module = ir.Module("test")
    ModuleCompiler(module, handlers_of(PLAIN).switches()).routine(function)
    module.triple = llvm.get_process_triple()
    code = llvm.create_mcjit_compiler(llvm.parse_assembly(str(module)), target_machine())
    code.finalize_object()
    call = ctypes.CFUNCTYPE(ctypes.c_int64, *[ctypes.c_int64] * len(parameters_of(function)))
    made = call(code.get_function_address(function.__name__))
    vars(made)["code"] = code  # owns the memory
    return made


@routine
def factorial(n: Word) -> Word:
    result = Word(1)
    while n > 1:
        result = result * n
        n -= 1
    return result


@routine
def first_divisor(n: Word) -> Word:
    """Returns from inside a loop, with a loop inside."""
    i = Word(2)
    while i < n:
        rest = n
        while rest >= i:
            rest -= i
        if rest == 0:
            return i
        i += 1
    return n


@routine
def fibonacci(n: Word) -> Word:
    """A routine may call itself; several names are assigned at once."""
    if n > 30:
        return fibonacci(n - 1) + fibonacci(n - 2)
    x, y = Word(0), Word(1)
    while n > 0:
        x, y = y, x + y
        n = n - 1
    return x


def test_loops_end_when_their_test_fails() -> None:
    call = compiled(factorial)
    assert [call(n) for n in range(15)] == [math.factorial(n) for n in range(15)]
    call = compiled(first_divisor)
    assert [call(n) for n in range(2, 40)] == [next(d for d in range(2, n + 1) if n % d == 0) for n in range(2, 40)]


def test_a_routine_may_call_itself_and_tuples_are_assigned_at_once() -> None:
    call = compiled(fibonacci)
    assert [call(n) for n in (0, 1, 2, 10, 30, 33)] == [0, 1, 1, 55, 832040, 3524578]


@routine
def float_sum(x: Word, y: Word) -> Word:
    return bits_of_float(float_from_bits(x) + float_from_bits(y))


@routine
def float_difference(x: Word, y: Word) -> Word:
    return bits_of_float(float_from_bits(x) - float_from_bits(y))


@routine
def float_product(x: Word, y: Word) -> Word:
    return bits_of_float(float_from_bits(x) * float_from_bits(y))


@routine
def float_quotient(x: Word, y: Word) -> Word:
    return bits_of_float(float_from_bits(x) / float_from_bits(y))


@inline
def as_word(x: bool) -> Word:
    if x:
        return Word(1)
    return Word(0)


@routine
def relations(a: Word, b: Word) -> Word:
    """A bit for each of < <= > >= == !=."""
    x, y = float_from_bits(a), float_from_bits(b)
    less = as_word(x < y) | as_word(x <= y) << 1 | as_word(x > y) << 2
    return less | as_word(x >= y) << 3 | as_word(x == y) << 4 | as_word(x != y) << 5


COMPUTE = {
    float_sum: operator.add, float_difference: operator.sub, float_product: operator.mul, float_quotient: operator.truediv,
}  # fmt: skip
RELATIONS = (operator.lt, operator.le, operator.gt, operator.ge, operator.eq, operator.ne)


@pytest.mark.parametrize("function", COMPUTE, ids=lambda f: f.__name__)
def test_floats_are_pythons(function: Callable[..., Any]) -> None:
    call = compiled(function)

    @given(st.floats(), st.floats())
    def check(x: float, y: float) -> None:
        if function is float_quotient and y == 0:
            return
        expected = COMPUTE[function](x, y)
        assert repr(from_bits(call(signed(bits(x)), signed(bits(y))))) == repr(expected)

    check()


def test_comparisons_of_floats_are_pythons() -> None:
    call = compiled(relations)

    @given(st.floats(), st.floats())
    def check(x: float, y: float) -> None:
        assert call(signed(bits(x)), signed(bits(y))) == sum(holds(x, y) << n for n, holds in enumerate(RELATIONS))

    check()


@routine
def converted(x: Word) -> Word:
    return bits_of_float(int_to_float(x))


@routine
def halved(x: Word) -> Word:
    """A constant beside a float."""
    return bits_of_float(float_from_bits(x) * 0.5)


@routine
def rotated(x: Word) -> Word:
    return rotate_left(x, 61)


@given(st.integers(-(2**63), 2**63 - 1))
def test_conversions(number: int) -> None:
    assert from_bits(CONVERTED(number)) == float(number)
    assert from_bits(HALVED(signed(bits(float(number))))) == number * 0.5
    word = number & 2**64 - 1
    assert ROTATED(number) & 2**64 - 1 == (word << 61 | word >> 3) & 2**64 - 1


CONVERTED, HALVED, ROTATED = compiled(converted), compiled(halved), compiled(rotated)


@routine
def doubled(text: Characters, count: Word) -> Word:
    """Each character plus one; their sum before."""
    total = Word(0)
    i = Word(0)
    while i < count:
        total += text[i]
        text[i] = Value(text[i] + 1)
        i += 1
    return total + text.at(1)[0]


def test_characters_are_32_bits_without_a_sign() -> None:
    memory = Memory(2, struct.unpack("<2q", struct.pack("<4I", 2**32 - 2, 5, 7, 9)))
    assert compiled(doubled)(memory.address, 3) == 2**32 - 2 + 5 + 7 + 6
    assert struct.unpack("<4I", struct.pack("<2q", memory[0], memory[1])) == (2**32 - 1, 6, 8, 9)


@routine
def take(world: World, amount: Word) -> Word:
    return fetch_add(world.heap_next, amount)


def test_fetch_add_gives_what_was_there() -> None:
    world, call = Record(World), compiled(take)
    assert [call(world.address, n) for n in (5, 7, 0)] == [0, 5, 12]
    assert world.get("heap_next") == 12


@routine
def cleared(words: Array, count: Word) -> None:
    i = Word(0)
    while i < count:
        words[i] = Value(0)
        i += 1


def test_a_routine_need_not_return_anything() -> None:
    memory = Memory(3, [1, 2, 3])
    compiled(cleared)(memory.address, 2)
    assert [memory[n] for n in range(3)] == [0, 0, 3]
