"""Mutations of the triggers, and of what not every VM has."""

from __future__ import annotations

from safepoint.protocol.equivalents.entry import (
    DEFERRING,
    EVERY,
    FLAGS,
    UNASKED,
    UNBORN,
    UNFAIR,
    UNGROWN,
    UNPUSHED,
    UNRECORDED,
    Equivalents,
    of_trigger,
)

FLAG_LOOKS = "No poison was spent on a masked request: each check looks at the flag with the mask, so the next one sees what the mask held back."

FURTHER: tuple[Equivalents, ...] = (
    Equivalents("Where no stack grows, `extra` is 0.", "optional.py", "exit_thread", (
        "word: t.deferred = 0 -> t.extra = 0",
    ), policies=UNGROWN - UNBORN - DEFERRING),
    Equivalents(FLAG_LOOKS, "optional.py", "unmask", (
        "return-0: return look_again(t) -> return 0",
    ), policies=FLAGS),
    Equivalents(FLAG_LOOKS, "optional.py", "unwound", (
        "return-0: return look_again(t) -> return 0",
    ), policies=FLAGS),
    Equivalents(FLAG_LOOKS, "optional.py", "look_again", (
        "drop-result: bits = look(t) -> look(t); bits = 0",
        "delete: if bits != 0: -> ",
        "negate: if bits != 0: -> if bits == 0:",
        "swap: if bits != 0:; return GO -> return GO; if bits != 0:",
        "delete: return slow_path(t) -> ",
        "return-0: return slow_path(t) -> return 0",
    ), policies=FLAGS),
    Equivalents("A slow path that finds nothing does nothing: it only takes longer.", "ticker.py", "frame_push", (
        "always: if left == t.ticker.poison: -> return push_failed(t, end)",
    )),
    Equivalents("A slow path that finds nothing does nothing: it only takes longer.", "ticker.py", "back_edge", (
        "always: if left == t.ticker.poison: -> return slow_path(t)",
    )),
    Equivalents("`own_handshake` claims the operation by a compare-and-swap, and does nothing where none is asked for.", "optional.py", "start_thread", (
        "always: if bits & HANDSHAKE: -> own_handshake(t)",
        "arithmetic: if bits & HANDSHAKE: -> if bits | HANDSHAKE:",
        "operand: if bits & HANDSHAKE: -> if bits:",
        "operand: if bits & HANDSHAKE: -> if HANDSHAKE:",
        "constant: if bits & HANDSHAKE: -> if bits & EVERYTHING:",
        "always: if bits & HANDSHAKE: #2 -> own_handshake(t)",
        "arithmetic: if bits & HANDSHAKE: #2 -> if bits | HANDSHAKE:",
        "operand: if bits & HANDSHAKE: #2 -> if bits:",
        "operand: if bits & HANDSHAKE: #2 -> if HANDSHAKE:",
        "constant: if bits & HANDSHAKE: #2 -> if bits & EVERYTHING:",
    )),
    Equivalents("Where an operation may run beside a stop, it may run before or after the newborn has entered guest code.", "optional.py", "start_thread", (
        "always: if slice_on('exclusive'): -> reenter(t); if bits & HANDSHAKE:; return None",
    )),
    Equivalents("Where an operation may run beside a stop, it may run before or after the newborn has entered guest code.", "optional.py", "start_thread", (
        "negate: if slice_on('exclusive'): -> if slice_on('exclusive') == 0:",
    ), policies=UNFAIR - UNBORN),
    Equivalents("Others ask only whether the thread is MANAGED.", "optional.py", "exit_thread", (
        "constant: t.state.store(ENDED) -> t.state.store(NATIVE)",
        "constant: t.state.store(ENDED) -> t.state.store(PARKED)",
    ), policies=UNRECORDED - UNBORN),
    Equivalents("A slow path that finds nothing does nothing: it only takes longer.", "limit_and_table.py", "frame_push", (
        "always: if end > t.limit.load(): -> return push_failed(t, end)",
        "relation: if end > t.limit.load(): -> if end >= t.limit.load():",
    )),
    Equivalents("A slow path that finds nothing does nothing: it only takes longer.", "limit_and_table.py", "back_edge", (
        "always: if word.load() == word.poison: -> return slow_path(t)",
    )),
    Equivalents("A slow path that finds nothing does nothing: it only takes longer.", "limit.py", "frame_push", (
        "always: if end > t.limit.load(): -> return push_failed(t, end)",
        "relation: if end > t.limit.load(): -> if end >= t.limit.load():",
    )),
    Equivalents("A slow path that finds nothing does nothing: it only takes longer.", "limit.py", "back_edge", (
        "always: if t.limit.load() == t.limit.poison: -> return slow_path(t)",
    )),
    Equivalents("A loop that looks too is asked sooner than the policy promises, which is never.", "limit.py", "back_edge", (
        "always: if checks_at('back-edge'): -> if t.limit.load() == t.limit.poison:",
        "negate: if checks_at('back-edge'): -> if checks_at('back-edge') == 0:",
    ), policies=UNASKED & of_trigger("limit")),
    Equivalents("A loop that looks too is asked sooner than the policy promises, which is never.", "heap_limit.py", "back_edge", (
        "always: if checks_at('back-edge'): -> if t.heap_limit.load() == t.heap_limit.poison:",
        "negate: if checks_at('back-edge'): -> if checks_at('back-edge') == 0:",
    ), policies=UNASKED & of_trigger("heap_limit")),
    Equivalents("A slow path that finds nothing does nothing: it only takes longer.", "limit_and_budget.py", "frame_push", (
        "always: if end > t.limit.load(): -> return push_failed(t, end)",
        "relation: if end > t.limit.load(): -> if end >= t.limit.load():",
    )),
    Equivalents("A slow path that finds nothing does nothing: it only takes longer.", "limit_and_budget.py", "back_edge", (
        "always: if t.limit.load() == t.limit.poison: -> return slow_path(t)",
    )),
    Equivalents("Each back-edge looks at the limit: sooner than the budget asks for, so within the bound.", "limit_and_budget.py", "back_edge", (
        "delete: if t.left > 0: -> ",
        "word: if t.left > 0: -> if t.deferred > 0:",
        "constant: if t.left > 0: -> if t.left > 1:",
        "delete: return GO -> ",
        "delete: t.left = t.budget.real - 1 -> ",
        "word: t.left = t.budget.real - 1 -> t.deferred = t.budget.real - 1",
    )),
    Equivalents("Each back-edge looks at the limit; and `end` is where a push would have put it, with the budget that is explored.", "limit_and_budget.py", "back_edge", (
        "word: t.left = t.budget.real - 1 -> t.end = t.budget.real - 1",
    )),
    Equivalents("The budget that is explored is 2, and 2 - 1 is 1.", "limit_and_budget.py", "back_edge", (
        "operand: t.left = t.budget.real - 1 -> t.left = 1",
    )),
    Equivalents("The one touches nothing shared.", "limit_and_budget.py", "back_edge", (
        "swap: t.left = t.budget.real - 1; if t.limit.load() == t.limit.poison: -> if t.limit.load() == t.limit.poison:; t.left = t.budget.real - 1",
    )),
    Equivalents("A slow path that finds nothing does nothing: it only takes longer.", "epoch.py", "frame_push", (
        "always: if t.epoch.load() == t.epoch.poison: -> return push_failed(t, end)",
    )),
    Equivalents("A slow path that finds nothing does nothing: it only takes longer.", "epoch.py", "back_edge", (
        "always: if t.epoch.load() == t.epoch.poison: -> return slow_path(t)",
    )),
    Equivalents("A poison may come late: the bound counts from where it is visible, and the post does not end before.", "epoch.py", "poison", (
        "plain: t.epoch.swap(t.epoch.poison) -> t.epoch.store(t.epoch.poison)",
        "plain: each.epoch.swap(each.epoch.poison) -> each.epoch.store(each.epoch.poison)",
    )),
    Equivalents("The take that follows is locked, so that this is visible before it: TAKE-IS-A-BARRIER.", "epoch.py", "restore", (
        "plain: t.epoch.swap(t.epoch.real) -> t.epoch.store(t.epoch.real)",
    )),
    Equivalents("A slow path that finds nothing does nothing: it only takes longer.", "page.py", "frame_push", (
        "always: if t.page.load() == t.page.poison: -> return push_failed(t, end)",
    )),
    Equivalents("A slow path that finds nothing does nothing: it only takes longer.", "page.py", "back_edge", (
        "always: if t.page.load() == t.page.poison: -> return slow_path(t)",
    )),
    Equivalents("A slow path that finds nothing does nothing: it only takes longer.", "page.py", "elsewhere", (
        "always: if t.page.load() == t.page.poison: -> return slow_path(t)",
    )),
    Equivalents("A slow path that finds nothing does nothing: it only takes longer.", "heap_limit.py", "back_edge", (
        "always: if t.heap_limit.load() == t.heap_limit.poison: -> return slow_path(t)",
    )),
    Equivalents("A slow path that finds nothing does nothing: it only takes longer.", "heap_limit.py", "elsewhere", (
        "always: if t.heap_limit.load() == t.heap_limit.poison: -> return slow_path(t)",
    )),
    Equivalents("A poison may come late: the bound counts from where it is visible, and the post does not end before.", "page.py", "poison", (
        "plain: t.page.swap(t.page.poison) -> t.page.store(t.page.poison)",
    )),
    Equivalents("The take that follows is locked, so that this is visible before it: TAKE-IS-A-BARRIER.", "page.py", "restore", (
        "plain: t.page.swap(t.page.real) -> t.page.store(t.page.real)",
    )),
    Equivalents("A thread of which nothing is asked need not see the counter advance: it would find nothing.", "epoch.py", "poison", (
        "delete: for each in threads(): -> ",
        "delete: each.epoch.swap(each.epoch.poison) -> ",
        "loop: for each in threads(): -> for each in threads()[1:]:",
        "loop: for each in threads(): -> for each in threads()[:-1]:",
        "loop: for each in threads(): -> for each in threads()[:1]:",
        "loop: for each in threads(): -> for each in threads()[-1:]:",
    )),
    Equivalents("A slow path that finds nothing does nothing: it only takes longer.", "optional.py", "look_again", (
        "always: if bits != 0: -> return slow_path(t)",
    )),
    Equivalents("A slow path that finds nothing does nothing: it only takes longer.", "flag.py", "frame_push", (
        "always: if t.pending.load() & deliverable(t): -> return push_failed(t, end)",
        "arithmetic: if t.pending.load() & deliverable(t): -> if t.pending.load() | deliverable(t):",
        "operand: if t.pending.load() & deliverable(t): -> if t.pending.load():",
        "operand: if t.pending.load() & deliverable(t): -> if deliverable(t):",
    )),
    Equivalents("A slow path that finds nothing does nothing: it only takes longer.", "flag.py", "back_edge", (
        "always: if t.pending.load() & deliverable(t): -> return slow_path(t)",
        "arithmetic: if t.pending.load() & deliverable(t): -> if t.pending.load() | deliverable(t):",
        "operand: if t.pending.load() & deliverable(t): -> if t.pending.load():",
        "operand: if t.pending.load() & deliverable(t): -> if deliverable(t):",
    )),
    Equivalents("A slow path that finds nothing does nothing: it only takes longer.", "bits_in_limit.py", "frame_push", (
        "always: if end + BITS > t.limit.load(): -> return push_failed(t, end)",
        "relation: if end + BITS > t.limit.load(): -> if end + BITS >= t.limit.load():",
    )),
    Equivalents("A slow path that finds nothing does nothing: it only takes longer.", "bits_in_limit.py", "back_edge", (
        "always: if t.limit.load() < BITS: -> return slow_path(t)",
        "relation: if t.limit.load() < BITS: -> if t.limit.load() <= BITS:",
    )),
    Equivalents("The limit is request bits, below BITS, or a real limit, above it.", "bits_in_limit.py", "add", (
        "relation: if limit < BITS: -> if limit <= BITS:",
    )),
    Equivalents("The one is a load, the other touches nothing shared.", "bits_in_limit.py", "add", (
        "swap: limit = t.limit.load(); bits = kind -> bits = kind; limit = t.limit.load()",
    )),
    Equivalents("The limit is request bits, below BITS, or a real limit, above it.", "bits_in_limit.py", "take", (
        "relation: if bits >= BITS: -> if bits > BITS:",
    )),
    Equivalents("The limit is request bits, below BITS, or a real limit, above it.", "bits_in_limit.py", "look", (
        "relation: if bits >= BITS: -> if bits > BITS:",
    )),
    Equivalents("A limit that is too low fails checks for nothing, and the real limit decides.", "bits_in_limit.py", "take", (
        "operand: bits = t.limit.swap(real_limit(t) + BITS) -> bits = t.limit.swap(BITS)",
    )),
    Equivalents("A limit that is too low fails checks for nothing, and the real limit decides.", "bits_in_limit.py", "drop", (
        "operand: bits = t.limit.swap(real_limit(t) + BITS) -> bits = t.limit.swap(BITS)",
    )),
    Equivalents("The limit is request bits, below BITS, or a real limit, above it.", "bits_in_limit.py", "drop", (
        "relation: if bits >= BITS: -> if bits > BITS:",
    )),
    Equivalents("Of what it gives only HANDSHAKE is looked at, as a hint: `own_handshake` does nothing where no operation is asked for.", "bits_in_limit.py", "drop", (
        "delete: if bits >= BITS: -> ",
        "swap: if bits >= BITS:; return bits -> return bits; if bits >= BITS:",
        "delete: bits = 0 -> ",
    )),
    Equivalents("Only its owner reads what is deferred.", "optional.py", "exit_thread", (
        "swap: t.deferred = 0; t.state.store(ENDED) -> t.state.store(ENDED); t.deferred = 0",
    ), policies=DEFERRING),
    Equivalents("A push that looks too is asked sooner than the policy promises, which is never.", "page.py", "frame_push", (
        "always: if checks_at('push'): -> if t.page.load() == t.page.poison:",
        "negate: if checks_at('push'): -> if checks_at('push') == 0:",
    ), policies=UNPUSHED & of_trigger("page")),
    Equivalents("A push that looks too is asked sooner than the policy promises, which is never.", "flag.py", "frame_push", (
        "always: if checks_at('push'): -> if t.pending.load() & deliverable(t):",
        "negate: if checks_at('push'): -> if checks_at('push') == 0:",
    ), policies=UNPUSHED & FLAGS),
    Equivalents("A slow path that finds nothing does nothing: it only takes longer.", "flag.py", "elsewhere", (
        "always: if t.pending.load() & deliverable(t): -> return slow_path(t)",
        "arithmetic: if t.pending.load() & deliverable(t): -> if t.pending.load() | deliverable(t):",
        "operand: if t.pending.load() & deliverable(t): -> if t.pending.load():",
        "operand: if t.pending.load() & deliverable(t): -> if deliverable(t):",
    )),
    Equivalents("STOP is never masked, so its poison was never spent; and a slow path that finds nothing does nothing.", "optional.py", "look_again", (
        "constant: if bits != 0: -> if bits != 1:",
    )),
    Equivalents("All words are poisoned when the post ends, and restored before the bits are taken: in which order does not matter.", "limit_and_table.py", "poison", (
        "swap: t.limit.store(t.limit.poison); for word in t.entry: -> for word in t.entry:; t.limit.store(t.limit.poison)",
    )),
    Equivalents("All words are poisoned when the post ends, and restored before the bits are taken: in which order does not matter.", "limit_and_table.py", "restore", (
        "swap: t.limit.store(real_limit(t)); for word in t.entry: -> for word in t.entry:; t.limit.store(real_limit(t))",
    )),
    Equivalents("A word that stays poisoned costs the newborn one slow path that finds nothing.", "optional.py", "start_thread", (
        "delete: restore(t) -> ",
    )),
    Equivalents("This mechanism never defers a request.", "optional.py", "exit_thread", (
        "delete: t.deferred = 0 -> ",
        "swap: t.deferred = 0; t.state.store(ENDED) -> t.state.store(ENDED); t.deferred = 0",
        "word: t.deferred = 0 -> t.masked = 0",
        "word: t.deferred = 0 -> t.ending = 0",
        "word: t.deferred = 0 -> t.end = 0",
        "word: t.deferred = 0 -> t.left = 0",
    ), policies=EVERY - UNBORN - DEFERRING),
    Equivalents("The requester wakes the sleeper, whatever its state says; and it is asleep whenever it says so.", "optional.py", "block", (
        "delete: leave(t) -> ",
        "swap: t.wake.publish(0); leave(t) -> leave(t); t.wake.publish(0)",
        "swap: leave(t); bits = look(t) -> bits = look(t); leave(t)",
    )),
    Equivalents("Only the coordinator itself reads the count, and not in between.", "requests.py", "stop_world_nested", (
        "swap: if outermost:; t.stops = t.stops + 1 -> t.stops = t.stops + 1; if outermost:",
    )),
    Equivalents("Either way 0 is stored, whatever the word was.", "requests.py", "let_go_of_record", (
        "plain: t.holders.fetch_and(0) -> was = t.holders.load(); t.holders.store(was & 0)",
    )),
)  # fmt: skip
