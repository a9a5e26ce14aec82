"""Mutations of what a policy has no feature for: the line is there for the others, and nothing asks for it."""

from __future__ import annotations

from safepoint.protocol.equivalents.entry import SLEEPLESS, UNBORN, UNCOLLECTED, UNENDED, UNGROWN, UNMASKED, Equivalents

UNTERMINATED = "Where nothing terminates a thread, no TERMINATE is ever taken."
NOT_KEPT = "Where nothing is kept for later, every kind may be delivered; and these words are 0."

WITHOUT: tuple[Equivalents, ...] = (
    Equivalents(UNTERMINATED, "owner.py", "serve", (
        "swap: if bits & HANDSHAKE:; if bits & TERMINATE: -> if bits & TERMINATE:; if bits & HANDSHAKE:",
        "delete: if bits & TERMINATE: -> ",
        "swap: if bits & TERMINATE:; if bits & INTERRUPT: -> if bits & INTERRUPT:; if bits & TERMINATE:",
        "delete: t.ending = TERMINATE -> ",
        "word: t.ending = TERMINATE -> t.end = TERMINATE",
        "word: t.ending = TERMINATE -> t.extra = TERMINATE",
        "word: t.ending = TERMINATE -> t.masked = TERMINATE",
        "word: t.ending = TERMINATE -> t.left = TERMINATE",
        "word: t.ending = TERMINATE -> t.deferred = TERMINATE",
        "constant: t.ending = TERMINATE -> t.ending = STOP",
        "constant: t.ending = TERMINATE -> t.ending = HANDSHAKE",
        "constant: t.ending = TERMINATE -> t.ending = INTERRUPT",
        "constant: t.ending = TERMINATE -> t.ending = SAMPLE",
        "constant: t.ending = TERMINATE -> t.ending = EVERYTHING",
        "delete: if bits & INTERRUPT: -> ",
        "always: if bits & INTERRUPT: -> give_back(t, INTERRUPT)",
        "negate: if bits & INTERRUPT: -> if bits & INTERRUPT == 0:",
        "swap: if bits & INTERRUPT:; return RAISE_TERMINATE -> return RAISE_TERMINATE; if bits & INTERRUPT:",
        "arithmetic: if bits & INTERRUPT: -> if bits | INTERRUPT:",
        "operand: if bits & INTERRUPT: -> if bits:",
        "operand: if bits & INTERRUPT: -> if INTERRUPT:",
        "constant: if bits & INTERRUPT: -> if bits & STOP:",
        "constant: if bits & INTERRUPT: -> if bits & HANDSHAKE:",
        "constant: if bits & INTERRUPT: -> if bits & SAMPLE:",
        "constant: if bits & INTERRUPT: -> if bits & TERMINATE:",
        "constant: if bits & INTERRUPT: -> if bits & EVERYTHING:",
        "delete: give_back(t, INTERRUPT) -> ",
        "constant: give_back(t, INTERRUPT) -> give_back(t, STOP)",
        "constant: give_back(t, INTERRUPT) -> give_back(t, HANDSHAKE)",
        "constant: give_back(t, INTERRUPT) -> give_back(t, SAMPLE)",
        "constant: give_back(t, INTERRUPT) -> give_back(t, TERMINATE)",
        "constant: give_back(t, INTERRUPT) -> give_back(t, EVERYTHING)",
        "delete: return RAISE_TERMINATE -> ",
        "return-0: return RAISE_TERMINATE -> return 0",
        "constant: return RAISE_TERMINATE -> return GO",
        "constant: return RAISE_TERMINATE -> return RAISE_INTERRUPT",
        "constant: return RAISE_TERMINATE -> return RAISE_OVERFLOW",
    ), policies=UNENDED),
    Equivalents(UNTERMINATED, "owner.py", "give_back", (
        "delete: add(t, bits) -> ",
        "delete: poison(t) -> ",
    ), policies=UNENDED),
    Equivalents(NOT_KEPT, "words.py", "deliverable", (
        "arithmetic: return EVERYTHING & ~(t.masked | t.ending) -> return EVERYTHING & ~(t.masked & t.ending)",
        "operand: return EVERYTHING & ~(t.masked | t.ending) -> return EVERYTHING & ~t.ending",
        "operand: return EVERYTHING & ~(t.masked | t.ending) -> return EVERYTHING",
        "arithmetic: return EVERYTHING & ~(t.masked | t.ending) -> return EVERYTHING | ~(t.masked | t.ending)",
        "word: return EVERYTHING & ~(t.masked | t.ending) -> return EVERYTHING & ~(t.extra | t.ending)",
        "word: return EVERYTHING & ~(t.masked | t.ending) -> return EVERYTHING & ~(t.ending | t.ending)",
        "word: return EVERYTHING & ~(t.masked | t.ending) -> return EVERYTHING & ~(t.left | t.ending)",
        "word: return EVERYTHING & ~(t.masked | t.ending) -> return EVERYTHING & ~(t.deferred | t.ending)",
        "word: return EVERYTHING & ~(t.masked | t.ending) -> return EVERYTHING & ~(t.masked | t.extra)",
    ), policies=UNMASKED & UNENDED & UNGROWN),
    Equivalents("Where nothing terminates a thread, `ending` is 0; and so are these words.", "words.py", "deliverable", (
        "operand: return EVERYTHING & ~(t.masked | t.ending) -> return EVERYTHING & ~t.masked",
        "word: return EVERYTHING & ~(t.masked | t.ending) -> return EVERYTHING & ~(t.masked | t.masked)",
        "word: return EVERYTHING & ~(t.masked | t.ending) -> return EVERYTHING & ~(t.masked | t.left)",
        "word: return EVERYTHING & ~(t.masked | t.ending) -> return EVERYTHING & ~(t.masked | t.deferred)",
    ), policies=UNENDED),
    Equivalents("Where nothing terminates a thread and no stack grows, both words are 0.", "words.py", "deliverable", (
        "word: return EVERYTHING & ~(t.masked | t.ending) -> return EVERYTHING & ~(t.masked | t.extra)",
    ), policies=(UNENDED & UNGROWN) - UNMASKED),
    Equivalents("Where nothing terminates a thread, `ending` is 0; `masked` is cleared, too, and where the thread ends all else is without a meaning.", "optional.py", "exit_thread", (
        "delete: t.ending = 0 -> ",
        "word: t.ending = 0 -> t.end = 0",
        "word: t.ending = 0 -> t.masked = 0",
        "word: t.ending = 0 -> t.left = 0",
        "word: t.ending = 0 -> t.deferred = 0",
    ), policies=UNENDED - UNBORN),
    Equivalents("Where nothing terminates a thread and no stack grows, both words are 0.", "optional.py", "exit_thread", (
        "word: t.ending = 0 -> t.extra = 0",
    ), policies=(UNENDED & UNGROWN) - UNBORN),
    Equivalents(NOT_KEPT, "owner.py", "take_pending", (
        "delete: bits = bits & deliverable(t) -> ",
        "operand: bits = bits & deliverable(t) -> bits = bits",
    ), policies=UNMASKED & UNENDED),
    Equivalents("Where no stack grows and no back-edge is counted, both words are 0.", "words.py", "real_limit", (
        "word: return t.limit.real + t.extra -> return t.limit.real + t.left",
    ), policies=UNGROWN),
    Equivalents("Where no stack grows and nothing is kept for later, both words are 0.", "words.py", "real_limit", (
        "word: return t.limit.real + t.extra -> return t.limit.real + t.masked",
    ), policies=UNGROWN & UNMASKED),
    Equivalents("Where no stack grows and nothing terminates a thread, both words are 0.", "words.py", "real_limit", (
        "word: return t.limit.real + t.extra -> return t.limit.real + t.ending",
    ), policies=UNGROWN & UNENDED),
    Equivalents("A thread that is outside comes back by itself, where none sleeps or stops the others, and runs the operation at a check; and `run_for` looks again after the claim.", "requester.py", "finish_handshake", (
        "word: outside = t.state.load() -> outside = t.pending.load()",
    ), policies=SLEEPLESS & UNCOLLECTED),
    Equivalents("A native region comes to its end: where no thread sleeps or stops the others, a stop that waits for it comes late, and it comes.", "owner.py", "leave", (
        "delete: t.state.store(NATIVE) -> ",
    ), policies=UNCOLLECTED),
)  # fmt: skip
