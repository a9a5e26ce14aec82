"""Tagged values and memory layouts: the only place with tags and offsets.

...xxx0  int        63 bits, shifted left by one: + - < and == work on the tagged word
...xx01  float      2**-256 times the number, rotated left by 3: for 2**-255 <= |x| < 2**257 the two top exponent bits of that
                    product are 01, and they are the tag.  A sum, difference or comparison of such products needs no
                    untagging; whatever is out of range (0.0, inf and nan too) has another tag, and is boxed
...0011  object     str, boxed float, exception, … (addresses are multiples of 16)
...0111  constant   None, False, True, UNSET
...1011  list       lists and functions have a tag of their own: testing the type touches no memory
...1111  function   outside the heap

An object begins with its header, which is odd: kind (8 bits) | raw << 8 | 0x5AFE << 16 | words << 32.  Behind the header of
one that is not raw stand values only.  A forwarded object has its new address there, which is even.
"""

from __future__ import annotations

import struct
from typing import Annotated

from safepoint.guest.code import INT_MAX, INT_MIN, UNSET, Unset
from safepoint.guest.lockstep import THREADS
from safepoint_vm.language.vocabulary import (
    Array,
    Bytecode,
    Line,
    Published,
    Racing,
    Row,
    Shared,
    Struct,
    Table,
    Value,
    Word,
)

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
FREE, HELD, WANTED = 0, 2, 4  # of a lock, as guest ints: nobody has it; somebody; and others wait
LANDING_WORDS, KNOWN_WORDS = 4, 2
HEAD_WORDS = 2  # of a string, a backing, a trace, before their elements
OBJECT_BYTES = 16  # objects are multiples of these, and so are their addresses
STALE = 0x0BAD_0BAD_0BAD_0BA7  # what a space is filled with when nothing is alive in it: no value has this word

TABLE_WORDS = 128  # entries of a dispatch table
SPILL_WORDS = 16  # locals of the protocol's text that are alive while a procedure waits
CHARACTERS = 256  # one-character strings that exist once and for all


class Frame(Array):
    """A position in a thread's stack of guest values."""


class Globals(Array, shared=True):
    """The variables of the module, which every thread reads and writes."""


class Code(Struct):
    """What the machine knows of a function."""

    slots: Word  # how many its frame has, parameters included
    parameters: Word
    start: Bytecode


class Function(Struct, tag=FUNCTION):
    header: Word
    code: Code


class Heading(Struct):
    """Any object, untagged."""

    header: Word
    rest: Annotated[Array, Row(0)]


class Object(Struct, tag=OBJECT):
    """What carries that tag: the header says which."""

    header: Word


class BoxedFloat(Struct, tag=OBJECT):
    header: Word
    bits: Word


class Characters(Array, bits=32):
    """Code points."""


class String(Struct, tag=OBJECT):
    header: Word
    length: Value
    characters: Annotated[Characters, Row(0)]


class Elements(Array, shared=True):
    """A list's, which every thread reads and writes."""


class Backing(Struct, tag=OBJECT):
    """All of its capacity holds values.  It never changes its size, so bounds that come from it cannot be outdated."""

    header: Word
    capacity: Value
    elements: Annotated[Elements, Row(0)]


class List(Struct, tag=LIST):
    header: Word
    length: Annotated[Value, Shared]
    backing: Annotated[Backing, Shared, Published]
    padding: Word


class Raisable(Struct, tag=OBJECT):
    """An exception.  `argument`: UNSET if there is none.  `trace`: UNSET before it is raised; several threads may raise it."""

    header: Word
    kind: Value
    argument: Value
    trace: Annotated[Value, Shared, Published]


class Trace(Struct, tag=OBJECT):
    """`places`: addresses of instructions, outermost first."""

    header: Word
    length: Value
    places: Annotated[Array, Row(0)]


class Startable(Struct, tag=OBJECT):
    """A `Thread` of the guest's.  `started`: 1 once it is; only in a world that cannot be stopped meanwhile."""

    header: Word
    number: Value
    target: Value
    args: Value  # a list
    started: Value
    padding: Value


class Lock(Struct, tag=OBJECT):
    """`owner`: FREE, HELD or WANTED."""

    header: Word
    owner: Annotated[Value, Shared]


class Link(Struct, tag=16):
    """The two words below a frame's first slot."""

    return_to: Bytecode
    caller: Frame


class Landing(Struct):
    """Where an exception goes from an instruction, `start` or behind it, up to the next landing's.  `target`: 0, the caller.

    `slots`: of the frame.
    """

    start: Word
    target: Word
    slot: Word
    slots: Word


class Landings(Struct):
    """Of a program, by address; the first one starts at 0."""

    count: Word
    rows: Annotated[Array, Row(0)]


class Known(Struct):
    """A fault that machine code raises by itself (see `known`), as the exception that it becomes."""

    kind: Value
    argument: Value


class Sight(Struct):
    """The last request of one kind that a thread served, and how many there were."""

    count: Word
    pc: Bytecode
    frames: Word
    back_edges: Word


class Thread(Struct):
    """One guest thread's words.  What others write stands in cache lines of its own."""

    limit: Annotated[Frame, Racing, Line]  # a frame may end here; poisoned by whoever wants attention
    flag: Annotated[Word, Racing]  # read by the CHECKS_FLAG variant only
    pending: Annotated[Word, Racing, Line]
    state: Annotated[Word, Racing, Line]
    operation: Annotated[Word, Racing]
    wake: Annotated[Word, Racing]
    limit_real: Annotated[Word, Line]
    limit_poison: Word
    extra: Word  # the owner's words of the protocol's text
    masked: Word
    ending: Word
    entry_poison: Word  # the handler of every poisoned back-edge; what is real, `base` says
    world: Word
    hook: Word  # HOOKED: called before each shared access of the protocol's code
    result: Word  # what a procedure of the protocol's text returned
    suspended: Word  # the status of the procedure that waits
    status: Word  # why machine code was left: an `Exited`
    pc: Bytecode
    frame: Frame
    constants: Array
    globals: Globals
    characters: Array  # the one-character strings
    zero: Value  # the box of 0.0
    ancestry: Array  # of each exception class: a bit for each that it derives from
    heap_top: Word  # the thread's own piece of the heap: where its next object begins
    heap_limit: Word  # … and where the piece ends
    wanted: Word  # bytes, where there was no room
    slow_entries: Word  # checks that failed
    frames: Word  # COUNTING: checks executed, of each kind
    back_edges: Word
    budget: Word  # stepping: instructions left
    interrupt: Annotated[Sight, Row(4)]
    stop: Annotated[Sight, Row(4)]
    handshake: Annotated[Sight, Row(4)]
    sample: Annotated[Sight, Row(4)]
    terminate: Annotated[Sight, Row(4)]
    spill: Annotated[Array, Row(SPILL_WORDS)]
    landings: Landings
    known: Array  # the rows of `Known`, one behind the other
    table: Annotated[Table, Racing, Line, Row(TABLE_WORDS)]  # the live one: requesters poison its back-edges
    base: Annotated[Table, Row(TABLE_WORDS)]  # the one that nobody poisons


class World(Struct):
    """What the threads of one world share."""

    stop: Annotated[Word, Racing, Line]
    lock: Annotated[Word, Racing, Line]
    hook: Annotated[Word, Line]
    result: Word
    population: Word
    spill: Annotated[Array, Row(SPILL_WORDS)]
    threads: Annotated[Array, Row(THREADS)]
    heap_next: Annotated[Word, Racing, Line]  # where the next piece begins
    heap_end: Annotated[Word, Line]
    chunk: Word  # bytes of a piece; 0: each allocation asks the host
    from_start: Word  # collecting: the space that is left
    from_bytes: Word
    copied: Word  # … and in the other one, where the next copy goes


def header(kind_header: int, words: int) -> int:
    return kind_header | words << 32


def even(words: int) -> int:
    """Objects have an even number of words."""
    return words + 1 & -2


def word_of(value: object) -> int:
    """The tagged word of an int, None, a bool or UNSET.  OverflowError: an int beyond 63 bits."""
    match value:
        case bool() | None | Unset():
            return next(word for word, constant in CONSTANTS.items() if constant is value)
        case int() if INT_MIN <= value <= INT_MAX:
            return value << 1
        case int():
            raise OverflowError(f"{value} does not fit in 63 bits")
    raise TypeError(f"{value!r} is no constant of the guest's")


def float_word(number: float) -> int | None:
    """The word of a float in range; None: it needs a box."""
    scaled = bits(number) - FLOAT_SCALE & (1 << 64) - 1
    word = (scaled << 3 | scaled >> 61) & (1 << 64) - 1
    return signed(word) if word & 0b11 == 0b01 else None


def float_of_word(word: int) -> float:
    scaled = (word & (1 << 64) - 1) >> 3 | (word & 0b111) << 61
    return from_bits(scaled + FLOAT_SCALE)


def bits(number: float) -> int:
    found: int = struct.unpack("<Q", struct.pack("<d", number))[0]
    return found


def from_bits(word: int) -> float:
    found: float = struct.unpack("<d", struct.pack("<Q", word & (1 << 64) - 1))[0]
    return found


def signed(word: int) -> int:
    return word - (1 << 64) if word >> 63 else word
