"""`str` of strings and ints, f-strings, and `int` of plain digits.  The host formats other values."""

from __future__ import annotations

from safepoint_vm.handlers.shared.allocation import bump, give_back, no_room
from safepoint_vm.handlers.shared.exits import hosted
from safepoint_vm.handlers.shared.layout import MOST, begin_string, copy_string, string_words
from safepoint_vm.handlers.shared.values import is_int, is_string
from safepoint_vm.handlers.shared.work import begin_work, spent
from safepoint_vm.language.machine import Count, Machine, Slot
from safepoint_vm.language.records import Thread
from safepoint_vm.language.vocabulary import Array, Exit, Value, Word, divide_unsigned, inline, opcode, routine
from safepoint_vm.language.words import OBJECT, UNSET_WORD, Characters, String

MINUS, ZERO = ord("-"), ord("0")
MOST_DIGITS = 18  # an int of this many characters fits in 63 bits


@inline
def magnitude(x: Value) -> Word:
    if x < 0:
        return 0 - (x >> 1)
    return x >> 1


@inline
def decimal_length(x: Value) -> Word:
    """The length of an int in decimal, sign included."""
    rest, count = magnitude(x), Word(1)
    while rest > 9:
        rest = divide_unsigned(rest, Word(10))
        count += 1
    if x < 0:
        return count + 1
    return count


@inline
def write_decimal(x: Value, to: Characters, length: Word) -> None:
    rest, i = magnitude(x), length
    while i > 0:
        i -= 1
        shorter = divide_unsigned(rest, Word(10))
        to[i] = Value(rest - shorter * 10 + ZERO)
        rest = shorter
    if x < 0:
        to[0] = Value(MINUS)


@inline
def text_length(x: Value) -> Word:
    """The length of the text of a string or an int; MOST + 1 for other values."""
    if is_int(x):
        return decimal_length(x)
    if is_string(x):
        return String(x).length >> 1
    return Word(MOST + 1)


@routine
def text(thread: Thread, parts: Array, count: Word) -> Value:
    """Join the texts of strings and ints.  UNSET: there are other values, or it is too long, or given up; 0: there is no room."""
    begin_work(thread)
    length, i = Word(0), Word(0)
    while i < count:
        length += text_length(parts[i])
        i += 1
    if length > MOST:
        return Value(UNSET_WORD)
    start = bump(thread, string_words(length) << 3)
    if start == 0:
        return Value(0)
    characters = begin_string(start, length).characters
    at = Word(0)
    i = Word(0)
    while i < count:
        part = parts[i]
        size = text_length(part)
        done = True
        if is_int(part):
            done = not spent(thread, size)
            write_decimal(part, Characters(characters.at(at)), size)
        else:
            done = copy_string(thread, String(part), characters, at)
        if not done:
            give_back(thread, start)
            return Value(UNSET_WORD)
        at += size
        i += 1
    return Value(start + OBJECT)


@opcode
def FORMAT(vm: Machine, first: Slot, count: Count) -> Exit:
    """first = ''.join of str(first), str(first+1), …"""
    new = text(vm.thread, vm.frame.at(first), count)
    if new == UNSET_WORD:
        return hosted(vm)
    if new == 0:
        return no_room(vm)
    vm[first] = new
    return vm.next()


@routine
def number_in(text: String) -> Value:
    """Parse an int: digits, perhaps after a minus.  UNSET: the host must parse it."""
    count, i, sign = text.length >> 1, Word(0), Word(0)
    if count != 0:
        sign = text.characters[0]
        if sign == MINUS:
            i = Word(1)
    if i == count or count > MOST_DIGITS:
        return Value(UNSET_WORD)
    total = Word(0)
    while i < count:
        digit = text.characters[i] - ZERO
        if digit < 0 or digit > 9:
            return Value(UNSET_WORD)
        total = total * 10 + digit
        i += 1
    if sign == MINUS:
        return Value(0 - (total << 1))
    return Value(total << 1)
