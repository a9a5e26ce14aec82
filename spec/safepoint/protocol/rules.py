"""The register of rules: what an implementation must do, and how that is known.

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
            "POST-BEFORE-POISON", "say why before you make a check fail",
            "A requester MUST set the pending bit before it poisons the first trigger word.",
            "The target may fail a check, find nothing pending, restore its words and run on; the bit comes too late.",
            "Skybison commit 4d9f4423 (order tidied in 19339765): poison came first, and an interrupt became a RecursionError",
            ("pending-is-poisoned", "declared-bound"),
        ),
        Rule(
            "POST-IS-LOCKED", "post with one locked operation",
            "A requester MUST set its bit with an atomic read-modify-write.",
            "Two requesters at once: the second store erases the first one's bit.",
            "kyo PR 1628 (a flag in a word that another thread updates); LuaJIT commit b30a789a (the hook mask)",
            ("owed-is-pending",),
        ),
        Rule(
            "POST-WAKES", "a requester that posts also wakes",
            "A requester MUST wake a target that sleeps, after it has posted.",
            "Poison does nothing to a thread that executes no check: Control-C waits until the sleep ends by itself.",
            "YARV's unblocking function, CPython's time.sleep; pypy/pypy#3253",
            ("sleeper-is-woken",),
        ),
        Rule(
            "POISON-EVERY-WORD", "one word for each way to run for ever",
            "A requester MUST poison every trigger word of the target, not only the one it expects to be read next.",
            "A thread that only loops never reads the stack limit: Skybison's signals wait for the next call.",
            "Skybison and Go before 1.14 check only at calls (golang/go#10958); wasmtime checks both, for a bound to exist",
            ("pending-is-poisoned", "awaited-is-poisoned", "declared-bound"),
        ),
        Rule(
            "ONE-COORDINATOR", "one stop of the world at a time",
            "A coordinator MUST hold the world's lock from before its stop is published until after it has ended.",
            "Two stops overlap: the first to end starts the threads that the second believes stopped.",
            "mmtk-openjdk#108; CPython gh-137433 (PR 137735)",
            ("world-stopped",),
        ),
        Rule(
            "STOP-BEFORE-POST", "set the stop word before the first post",
            "A coordinator MUST set the stop word before it posts STOP to the first thread.",
            "A thread takes the STOP, finds the world not stopped, and runs on; its coordinator waits for ever.",
            "the request store, then the barrier, then the threads' states: HotSpot, .NET, OCaml; here the word is the truth, the bit a hint",
            ("awaited-is-poisoned", "world-stopped"),
        ),
        Rule(
            "STOP-AWAITS-ALL", "stopped is what all have said",
            "A coordinator MUST have seen every thread outside guest code, after its post, before it relies on the stop.",
            "The collector runs beside a thread that has not noticed yet.",
            "every stop-the-world VM; JDK-8340547 for how long it may take",
            ("world-stopped",),
        ),
        Rule(
            "START-BEFORE-UNLOCK", "end your stop before you let the next one begin",
            "A coordinator MUST clear the stop word before it releases the world's lock.",
            "The next coordinator's stop is cleared by the last one's end.",
            "Julia #62627 (PR 62643), CPython gh-137433: the hand-over between two stops",
            ("world-stopped",),
        ),
        Rule(
            "OWNER-RESTORES",
            "anyone may poison, only the owner restores",
            "The owner MUST make every trigger word real again on each way through the slow path, and no other thread may.",
            "One request, and every check of the thread fails for ever: all of its code runs through the slow path.",
            "CPython bpo-40010 (a trigger that nothing there could clear); HotSpot: anyone may arm, only the owner disarms",
            ("checks-pass", "pending-was-posted"),
        ),
        Rule(
            "STOP-ENDS",
            "a stop ends",
            "A coordinator MUST clear the stop word when it has done what it stopped the world for.",
            "Every thread parks, and stays parked.",
            "the watchdogs that were never disarmed, or by the wrong party: Bun PR 38346, nodejs/node#3020",
            ("thread-runs", "world-starts"),
        ),
        Rule(
            "RESTORE-BEFORE-TAKE", "restore all words, then take",
            "The owner MUST restore every trigger word before it takes the pending bits.",
            "A post between the take and the restore is unpoisoned by its own target: pending, and never seen.",
            "OCaml 5 caml_reset_young_limit, HotSpot update_poll_values; Skybison Thread::clearInterrupt has it the other way round",
            ("pending-is-poisoned", "awaited-is-poisoned", "declared-bound"),
        ),
        Rule(
            "TAKE-IS-LOCKED", "take in one locked operation",
            "The owner MUST take pending bits with one atomic read-modify-write.",
            "A bit that is set between a load and a store is overwritten: posted, neither pending nor held by the owner.",
            "PyPy's ticker (the owner's decrement overwrites a requester's -1); CPython's COMPUTE_EVAL_BREAKER, gh-109369",
            ("owed-is-pending",),
        ),
        Rule(
            "TAKE-IS-A-BARRIER", "no look at the bits may pass the restore",
            "The restore of the trigger words MUST be visible to others before the pending bits are read, also when there are none.",
            "The restoring store waits in the store buffer, the bits are read as 0, a post comes, and the late store unpoisons it.",
            "OCaml 5 caml_reset_young_limit, whose comment says why a plain atomic store is not enough",
            ("pending-is-poisoned", "awaited-is-poisoned"),
        ),
        Rule(
            "TAKEN-IS-SERVED", "whatever else is found, what was taken is served",
            "The owner MUST answer every bit it took, or put it back, also when the check failed for a real overflow as well.",
            "A thread deep in recursion raises RecursionError, and the interrupt that came with it is lost.",
            "V8, Dart and Skybison test the real limit first and leave bits and poison alone; Go and OCaml serve, then retry",
            ("taken-is-served", "raises-what-is-due"),
        ),
        Rule(
            "GIVEN-BACK-IS-POISONED", "put back the bit and the poison",
            "An owner that puts a taken bit back MUST poison its own trigger words after that.",
            "The request waits for an unrelated one: pending, with every word real.",
            "Skybison handlePendingSignals has only the first half; CPython's signals and OCaml's action_pending have both",
            ("pending-is-poisoned",),
        ),
        Rule(
            "EXPIRED-IS-SEEN", "a counter that expires enters the slow path",
            "An owner that counts checks down MUST enter the slow path when the counter expires, and refill it only there.",
            "A poison that the owner's own store has overwritten is never healed: the request is never seen.",
            "PyPy's action flag: the ticker is refilled where the actions run, and nowhere else",
            ("request-is-seen", "declared-bound"),
        ),
        Rule(
            "REAL-LIMIT-DECIDES", "a failed push is tried again, against the real limit",
            "A push whose check failed MUST, after the requests are served, be decided by the real limit and by it alone.",
            "A request at a push aborts it: a stop of the world becomes a RecursionError.",
            "Skybison before commit 19339765: each interrupt made the push fail",
            ("no-fake-overflow", "no-missed-overflow"),
        ),
        Rule(
            "SPURIOUS-IS-NOTHING", "a slow path that finds nothing does nothing",
            "An owner that finds neither a request nor a real overflow MUST go on as if the check had passed.",
            "Words poisoned twice, or late, leave a failing check with nothing behind it; taken for a full stack, it kills the guest.",
            "Skybison commit 4d9f4423: no overflow and no request was taken for an overflow",
            ("no-fake-overflow",),
        ),
        Rule(
            "STOP-PARKS", "a stop that is served is a stop",
            "A thread that takes STOP MUST leave the managed state until the stop word is clear.",
            "The coordinator waits for a thread that has already answered and will not answer again.",
            "golang/go#34736, #38404: a stop request consumed where it did not stop",
            ("awaited-is-poisoned", "no-deadlock"),
        ),
        Rule(
            "REENTER-LOOKS-AGAIN", "re-read `stop` after publishing MANAGED",
            "A thread that returns to guest code, also from a park, MUST read the stop word after it has published that it is managed.",
            "A stop that saw the thread outside guest code does not wait for it, and it walks in.",
            "Julia PR 62636 (no poll on the way back from native), #62627 (PR 62643: none on the way out of a park)",
            ("world-stopped",),
        ),
        Rule(
            "REENTER-IS-A-BARRIER", "the re-read must not be reordered before the publication",
            "The store that says managed MUST be visible to others before the stop word is read.",
            "Both sides read before they see the other's store: the stop does not wait, and the thread does not park.",
            "the StoreLoad that HotSpot, OCaml, .NET (PR 42281) and Julia each carry there, as a fence or as a process-wide barrier",
            ("world-stopped",),
        ),
        Rule(
            "MASKED-STAYS", "a masked request stays pending",
            "The owner MUST leave bits that it may not deliver yet in the pending word.",
            "An interrupt in a critical section is taken, not delivered, and forgotten.",
            "V8's postpone scopes, OCaml and YARV mask with pending & ~mask; ocaml#12253",
            ("owed-is-pending", "mask-holds"),
        ),
        Rule(
            "UNMASK-LOOKS", "the end of a mask is a check site",
            "A thread that unmasks a kind MUST look at the pending bits after that, and serve what has become deliverable.",
            "The poison was spent while the mask was on: nothing makes the next check fail.",
            "V8 scopes, Go releasem, OCaml after_c_call: level-triggered at the unmask, never edge-triggered",
            ("pending-is-poisoned",),
        ),
        Rule(
            "TERMINATE-ONCE", "one termination at a time",
            "A thread that unwinds after TERMINATE MUST keep a further TERMINATE pending until it has unwound.",
            "The second one interrupts the clean-up of the first, at any place in it.",
            "V8 takes TERMINATE alone and leaves the rest pending; denoland/deno#15012, nodejs/node#3020, Bun PR 38660: terminations lost between two unwindings",
            ("terminate-once",),
        ),
        Rule(
            "HANDSHAKE-ONCE", "claim the operation before you run it",
            "A thread that runs a handshake's operation MUST first have claimed it with one atomic operation that can succeed once.",
            "The target and the requester both run it; or the target runs one that has been run already.",
            "HotSpot (JEP 312): an operation is run by its target, or by the requester while the target is safe; JDK-8266963 (PR 4028) entered one twice",
            ("served-once",),
        ),
        Rule(
            "CLAIM-LOOKS-AGAIN", "look where the target is after you have claimed",
            "A requester that has claimed an operation MUST see the target outside guest code after the claim, or give the claim back.",
            "The target has come back between the look and the claim, and runs guest code beside the operation.",
            "the handshake on return of HotSpot's native transitions",
            ("handshake-alone",),
        ),
        Rule(
            "BACK-OFF-POSTS-AGAIN", "a claim that is given back is posted again",
            "A requester that gives a claim back MUST post again after that.",
            "The target took the bit while the operation was claimed, found nothing to do, and is never asked again.",
            "found by this project's explorer in its own text; Go's retry of a failed preemption is the same shape",
            ("owed-is-pending",),
        ),
        Rule(
            "HANDSHAKE-IS-ALONE", "wait for an operation that is being run for you",
            "A thread that returns to guest code MUST wait until no operation is being run for it.",
            "Guest code and the operation change the same thread's state at once.",
            "HotSpot and JDK-8340547's discussion of blocking on the way back; CPython's detached thread states",
            ("handshake-alone",),
        ),
        Rule(
            "BLOCK-LOOKS-AGAIN", "publish that you are about to sleep, look again, sleep",
            "A thread that is about to sleep MUST look at the pending bits after it has made itself wakeable.",
            "A post between the look and the sleep wakes no thread.",
            "YARV's ubf, OCaml's enter_blocking_section, V8's NotifyWake; ruby PR 17553",
            ("sleeper-is-woken",),
        ),
        Rule(
            "BLOCK-IS-A-BARRIER", "the look must not pass the publishing",
            "What makes the thread wakeable MUST be visible to others before the pending bits are read.",
            "The store waits in the store buffer, the bits are read as 0; post and wake come, and the late store undoes the wake.",
            "the same StoreLoad as on the way back to guest code; OCaml PR 14303 for a wake lost between test and wait",
            ("sleeper-is-woken",),
        ),
        Rule(
            "LIMIT-KEEPS-POISON", "a new limit must not unpoison",
            "A thread that changes its real limit MUST change the visible one only if it is not poisoned, in one atomic operation.",
            "Growing the stack erases a request.",
            "V8 StackGuard::SetStackLimit and Dart Thread::SetStackLimit; Dart #46596",
            ("pending-is-poisoned",),
        ),
        Rule(
            "COORDINATOR-IS-OUTSIDE", "a coordinator is itself stopped",
            "A guest thread that stops the world MUST be outside guest code from before it waits for its turn until after its stop has ended.",
            "It waits for itself; or two of them wait for each other.",
            "CPython gh-137433, mmtk-openjdk#108: the loser of two coordinators must park",
            ("no-deadlock",),
        ),
        Rule(
            "BIRTH-IS-CLEAN", "a thread inherits no request",
            "A thread that begins MUST drop what was pending for the thread whose place it takes.",
            "It runs with a request that was not posted to it, and with no check that would see it.",
            "CPython's thread states and their eval_breaker; oxcaml#6192: a slot that was used again",
            ("pending-is-poisoned",),
        ),
        Rule(
            "BIRTH-OWES-HANDSHAKE", "an operation outlives the thread it was asked of",
            "A new thread that clears a HANDSHAKE bit inherited with its record MUST serve that operation: its requester is still waiting.",
            "The bit is gone, no check fails, and the requester waits until the new thread happens to leave guest code.",
            "HotSpot's handshakes (JEP 312): the operation belongs to its requester; the target may run it or leave it to be run",
            ("owed-is-pending",),
        ),
        Rule(
            "BIRTH-REENTERS", "a thread begins as if it came back",
            "A thread that begins MUST enter guest code as one that returns from native code does.",
            "Born while the world is being stopped, it runs in the stopped world.",
            "HotSpot, Julia and OCaml start threads parked under the same lock; golang/go#38931, Ruby Bug 13688",
            ("world-stopped", "awaited-is-poisoned"),
        ),
    )
}  # fmt: skip
