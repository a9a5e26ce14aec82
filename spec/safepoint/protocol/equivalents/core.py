"""Mutations of words, requester, owner and sites."""

from __future__ import annotations

from safepoint.protocol.equivalents.entry import DEFERRING, POISONING, SLEEPLESS, UNBORN, UNFAIR, UNGROWN, Equivalents

CORE: tuple[Equivalents, ...] = (
    Equivalents("Where no stack grows and no request is deferred, both words are 0.", "words.py", "real_limit", (
        "word: return t.limit.real + t.extra -> return t.limit.real + t.deferred",
    ), policies=UNGROWN - DEFERRING),
    Equivalents("Where no thread sleeps, none waits to be woken.", "requester.py", "post", (
        "delete: awaken(t) -> ",
    ), policies=SLEEPLESS),
    Equivalents("Where no thread sleeps, none waits to be woken.", "requester.py", "awaken", (
        "delete: t.wake.publish(1) -> ",
        "constant: t.wake.publish(1) -> t.wake.publish(0)",
        "word: t.wake.publish(1) -> t.holders.publish(1)",
        "word: t.wake.publish(1) -> t.life.publish(1)",
        "word: t.wake.publish(1) -> t.parked.publish(1)",
    ), policies=SLEEPLESS),
    Equivalents("Where no thread sleeps, the word stays set from the first post on; and `run_for` looks again after the claim.", "requester.py", "finish_handshake", (
        "word: outside = t.state.load() -> outside = t.wake.load()",
    ), policies=SLEEPLESS),
    Equivalents("A slow path that finds nothing does nothing: it only takes longer.", "owner.py", "look_pending", (
        "arithmetic: return bits & deliverable(t) -> return bits | deliverable(t)",
        "operand: return bits & deliverable(t) -> return bits",
        "operand: return bits & deliverable(t) -> return deliverable(t)",
    ), policies=SLEEPLESS),
    Equivalents("Where no stack grows, `extra` is 0.", "words.py", "real_limit", (
        "operand: return t.limit.real + t.extra -> return t.limit.real",
        "arithmetic: return t.limit.real + t.extra -> return t.limit.real - t.extra",
    ), policies=UNGROWN),
    Equivalents("Threads that return with a barrier need no fence, and take no harm from one.", "requester.py", "stop_world", (
        "negate: if slice_on('membarrier'): -> if slice_on('membarrier') == 0:",
    ), policies=UNFAIR),
    Equivalents("Threads that return with a barrier need no fence, and take no harm from one.", "requester.py", "run_for", (
        "negate: if slice_on('membarrier'): -> if slice_on('membarrier') == 0:",
    ), policies=UNFAIR),
    Equivalents("Where operations may be run while the world is stopped, to wait for one before, or to run it after, is right, too.", "requester.py", "stop_world", (
        "always: if slice_on('exclusive'): -> await_operations()",
        "negate: if slice_on('exclusive'): -> if slice_on('exclusive') == 0:",
    ), policies=UNFAIR),
    Equivalents("Where operations may be run while the world is stopped, to run one after the stop is right, too.", "requester.py", "run_for", (
        "negate: if slice_on('exclusive'): -> if slice_on('exclusive') == 0:",
    ), policies=UNFAIR),
    Equivalents("Where stops are not fair, no stop holds a thread by its own word: there is nothing to wait for.", "requester.py", "request_stop", (
        "negate: if slice_on('fairness'): -> if slice_on('fairness') == 0:",
    ), policies=UNFAIR),
    Equivalents("Where stops are not fair, no thread reads the word.", "owner.py", "park", (
        "negate: if slice_on('fairness'): -> if slice_on('fairness') == 0:",
    ), policies=UNFAIR),
    Equivalents("Where stops are not fair, no thread reads the word.", "owner.py", "reenter", (
        "negate: if slice_on('fairness'): -> if slice_on('fairness') == 0:",
    ), policies=UNFAIR),
    Equivalents("`run_for` looks again after the claim, and that look decides: where no thread ends, this one lets all pass.", "requester.py", "finish_handshake", (
        "constant: if outside != MANAGED: -> if outside != ENDED:",
    ), policies=UNBORN),
    Equivalents("Only an operation that leaves guest code comes back to where its thread waits for one that a requester runs.", "owner.py", "own_handshake", (
        "constant: mine = t.operation.cas(ASKED, OWN) -> mine = t.operation.cas(ASKED, RUNNING)",
    ), policies=UNFAIR),
    Equivalents("Only kinds of request are ever pending.", "words.py", "deliverable", (
        "operand: return EVERYTHING & ~(t.masked | t.ending) -> return ~(t.masked | t.ending)",
    )),
    Equivalents("The bit is pending before either; a thread that wakes before it is poisoned is poisoned when the post ends.", "requester.py", "post", (
        "swap: poison(t); awaken(t) -> awaken(t); poison(t)",
    )),
    Equivalents("The stop word is 1 for as long as the lock is held: it would be as good a lock.", "requester.py", "request_stop", (
        "word: wait(world.lock.cas(0, 1)) -> wait(world.stop.cas(0, 1))",
    ), policies=UNFAIR),
    Equivalents("Where stops are not fair, no stop holds a thread by its own word: there is nothing to wait for.", "requester.py", "request_stop", (
        "always: if slice_on('fairness'): -> await_held()",
    )),
    Equivalents("The two conditions exclude each other.", "requester.py", "finish_handshake", (
        "swap: if now == NOTHING:; if now == ASKED: -> if now == ASKED:; if now == NOTHING:",
    )),
    Equivalents("The claim is a compare-and-swap: it fails unless the operation is still asked for.", "requester.py", "finish_handshake", (
        "always: if now == ASKED: -> outside = t.state.load(); if outside != MANAGED:",
    )),
    Equivalents("`run_for` looks again after the claim, and that look decides: this one spares a claim that is given back.", "requester.py", "finish_handshake", (
        "always: if outside != MANAGED: -> claimed = t.operation.cas(ASKED, RUNNING); if claimed:",
        "name: if outside != MANAGED: -> if now != MANAGED:",
        "word: outside = t.state.load() -> outside = t.operation.load()",
    )),
    Equivalents("A parked thread comes back when the world starts, and looks.", "requester.py", "finish_handshake", (
        "constant: if outside != MANAGED: -> if outside != PARKED:",
    )),
    Equivalents("The lock is held whenever the stop word is 1; at other times the claim is given back, and made again once the lock is free.", "requester.py", "run_for", (
        "word: stopped = world.stop.look() -> stopped = world.lock.look()",
    )),
    Equivalents("The access stands for the operation, whatever that looks at.", "requester.py", "operate", (
        "word: t.operation.load() -> t.pending.load()",
        "word: t.operation.load() -> t.state.load()",
        "word: t.operation.load() -> t.wake.load()",
        "word: t.operation.load() -> t.holders.load()",
        "word: t.operation.load() -> t.life.load()",
        "word: t.operation.load() -> t.parked.load()",
    )),
    Equivalents("Where operations may be run while the world is stopped, to run one after the stop is right, too.", "requester.py", "run_for", (
        "always: if slice_on('exclusive'): -> stopped = world.stop.look(); if stopped == 1:",
    )),
    Equivalents("A stop and an operation that are taken together may be served in either order.", "owner.py", "serve", (
        "swap: if bits & STOP:; if bits & HANDSHAKE: -> if bits & HANDSHAKE:; if bits & STOP:",
    )),
    Equivalents("`own_handshake` claims the operation by a compare-and-swap, and does nothing where none is asked for.", "owner.py", "serve", (
        "always: if bits & HANDSHAKE: -> own_handshake(t)",
        "arithmetic: if bits & HANDSHAKE: -> if bits | HANDSHAKE:",
        "operand: if bits & HANDSHAKE: -> if bits:",
        "operand: if bits & HANDSHAKE: -> if HANDSHAKE:",
        "constant: if bits & HANDSHAKE: -> if bits & EVERYTHING:",
    )),
    Equivalents("Only the owner reads what is deferred until it has unwound, and not between the two.", "owner.py", "serve", (
        "swap: t.ending = TERMINATE; if bits & INTERRUPT: -> if bits & INTERRUPT:; t.ending = TERMINATE",
    )),
    Equivalents("The owner makes no check between the two, and no other thread restores what it has poisoned.", "owner.py", "give_back", (
        "swap: add(t, bits); poison(t) -> poison(t); add(t, bits)",
    ), policies=POISONING),
    Equivalents("Others ask only whether the thread is MANAGED.", "owner.py", "park", (
        "constant: t.state.store(PARKED) -> t.state.store(NATIVE)",
        "constant: t.state.store(PARKED) -> t.state.store(ENDED)",
    )),
    Equivalents("Others ask only whether the thread is MANAGED.", "owner.py", "leave", (
        "constant: t.state.store(NATIVE) -> t.state.store(PARKED)",
        "constant: t.state.store(NATIVE) -> t.state.store(ENDED)",
    )),
    Equivalents("`reenter` looks at the stop word and parks again: the thread spins in place of waiting.", "owner.py", "park", (
        "delete: wait(world.stop.load() == 0) -> ",
        "wait: wait(world.stop.load() == 0) -> world.stop.load()",
        "swap: wait(world.stop.load() == 0); return reenter(t) -> return reenter(t); wait(world.stop.load() == 0)",
    )),
    Equivalents("What an operation may do, it need not do, and it may do it before or after the rest.", "owner.py", "own_handshake", (
        "delete: if slice_on('leaving'): -> ",
        "swap: if slice_on('leaving'):; operate(t) -> operate(t); if slice_on('leaving'):",
        "delete: leave(t) -> ",
    )),
    Equivalents("Where requesters make every thread's stores visible, a barrier of its own takes no harm from that.", "owner.py", "reenter", (
        "never: if slice_on('membarrier'): -> t.state.swap(MANAGED)",
    )),
    Equivalents("Where stops are not fair, no thread reads the word.", "owner.py", "park", (
        "always: if slice_on('fairness'): -> t.parked.store(1)",
    )),
    Equivalents("Where stops are not fair, no thread reads the word.", "owner.py", "reenter", (
        "always: if slice_on('fairness'): -> t.parked.store(0)",
    )),
    Equivalents("The lock is held whenever the stop word is 1, and released right after it is cleared.", "owner.py", "park", (
        "word: wait(world.stop.load() == 0) -> wait(world.lock.load() == 0)",
    ), policies=UNFAIR),
    Equivalents("The lock is held whenever the stop word is 1; at other times `park` does not wait.", "owner.py", "reenter", (
        "word: stopped = world.stop.look() -> stopped = world.lock.look()",
    ), policies=UNFAIR),
    Equivalents("Both come before guest code, and an operation that is being run ends by itself: it waits for no stop.", "owner.py", "reenter", (
        "swap: if slice_on('fairness'):; wait(t.operation.look() != RUNNING) -> wait(t.operation.look() != RUNNING); if slice_on('fairness'):",
    )),
    Equivalents("Threads that return with a barrier need no fence, and take no harm from one.", "requester.py", "stop_world", (
        "always: if slice_on('membarrier'): -> fence_stop()",
    )),
    Equivalents("A requester that claims an operation after the stop was published gives its claim back: earlier ones may be awaited at any time.", "requester.py", "stop_world", (
        "swap: for t in threads():; if slice_on('exclusive'): -> if slice_on('exclusive'):; for t in threads():",
    )),
    Equivalents("Threads that return with a barrier need no fence, and take no harm from one.", "requester.py", "run_for", (
        "always: if slice_on('membarrier'): -> fence_claim()",
    )),
    Equivalents("Either condition makes the requester give its claim back, and nothing is done between the two.", "requester.py", "run_for", (
        "swap: if state == MANAGED:; if slice_on('exclusive'): -> if slice_on('exclusive'):; if state == MANAGED:",
    ), policies=("folded",)),
)  # fmt: skip
