"""Equality and order of any two values, and membership in a list or string: routines, recursive for nested lists.

HOSTED means that the host must decide: an int beyond 53 bits and a float, a comparison that raises, lists nested too deep, or
the comparison is given up (see `work`).
"""

from __future__ import annotations

from safepoint.guest.heap import WORK
from safepoint.guest.operations.values import DEPTH
from safepoint_vm.handlers.shared.layout import GIVEN_UP, list_length, order_of_strings, smaller
from safepoint_vm.handlers.shared.numbers import both_numbers, comparable
from safepoint_vm.handlers.shared.values import as_float, as_number, both_ints, is_box, is_list, is_string
from safepoint_vm.handlers.shared.work import begin_work, chunk_end, foreseen, spent
from safepoint_vm.language.records import Thread
from safepoint_vm.language.vocabulary import Float, Value, Word, inline, routine
from safepoint_vm.language.words import Backing, BoxedFloat, Characters, List, String

NO, YES, HOSTED = 0, 1, 8  # answers
BELOW, SAME, ABOVE = 1, 2, 4  # answers of `compare`, as bits: x < y, x == y, x > y; none of them for a nan
SEARCH = 1 << 24  # comparisons of characters that a search may take; beyond that CPython's is faster


@inline
def answer(x: bool) -> Word:
    if x:
        return Word(YES)
    return Word(NO)


@inline
def compare_words(x: Word, y: Word) -> Word:
    if x < y:
        return Word(BELOW)
    if x == y:
        return Word(SAME)
    return Word(ABOVE)


@inline
def compare_floats(x: Float, y: Float) -> Word:
    if x < y:
        return Word(BELOW)
    if x == y:
        return Word(SAME)
    if x > y:
        return Word(ABOVE)
    return Word(0)


@inline
def same_text(thread: Thread, x: String, y: String) -> Word:
    if x.length != y.length:
        return Word(NO)
    order = order_of_strings(thread, x, y)
    if order == GIVEN_UP:
        return Word(HOSTED)
    return answer(order == 0)


@inline
def is_nan(x: Value) -> bool:
    if is_box(x):
        return as_float(x) != as_float(x)
    return False


@routine
def equal(thread: Thread, x: Value, y: Value, depth: Word) -> Word:
    """x == y: YES, NO or HOSTED.  A value that is not a number, string or list equals only itself."""
    if is_string(x) and is_string(y):
        return same_text(thread, String(x), String(y))
    if is_list(x) and is_list(y):
        return equal_lists(thread, List(x), List(y), depth)
    a, b = as_number(x), as_number(y)
    if both_ints(a, b) or not both_numbers(a, b):
        return answer(a == b)
    if comparable(a, b):
        return answer(as_float(a) == as_float(b))
    return Word(HOSTED)


@routine
def equal_items(thread: Thread, x: Value, y: Value, depth: Word) -> Word:
    """As `equal`, for items of lists whose words differ: in a list, any two nans are equal."""
    if is_nan(x) and is_nan(y):
        return Word(YES)
    return equal(thread, x, y, depth)


@routine
def first_difference(thread: Thread, x: Backing, y: Backing, count: Word, depth: Word) -> Word:
    """The index of the first of `count` items that differs; `count`: none does; negative: HOSTED."""
    i = Word(0)
    while i < count:
        end = chunk_end(i, count)
        if spent(thread, end - i):
            return Word(-1)
        while i < end:
            one, other = x.elements[i], y.elements[i]
            if one != other:
                found = equal_items(thread, one, other, depth + 1)
                if found == NO:
                    return i
                if found == HOSTED:
                    return Word(-1)
            i += 1
    return count


@routine
def equal_lists(thread: Thread, x: List, y: List, depth: Word) -> Word:
    if depth > DEPTH:
        return Word(HOSTED)
    these, those = x.backing, y.backing
    count = list_length(x, these)
    if count != list_length(y, those):
        return Word(NO)
    first = first_difference(thread, these, those, count, depth)
    if first < 0:
        return Word(HOSTED)
    return answer(first == count)


@routine
def compare(thread: Thread, x: Value, y: Value, depth: Word) -> Word:
    """BELOW, SAME, ABOVE, 0 or HOSTED.  Lists compare as their first items that differ, or as their lengths."""
    if is_string(x) and is_string(y):
        order = order_of_strings(thread, String(x), String(y))
        if order == GIVEN_UP:
            return Word(HOSTED)
        return compare_words(order, Word(0))
    if is_list(x) and is_list(y):
        return compare_lists(thread, List(x), List(y), depth)
    a, b = as_number(x), as_number(y)
    if both_ints(a, b):
        return compare_words(a, b)
    if comparable(a, b):
        return compare_floats(as_float(a), as_float(b))
    return Word(HOSTED)


@routine
def compare_lists(thread: Thread, x: List, y: List, depth: Word) -> Word:
    """As `compare`.  `first_difference` finds lists that are too deep, unless other threads deepen them meanwhile."""
    if depth > DEPTH:
        return Word(HOSTED)
    these, those = x.backing, y.backing
    one, other = list_length(x, these), list_length(y, those)
    count = smaller(Value(one), Value(other))
    first = first_difference(thread, these, those, count, depth)
    if first < 0:
        return Word(HOSTED)
    if first < count:
        return compare(thread, these.elements[first], those.elements[first], depth + 1)
    return compare_words(one, other)


@routine
def identical(thread: Thread, x: Value, y: Value) -> Word:
    """x is y, for objects whose words differ: strings and floats have no identity.  YES, NO or HOSTED."""
    if is_string(x) and is_string(y):
        begin_work(thread)
        return same_text(thread, String(x), String(y))
    if is_box(x) and is_box(y):
        return answer(BoxedFloat(x).bits == BoxedFloat(y).bits or (is_nan(x) and is_nan(y)))
    return Word(NO)


# ---- membership


@routine
def contains(thread: Thread, container: Value, wanted: Value) -> Word:
    """wanted in container: YES, NO or HOSTED."""
    begin_work(thread)
    if is_list(container):
        return is_item(thread, wanted, List(container))
    if is_string(container) and is_string(wanted):
        return is_part(thread, String(wanted), String(container))
    return Word(HOSTED)


@inline
def is_item(thread: Thread, wanted: Value, of: List) -> Word:
    backing = of.backing
    count = list_length(of, backing)
    i = Word(0)
    while i < count:
        end = chunk_end(i, count)
        if spent(thread, end - i):
            return Word(HOSTED)
        while i < end:
            item = backing.elements[i]
            if item == wanted:
                return Word(YES)
            if not both_ints(item, wanted):
                found = equal_items(thread, item, wanted, Word(0))
                if found != NO:
                    return found
            i += 1
    return Word(NO)


@inline
def begins(text: Characters, wanted: Characters, count: Word) -> bool:
    i = Word(0)
    while i < count:
        if text[i] != wanted[i]:
            return False
        i += 1
    return True


@inline
def is_part(thread: Thread, wanted: String, of: String) -> Word:
    count, length = wanted.length >> 1, of.length >> 1
    if count > WORK or count * length > SEARCH or (count != 0 and foreseen(thread, length)):
        return Word(HOSTED)
    at = Word(0)
    while at + count <= length:
        if spent(thread, count):
            return Word(HOSTED)
        if begins(Characters(of.characters.at(at)), wanted.characters, count):
            return Word(YES)
        at += 1
    return Word(NO)
