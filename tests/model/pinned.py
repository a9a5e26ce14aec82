"""What is pinned of our own text: the counts of every scope, and what catches every mutant.  `test_model` holds the text to it."""

from __future__ import annotations

import json
from pathlib import Path

DATA = Path(__file__).parent / "data"

COUNTS: dict[str, list[int]] = json.loads((DATA / "counts.json").read_text(encoding="utf-8"))
"""policy/memory/scope -> states, transitions, of our own text.  `test_spin` has them counted by Spin; a change here means that
the text, or what is one step, has changed, and its commit says why; `python -m tests.model.pinning` writes them anew."""

LATE: dict[str, list[int]] = json.loads((DATA / "counts_nightly.json").read_text(encoding="utf-8"))
"""The same of the nightly scopes; no other tool has counted these."""

CAUGHT = {
    "spurious-is-overflow": ("interrupt-1", "sc", "no-fake-overflow"),
    "overflow-wins": ("interrupt-1", "sc", "taken-is-served"),
    "push-not-retried": ("interrupt-1", "sc", "no-fake-overflow"),  # a spurious entry is enough
    "poison-before-post": ("interrupt-1", "sc", "pending-is-poisoned"),
    "post-does-not-wake": ("blocking-1", "sc", "sleeper-is-woken"),
    "unlocked-post": ("both-1", "sc", "owed-is-pending"),  # it takes two posters
    "word-forgotten": ("interrupt-1", "sc", "pending-is-poisoned"),
    "no-lock": ("collect-1", "sc", "world-stopped"),
    "stop-published-late": ("stop-1", "sc", "awaited-is-poisoned"),
    "does-not-wait": ("stop-1", "sc", "world-stopped"),
    "unlock-before-start": ("collect-1", "sc", "world-stopped"),
    "handshake-unchecked": ("handshake-1", "sc", "handshake-alone"),
    "backs-off-silently": ("handshake-1", "sc", "owed-is-pending"),
    "handshake-unclaimed": ("handshake-1", "sc", "served-once"),
    "handshake-not-awaited": ("handshake-1", "sc", "handshake-alone"),
    "take-before-restore": ("interrupt-1", "sc", "pending-is-poisoned"),
    "second-word-late": ("interrupt-1", "sc", "pending-is-poisoned"),
    "unlocked-take": ("interrupt-1", "sc", "owed-is-pending"),
    "test-before-take": ("interrupt-1", "tso", "pending-is-poisoned"),
    "masked-taken": ("terminate-1", "sc", "owed-is-pending"),
    "stop-without-park": ("stop-1", "sc", "awaited-is-poisoned"),
    "terminate-again": ("terminate-1", "sc", "terminate-once"),
    "rest-dropped": ("raise-two-1", "sc", "taken-is-served"),
    "given-back-unpoisoned": ("raise-two-1", "sc", "pending-is-poisoned"),
    "park-exit-unchecked": ("stop-1", "sc", "world-stopped"),
    "reenter-unfenced": ("stop-1", "tso", "world-stopped"),
    "no-recheck": ("stop-1", "sc", "world-stopped"),
    "unmask-forgets": ("masks-1", "sc", "pending-is-poisoned"),
    "unmask-unwinds": ("terminate-masks-1", "sc", "terminate-once"),
    "unwound-forgets": ("terminate-1", "sc", "pending-is-poisoned"),
    "looks-too-early": ("blocking-1", "sc", "sleeper-is-woken"),
    "block-unfenced": ("blocking-1", "tso", "sleeper-is-woken"),
    "reenter-acquire": ("stop-1", "c11", "world-stopped"),
    "claim-acquire": ("handshake-1", "c11", "handshake-alone"),
    "wake-release": ("blocking-1", "c11", "sleeper-is-woken"),
    "limit-blindly": ("limit-1", "sc", "pending-is-poisoned"),
    "coordinator-stays": ("collect-1", "sc", "no-deadlock"),
    "birth-keeps-bits": ("births-1", "sc", "pending-is-poisoned"),
    "birth-drops-handshake": ("newborn-1", "sc", "owed-is-pending"),
    "stays-stopped": ("stop-1", "sc", "world-starts"),
    "never-restored": ("interrupt-1", "sc", "checks-pass"),
    "born-running": ("births-1", "sc", "awaited-is-poisoned"),
    "post-waits-its-turn": ("signal-1", "sc", "no-deadlock"),
    "stop-without-fence": ("membarrier-1", "tso", "world-stopped"),
    "claim-without-fence": ("membarrier-handshake-1", "tso", "handshake-alone"),
    "waits-for-itself": ("leaving-1", "sc", "handshake-returns"),
    "asker-stays": ("asking-1", "sc", "world-stops"),
    "operates-while-stopped": ("exclusive-1", "sc", "stop-is-exclusive"),
    "operations-not-awaited": ("exclusive-1", "sc", "stop-is-exclusive"),
    "stops-again-at-once": ("fairness-1", "sc", "runs-between-stops"),
    "gives-up-half": ("impatient-1", "sc", "world-starts"),
    "takes-posts-back": ("impatient-1", "sc", "owed-is-pending"),
    "stops-twice": ("nesting-1", "sc", "no-deadlock"),
    "inner-starts": ("nesting-1", "sc", "world-stopped"),
    "wakes-without-a-look": ("waking-1", "sc", "sleep-raises"),
    "helper-never-polls": ("work-1", "sc", "declared-bound"),
    "held-too-late": ("records-1", "sc", "posts-reach-their-thread"),
    "reused-at-once": ("records-1", "sc", "posts-reach-their-thread"),
    "reused-unfenced": ("records-1", "tso", "posts-reach-their-thread"),
}
"""Mutant -> the smallest scope that catches it, under which memory model, and by which property."""

CAUGHT_ELSEWHERE = {
    ("dart", "checks-at-calls-only"): ("interrupt-1", "sc", "declared-bound"),
    ("dart", "masked-taken"): ("terminate-1", "sc", "owed-is-pending"),
    ("dart", "never-restored"): ("interrupt-1", "sc", "pending-was-posted"),
    ("dart", "unlocked-post"): ("both-1", "sc", "owed-is-pending"),
    ("dart", "unlocked-take"): ("interrupt-1", "sc", "owed-is-pending"),
    ("cpython", "checks-at-calls-only"): ("interrupt-1", "sc", "declared-bound"),
    ("cpython", "never-restored"): ("interrupt-1", "sc", "pending-was-posted"),
    ("pypy", "never-restored"): ("interrupt-1", "sc", "checks-pass"),
    ("pypy", "ticker-refilled"): ("interrupt-1", "sc", "request-is-seen"),
    ("pypy", "word-forgotten"): ("interrupt-1", "sc", "declared-bound"),
    ("v8_ignition", "budget-refilled"): ("interrupt-1", "sc", "declared-bound"),
    ("v8_ignition", "never-restored"): ("interrupt-1", "sc", "checks-pass"),
    ("v8_ignition", "word-forgotten"): ("interrupt-1", "sc", "pending-is-poisoned"),
    ("wasmtime", "checks-at-calls-only"): ("interrupt-1", "sc", "declared-bound"),
    ("wasmtime", "checks-at-loops-only"): ("interrupt-1", "sc", "declared-bound"),
    ("wasmtime", "never-restored"): ("interrupt-1", "sc", "checks-pass"),
    ("wasmtime", "word-forgotten"): ("interrupt-1", "sc", "pending-is-poisoned"),
    ("ocaml", "checks-at-allocations-only"): ("interrupt-1", "sc", "declared-bound"),
    ("ocaml", "compares-the-real-limit"): ("interrupt-1", "sc", "declared-bound"),
    ("ocaml", "never-restored"): ("interrupt-1", "sc", "checks-pass"),
    ("ocaml", "word-forgotten"): ("interrupt-1", "sc", "pending-is-poisoned"),
    ("yarv", "checks-at-loops-only"): ("interrupt-1", "sc", "declared-bound"),
    ("hotspot", "checks-at-loops-only"): ("interrupt-1", "sc", "declared-bound"),
    ("guard_page", "checks-at-calls-only"): ("interrupt-1", "sc", "declared-bound"),
    ("guard_page", "never-restored"): ("interrupt-1", "sc", "checks-pass"),
    ("guard_page", "word-forgotten"): ("interrupt-1", "sc", "pending-is-poisoned"),
    ("v8_maglev", "checks-at-calls-only"): ("interrupt-1", "sc", "declared-bound"),
    ("v8_maglev", "compares-the-real-limit"): ("interrupt-1", "sc", "declared-bound"),
    ("v8_maglev", "never-restored"): ("interrupt-1", "sc", "checks-pass"),
    ("v8_maglev", "word-forgotten"): ("interrupt-1", "sc", "pending-is-poisoned"),
    ("patched", "code-first"): (
        "loops-2",
        "sc",
        "pending-is-poisoned",
    ),  # another thread puts it back before the limit says that it must not
    ("patched", "table-forgotten"): ("interrupt-1", "sc", "pending-is-poisoned"),
    ("patched", "code-forgotten"): ("loops-1", "sc", "pending-is-poisoned"),
    ("patched", "claim-respected"): ("loops-2", "sc", "pending-is-poisoned"),
    ("patched", "overwritten-by-a-store"): (
        "loops-2",
        "c11",
        "pending-is-poisoned",
    ),  # of two requesters the last one alone is seen
    ("patched", "never-restored"): ("loops-1", "sc", "checks-pass"),
    ("patched", "code-stays-overwritten"): ("loops-1", "sc", "checks-pass"),
    ("patched", "claimed-only-if-overwritten"): ("loops-1", "sc", "checks-pass"),  # its own claim is left behind, too
    ("patched", "one-claim-for-all"): (
        "loops-3",
        "sc",
        "pending-is-poisoned",
    ),  # who claims, whose request is lost, whose claim it is taken for
    ("patched", "claims-with-what-stands-there"): ("loops-2", "sc", "pending-is-poisoned"),
    ("patched", "looks-at-none"): ("loops-2", "sc", "pending-is-poisoned"),
    ("patched", "asks-those-outside"): (
        "loops-2",
        "sc",
        "checks-pass",
    ),  # nothing is lost: the others are slow for as long as native code goes on
    ("patched", "put-back-by-a-store"): ("loops-2", "sc", "pending-is-poisoned"),
    ("patched", "comes-back-blindly"): ("loops-2", "sc", "pending-is-poisoned"),
}
"""The same of the mutants in the other policies' own trigger files."""
