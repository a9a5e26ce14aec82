"""Tagged values, and the layout of objects and frames.  With `records`, the only place with tags and offsets.

...xxx0  int        63 bits, shifted left by one: + - < and == work on the tagged word
...xx01  float      2**-256 times the number, rotated left by 3: for 2**-255 <= |x| < 2**257 the two top exponent bits of that
                    product are 01, and they are the tag.  A sum, difference or comparison of such products needs no
                    untagging; a float out of range (0.0, inf and nan too) would get another tag, and is boxed
...0011  object     str, boxed float, exception, … (addresses are multiples of 16)
...0111  constant   None, False, True, UNSET
...1011  list       lists and functions have tags of their own: testing the type touches no memory
...1111  function   outside the heap

An object begins with its header, which is odd: kind (8 bits) | raw << 8 | 0x5AFE << 16 | words << 32.  Unless it is raw,
values follow, and nothing else.  A forwarded object has its new address instead of a header, which is even.
"""

from __future__ import annotations

from typing import Annotated

from safepoint.guest.code import UNSET
from safepoint_vm.language.vocabulary import Array, Bytecode, Published, Row, Shared, Struct, Value, Word

OBJECT, CONSTANT, LIST, FUNCTION = 0b0011, 0b0111, 0b1011, 0b1111
TAG_MASK = 0b1111
NONE_WORD, FALSE_WORD, TRUE_WORD, UNSET_WORD = 0x07, 0x17, 0x27, 0x37
CONSTANTS: dict[int, object] = {NONE_WORD: None, FALSE_WORD: False, TRUE_WORD: True, UNSET_WORD: UNSET}
FLOAT_SCALE = 1 << 60  # added to the bits of a double: times 2**256

FLOAT_KIND, STRING_KIND, LIST_KIND, BACKING_KIND, EXCEPTION_KIND, TRACE_KIND, FILLER_KIND = 1, 3, 5, 7, 9, 11, 13
THREAD_KIND, LOCK_KIND = 15, 17
LAST_KIND = LOCK_KIND
RAW, MAGIC = 1 << 8, 0x5AFE << 16
FLOAT_HEADER, STRING_HEADER, TRACE_HEADER, FILLER_HEADER = (
    kind | RAW | MAGIC for kind in (FLOAT_KIND, STRING_KIND, TRACE_KIND, FILLER_KIND)
)
LIST_HEADER, BACKING_HEADER, EXCEPTION_HEADER = (kind | MAGIC for kind in (LIST_KIND, BACKING_KIND, EXCEPTION_KIND))
THREAD_HEADER, LOCK_HEADER = (kind | MAGIC for kind in (THREAD_KIND, LOCK_KIND))
FLOAT_WORDS, LIST_WORDS, EXCEPTION_WORDS, THREAD_WORDS, LOCK_WORDS = 2, 4, 4, 6, 2
FREE, HELD, CONTENDED = 0, 2, 4  # states of a lock, as guest ints; CONTENDED: held, and threads are blocked on it
LANDING_WORDS, KNOWN_WORDS = 4, 2
HEAD_WORDS = 2  # words before the elements of a string, a backing or a trace
STALE = 0x0BAD_0BAD_0BAD_0BA7  # fills from-space after a collection, if the heap is stressed: not a value

CLAIM_BITS = 24  # … of a jump's word, behind the five bytes that are executed
NUMBER_BITS = 16  # of an instruction: the number of its opcode
BESIDE = 1 << 20
"""Bytes from an instruction to the word beside it, which says where its compiled code begins; and again to its `Heat`."""
PAGE_BYTES = 4096
CHARACTERS = 256  # code points below this have preallocated one-character strings


class Frame(Array):
    """A position in a thread's stack of guest values."""


class Globals(Array, shared=True):
    """The module's variables."""


class Code(Struct):
    """A function's code.  Outside the heap, as functions are."""

    slots: Word  # of its frame, parameters included
    parameters: Word
    start: Bytecode


class FunctionObject(Struct, tag=FUNCTION):
    """A guest function, outside the heap: `header` is 0, no collector reads it."""

    header: Word
    code: Code


class Heading(Struct):
    """Any object, untagged."""

    header: Word
    rest: Annotated[Array, Row(0)]


class Object(Struct, tag=OBJECT):
    """Any object with that tag; the header's low 8 bits are its kind."""

    header: Word


class BoxedFloat(Struct, tag=OBJECT):
    """A float that has no tagged word.  `bits`: of an IEEE double."""

    header: Word
    bits: Word


class Characters(Array, bits=32):
    """Code points."""


class String(Struct, tag=OBJECT):
    """A str.  `length`: in characters, as a guest int; `characters`: two a word, the last word padded with zeros."""

    header: Word
    length: Value
    characters: Annotated[Characters, Row(0)]


class Elements(Array, shared=True):
    """The elements of a list."""


class Backing(Struct, tag=OBJECT):
    """The memory of a list: `capacity` values, not all in use.  Never resized, so a bound read from it is never stale."""

    header: Word
    capacity: Value
    elements: Annotated[Elements, Row(0)]


class List(Struct, tag=LIST):
    """A list.  A thread that reads it while others write may see `length` beyond the capacity of `backing`."""

    header: Word
    length: Annotated[Value, Shared]
    backing: Annotated[Backing, Shared, Published]
    padding: Word


class Raisable(Struct, tag=OBJECT):
    """An exception.  `argument`: or UNSET.  `trace`: UNSET before it is raised; several threads may raise it."""

    header: Word
    kind: Value
    argument: Value
    trace: Annotated[Value, Shared, Published]


class Trace(Struct, tag=OBJECT):
    """A traceback.  `pcs`: addresses of instructions, outermost call first; `length`: how many, as a guest int."""

    header: Word
    length: Value
    pcs: Annotated[Array, Row(0)]


class Startable(Struct, tag=OBJECT):
    """A guest `Thread` object.  `started`: guest int 1 once it is; accessed only while coordinators are kept out."""

    header: Word
    number: Value
    target: Value
    args: Value  # a list
    started: Value
    padding: Value


class Lock(Struct, tag=OBJECT):
    """A guest `Lock`.  `state`: FREE, HELD or CONTENDED."""

    header: Word
    state: Annotated[Value, Shared]


class Link(Struct, tag=16):
    """The two words below a frame's first slot."""

    return_to: Bytecode
    caller: Frame


class Heat(Struct):
    """How often more an instruction may be executed before its function is compiled, << 16; and the number of the opcode that it had."""

    word: Annotated[Word, Shared]


class Landing(Struct):
    """The exception handler of the instructions from address `start` up to the next landing's.

    `target`: its address; 0: there is none, unwind to the caller.  `slot`: where it expects the exception.  `slots`: of the
    frame.
    """

    start: Word
    target: Word
    slot: Word
    slots: Word


class Landings(Struct):
    """The landings of a program, by address; the first one starts at 0."""

    count: Word
    rows: Annotated[Array, Row(0)]


class Known(Struct):
    """A fault that machine code raises itself (`handlers.shared.faults`): kind and argument of its exception."""

    kind: Value
    argument: Value
