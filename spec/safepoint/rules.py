"""The register of rules: what an implementation must do, and why anybody knows.

The protocol's text, the mutants in it, the tests and the interpreter cite these ids; an id that is not here is an error.
`source` says where the idea was learnt; nothing is quoted.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Rule:
    """`text`: one normative sentence.  `without`: what breaks.  `checks`: the properties that hold a model to it."""

    id: str
    title: str
    text: str
    without: str
    source: str
    checks: tuple[str, ...]


RULES: dict[str, Rule] = {
    r.id: r
    for r in (
        Rule(
            "POST-BEFORE-POISON",
            "say why before you make a check fail",
            "A requester MUST set the pending bit before it poisons the first trigger word.",
            "The target may fail a check, find nothing pending, restore its words and run on; the bit comes too late.",
            "Skybison commit 4d9f4423 (order tidied in 19339765): poison came first, and an interrupt became a RecursionError",
            ("pending-is-poisoned", "declared-bound"),
        ),
        Rule(
            "POISON-EVERY-WORD",
            "one word for each way to run for ever",
            "A requester MUST poison every trigger word of the target, not only the one it expects to be read next.",
            "A thread that only loops never reads the stack limit: Skybison's signals wait for the next call.",
            "Skybison and Go before 1.14 check only at calls (golang/go#10958); wasmtime checks both, for a bound to exist",
            ("pending-is-poisoned", "awaited-is-poisoned", "declared-bound"),
        ),
        Rule(
            "RESTORE-BEFORE-TAKE",
            "restore all words, then take",
            "The owner MUST restore every trigger word before it takes the pending bits.",
            "A post between the take and the restore is unpoisoned by its own target: pending, and never seen.",
            "OCaml 5 caml_reset_young_limit, HotSpot update_poll_values; Skybison Thread::clearInterrupt has it the other way round",
            ("pending-is-poisoned", "awaited-is-poisoned", "declared-bound"),
        ),
        Rule(
            "TAKE-IS-LOCKED",
            "take in one locked operation",
            "The owner MUST take pending bits with one atomic read-modify-write.",
            "A bit that is set between a load and a store is overwritten: posted, and in nobody's hands.",
            "PyPy's ticker (the owner's decrement overwrites a requester's -1); CPython's COMPUTE_EVAL_BREAKER, gh-109369",
            ("owed-is-pending",),
        ),
        Rule(
            "TAKEN-IS-SERVED",
            "whatever else is found, what was taken is served",
            "The owner MUST answer every bit it took, also when the check failed for a real overflow as well.",
            "A thread deep in recursion raises RecursionError, and the interrupt that came with it is lost.",
            "V8, Dart and Skybison test the real limit first and leave bits and poison alone; Go and OCaml serve, then retry",
            ("owed-is-pending",),
        ),
        Rule(
            "REAL-LIMIT-DECIDES",
            "a failed push is tried again, against the real limit",
            "A push whose check failed MUST, after the requests are served, be decided by the real limit and by it alone.",
            "A request at a push aborts it: a stop of the world becomes a RecursionError.",
            "Skybison before commit 19339765: each interrupt made the push fail",
            ("no-fake-overflow", "no-missed-overflow"),
        ),
        Rule(
            "SPURIOUS-IS-NOTHING",
            "a slow path that finds nothing does nothing",
            "An owner that finds neither a request nor a real overflow MUST go on as if the check had passed.",
            "Words poisoned twice, or late, leave a failing check with nothing behind it; taken for a full stack, it kills the guest.",
            "Skybison commit 4d9f4423: no overflow and no request was taken for an overflow; SpiderMonkey accepts spurious entries",
            ("no-fake-overflow",),
        ),
        Rule(
            "STOP-BEFORE-POST",
            "the word is set before anybody is told",
            "A coordinator MUST set the stop word before it posts STOP to the first thread.",
            "A thread takes the STOP, finds the world not stopped, and runs on; its coordinator waits for ever.",
            "the request store, then the barrier, then the threads' states: HotSpot, .NET, OCaml; here the word is the truth, the bit a hint",
            ("awaited-is-poisoned", "world-stopped"),
        ),
        Rule(
            "STOP-PARKS",
            "a stop that is served is a stop",
            "A thread that takes STOP MUST leave the managed state until the stop word is clear.",
            "The coordinator waits for a thread that has already answered and will not answer again.",
            "golang/go#34736, #38404: a stop request consumed where it did not stop",
            ("awaited-is-poisoned", "no-deadlock"),
        ),
        Rule(
            "REENTER-LOOKS-AGAIN",
            "look again after saying that you are back",
            "A thread that returns to guest code MUST read the stop word after it has published that it is managed.",
            "A stop that saw the thread outside guest code does not wait for it, and it walks in.",
            "the transitions of HotSpot, OCaml, .NET and Julia; Julia PR 62636 emitted no poll on the way back",
            ("world-stopped",),
        ),
    )
}
