"""The guest's built-in functions on numbers, strings and lists.  The host executes calls that raise, and rarer cases."""

# ruff: noqa: ARG001  -- every function has the signature of the instruction that calls it

from __future__ import annotations

from safepoint.guest.code import INT_MAX
from safepoint.guest.operations.builtins import BUILTINS
from safepoint_vm.handlers.shared.allocation import float_value, no_room
from safepoint_vm.handlers.shared.compare_values import ABOVE, BELOW, HOSTED, compare
from safepoint_vm.handlers.shared.exits import hosted
from safepoint_vm.handlers.shared.families import HandlerFunction, named
from safepoint_vm.handlers.shared.layout import character, list_length
from safepoint_vm.handlers.shared.numbers import SIGN
from safepoint_vm.handlers.shared.values import (
    as_float,
    as_number,
    both_ints,
    is_int,
    is_list,
    is_number,
    is_string,
    is_true,
    truth_word,
)
from safepoint_vm.handlers.shared.work import begin_work, chunk_end, foreseen, spent
from safepoint_vm.handlers.text import number_in, text
from safepoint_vm.language.machine import Builtin, Count, Machine, Slot
from safepoint_vm.language.records import Thread
from safepoint_vm.language.vocabulary import (
    Exit,
    Value,
    Word,
    add_overflows,
    below,
    bits_of_float,
    float_from_bits,
    float_to_int,
    opcode,
    routine,
    slow,
)
from safepoint_vm.language.words import UNSET_WORD, Elements, List, String

INT, FLOAT, STR, BOOL, ABS, MIN, MAX, SUM, CHR, ORD = (
    BUILTINS.index(name) for name in ("int", "float", "str", "bool", "abs", "min", "max", "sum", "chr", "ord")
)
BEYOND = float(INT_MAX + 1)
CODES = 0x110000


# ---- of one value; the host executes calls without arguments


@slow
def call_int(vm: Machine, first: Slot, builtin: Builtin, count: Count) -> Exit:
    if count == 1:
        x = as_number(vm[first])
        if is_int(x):
            vm[first] = x
            return vm.next()
        if is_number(x):
            number = as_float(x)
            if number >= -BEYOND and number < BEYOND:
                vm[first] = Value(float_to_int(number) << 1)
                return vm.next()
        elif is_string(x):
            read = number_in(String(x))
            if read != UNSET_WORD:
                vm[first] = read
                return vm.next()
    return hosted(vm)


@slow
def call_float(vm: Machine, first: Slot, builtin: Builtin, count: Count) -> Exit:
    if count == 1:
        if is_number(vm[first]):
            number = float_value(vm.thread, as_float(vm[first]))
            if number == 0:
                return no_room(vm)
            vm[first] = number
            return vm.next()
    return hosted(vm)


@slow
def call_str(vm: Machine, first: Slot, builtin: Builtin, count: Count) -> Exit:
    if count == 1:
        new = vm[first]
        if not is_string(new):
            new = text(vm.thread, vm.frame.at(first), count)
        if new == 0:
            return no_room(vm)
        if new != UNSET_WORD:
            vm[first] = new
            return vm.next()
    return hosted(vm)


@slow
def call_bool(vm: Machine, first: Slot, builtin: Builtin, count: Count) -> Exit:
    if count == 1:
        vm[first] = truth_word(is_true(vm[first]))
        return vm.next()
    return hosted(vm)


@slow
def call_abs(vm: Machine, first: Slot, builtin: Builtin, count: Count) -> Exit:
    x = as_number(vm[first])
    if is_int(x):
        if x >= 0:
            vm[first] = x
            return vm.next()
        if 0 - x != x:  # but for -INT_MIN, which does not fit
            vm[first] = Value(0 - x)
            return vm.next()
    elif is_number(x):
        number = float_value(vm.thread, float_from_bits(bits_of_float(as_float(x)) & ~SIGN))
        if number == 0:
            return no_room(vm)
        vm[first] = number
        return vm.next()
    return hosted(vm)


@slow
def call_chr(vm: Machine, first: Slot, builtin: Builtin, count: Count) -> Exit:
    x = as_number(vm[first])
    if is_int(x):
        if below(x >> 1, Word(CODES)):
            new = character(vm.thread, x >> 1)
            if new == 0:
                return no_room(vm)
            vm[first] = new
            return vm.next()
    return hosted(vm)


@slow
def call_ord(vm: Machine, first: Slot, builtin: Builtin, count: Count) -> Exit:
    x = vm[first]
    if is_string(x):
        if String(x).length == 2:
            vm[first] = Value(String(x).characters[0] << 1)
            return vm.next()
    return hosted(vm)


# ---- of several


@routine
def best_of(thread: Thread, items: Elements, count: Word, wanted: Word) -> Value:
    """The least item (`wanted` is BELOW) or the greatest (ABOVE), the first of equal ones.  UNSET: the host must compare."""
    begin_work(thread)
    best, i = items[0], Word(1)
    if foreseen(thread, Word(1)):
        return Value(UNSET_WORD)
    while i < count:
        end = chunk_end(i, count)
        if spent(thread, end - i):
            return Value(UNSET_WORD)
        while i < end:
            item = items[i]
            found = compare(thread, item, best, Word(0))
            if found == HOSTED:
                return Value(UNSET_WORD)
            if found == wanted:
                best = item
            i += 1
    return best


def extreme(name: str, wanted: int) -> HandlerFunction:
    """`min` or `max`, of several arguments or of the items of a list."""

    @slow
    def call(vm: Machine, first: Slot, builtin: Builtin, count: Count) -> Exit:
        best = Value(UNSET_WORD)
        if count > 1:
            best = best_of(vm.thread, Elements(vm.frame.at(first)), count, Word(wanted))
        elif is_list(vm[first]):
            backing = List(vm[first]).backing
            length = list_length(List(vm[first]), backing)
            if length != 0:
                best = best_of(vm.thread, backing.elements, length, Word(wanted))
        if best == UNSET_WORD:
            return hosted(vm)
        vm[first] = best
        return vm.next()

    return named(f"call_{name}", call)


call_min, call_max = extreme("min", BELOW), extreme("max", ABOVE)


@slow
def call_sum(vm: Machine, first: Slot, builtin: Builtin, count: Count) -> Exit:
    """The sum of a list of numbers.  From the first float on it is in `number`, and `total` is UNSET."""
    start = Value(0)
    if count == 2:
        start = vm[first + 1]
    if not (is_list(vm[first]) and is_number(start)):
        return hosted(vm)
    total, number = as_number(start), as_float(start)
    if not is_int(total):
        total = Value(UNSET_WORD)
    backing = List(vm[first]).backing
    length, i = list_length(List(vm[first]), backing), Word(0)
    begin_work(vm.thread)
    while i < length:
        end = chunk_end(i, length)
        if spent(vm.thread, end - i):
            return hosted(vm)
        while i < end:
            item = as_number(backing.elements[i])
            if both_ints(total, item):
                more, overflow = add_overflows(total, item)
                if overflow:
                    return hosted(vm)
                total = Value(more)
            elif is_number(item):
                if is_int(total):
                    number = as_float(total)
                    total = Value(UNSET_WORD)
                number = number + as_float(item)
            else:
                return hosted(vm)
            i += 1
    if length == 0:
        total = start  # which may be a bool
    elif total == UNSET_WORD:
        total = float_value(vm.thread, number)
        if total == 0:
            return no_room(vm)
    vm[first] = total
    return vm.next()


@opcode
def BUILTIN(vm: Machine, first: Slot, builtin: Builtin, count: Count) -> Exit:
    """first = builtin(first, first+1, …)"""
    if builtin == ABS:
        return call_abs(vm, first, builtin, count)
    if builtin == MIN:
        return call_min(vm, first, builtin, count)
    if builtin == MAX:
        return call_max(vm, first, builtin, count)
    if builtin == INT:
        return call_int(vm, first, builtin, count)
    if builtin == FLOAT:
        return call_float(vm, first, builtin, count)
    if builtin == STR:
        return call_str(vm, first, builtin, count)
    if builtin == BOOL:
        return call_bool(vm, first, builtin, count)
    if builtin == SUM:
        return call_sum(vm, first, builtin, count)
    if builtin == CHR:
        return call_chr(vm, first, builtin, count)
    if builtin == ORD:
        return call_ord(vm, first, builtin, count)
    return hosted(vm)
