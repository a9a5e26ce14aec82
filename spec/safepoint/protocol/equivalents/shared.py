"""Mutations of trigger `patched_jumps`: of what it does to words that all threads check."""

from __future__ import annotations

from safepoint.protocol.equivalents.entry import Equivalents

FILE = "patched_jumps.py"
ORDER = (
    "All words are poisoned when the post ends, and restored before the bits are taken: in which order does not matter."
)
SLOWER = "A jump that is real is claimed, looked after, and put back: slower, and no more."
NOT_CLAIMED = "A thread that has not claimed the word looks for nothing: its second exchange fails, as its value does not stand there."
NUMBERS = "Other numbers, or the same, and still one for each thread."

NOTHING_FOUND = "A slow path that finds nothing does nothing: it only takes longer."

SHARED: tuple[Equivalents, ...] = (
    Equivalents(NOTHING_FOUND, FILE, "frame_push", (
        "always: if end > t.limit.load(): -> return push_failed(t, end)",
        "relation: if end > t.limit.load(): -> if end >= t.limit.load():",
    )),
    Equivalents(NOTHING_FOUND, FILE, "back_edge", (
        "always: if word.load() != word.real: -> return slow_path(t)",
    )),
    Equivalents("Both come after MANAGED was published, from when on a thread that puts code back looks at this one too; the operation that is waited for changes no limit and no code.", "owner.py", "reenter", (
        "swap: wait(t.operation.look() != RUNNING); if checks_at('compiled back-edge'): -> if checks_at('compiled back-edge'):; wait(t.operation.look() != RUNNING)",
    )),
    Equivalents(ORDER, FILE, "poison", (
        "swap: t.limit.publish(t.limit.poison); overwrite_table(t) -> overwrite_table(t); t.limit.publish(t.limit.poison)",
    )),
    Equivalents(ORDER, FILE, "restore", (
        "swap: t.limit.store(real_limit(t)); for word in t.entry: -> for word in t.entry:; t.limit.store(real_limit(t))",
        "swap: for word in t.entry:; for word in world.code: -> for word in world.code:; for word in t.entry:",
    )),
    Equivalents("Right where each store is seen at once: only under C11 does a thread that claims see no more than the last requester's words (`overwritten-by-a-store`).", FILE, "overwrite", (
        "plain: word.swap(word.poison) -> word.store(word.poison)",
    )),
    Equivalents(SLOWER, FILE, "put_back", (
        "delete: if now == word.real: -> ",
        "delete: return -> ",
    )),
    Equivalents("Nothing that is shared lies between the two.", FILE, "put_back", (
        "swap: if now == word.real:; mine = claim_of(t) -> mine = claim_of(t); if now == word.real:",
    )),
    Equivalents(NOT_CLAIMED, FILE, "put_back", (
        "always: if claimed: -> for each in threads():; word.cas(mine, word.real)",
        "name: if claimed: -> if now:",
        "name: if claimed: -> if mine:",
    )),
    Equivalents(NUMBERS, FILE, "claim_of", (
        "loop: for each in threads(): -> for each in threads()[1:]:",
        "loop: for each in threads(): -> for each in threads()[:-1]:",
    )),
    Equivalents("Each thread is one of them, and has returned before.", FILE, "claim_of", (
        "return-0: return mine #2 -> return 0",
    )),
    Equivalents("Overwritten for nothing: all come to their slow path, find nothing, and one puts it back.", FILE, "came_back", (
        "always: if limit == t.limit.poison: -> overwrite()",
    )),
)  # fmt: skip
