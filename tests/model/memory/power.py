"""POWER's axioms, as Alglave, Maranget, Tautschnig give them (Herding cats, TOPLAS 2014, section 6), for programs without address and data
dependencies: what is kept in order in a thread is what a branch and an isync, or a barrier, keep; and a load and a later store, which our machine
assumes.  Coherence and atomicity are checked elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.model.memory.axioms import Event

Pairs = set[tuple["Event", "Event"]]


def then(first: Pairs, second: Pairs) -> Pairs:
    """One step of the first, and one of the second."""
    after: dict[Event, list[Event]] = {}
    for a, b in second:
        after.setdefault(a, []).append(b)
    return {(a, c) for a, b in first for c in after.get(b, ())}


def some(pairs: Pairs) -> Pairs:
    """One step or more."""
    found = set(pairs)
    while more := then(found, pairs) - found:
        found |= more
    return found


def allowed(communicates: Sequence[tuple[Event, Event]], precedes: Sequence[tuple[Event, Event, set[str]]]) -> bool:
    """No order out of thin air; what a barrier has made visible is seen; and stores reach others in one order.

    communicates: coherence order, reads-from, from-read.  precedes: two events of a thread, and the barriers between them.
    """
    com = set(communicates)
    events = {e for a, b, _ in precedes for e in (a, b)} | {e for pair in com for e in pair}
    same: Pairs = {(e, e) for e in events}
    external = {(a, b) for a, b in com if a.thread != b.thread}
    rfe = {(a, b) for a, b in external if a.is_store and not b.is_store}
    fre = {(a, b) for a, b in external if not a.is_store}
    co = {(a, b) for a, b in com if a.is_store and b.is_store}
    full = {(a, b) for a, b, barriers in precedes if "full" in barriers}
    light = {(a, b) for a, b, barriers in precedes if "lw" in barriers and not (a.is_store and not b.is_store)}
    kept = {(a, b) for a, b, barriers in precedes if not a.is_store and (b.is_store or "i" in barriers)}
    before = some(kept | full | light | rfe)
    befores = before | same
    base = then(then(rfe | same, full | light), befores)
    stores = {(a, b) for a, b in base if a.is_store and b.is_store}
    reached = stores | then(then(then(some(com) | same, some(base) | same), full), befores)
    return (
        all(a is not b for a, b in before)
        and all(a is not b for a, b in then(then(fre, reached), befores))
        and all(a is not b for a, b in some(co | reached))
    )
