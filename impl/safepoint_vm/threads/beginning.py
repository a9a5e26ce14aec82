"""A thread's record as it is before the thread's first check: real and poison values, counts at 0, both dispatch tables."""

from __future__ import annotations

from safepoint_vm.generate.page_faults import guard
from safepoint_vm.language.layout import Memory, Record
from safepoint_vm.memory.image import Image
from safepoint_vm.memory.objects import statics


def begin(record: Record, image: Image, world: Record, stack: Memory, slots: int, *, used: bool) -> None:
    """Write the words of a record.  `slots`: of the stack; `used`: it was another thread's, to which requesters may still be posting."""
    engine = image.engine
    policy, end = engine.policy, stack.address + 8 * slots
    if not (used and policy.base):  # BIRTH-OWES-HANDSHAKE: else its bits are pending, until the birth
        record.set("limit", end)
    words = {
        "limit_real": end - policy.base, "limit_poison": 0, "entry_poison": engine.addresses["slow_back_edge"],
        "ticker": policy.period, "ticker_real": policy.period, "ticker_poison": 0, "budget_real": policy.period, "left": 0,
        "heap_limit": 0, "heap_limit_real": 0, "heap_limit_poison": 1, "deadline": world.get("epoch") + 1,
        "world": world.address, "pc": image.start, "frame": stack.address, "observer": 0,
        "characters": statics().characters.address, "zero": statics().zero, "ancestry": statics().ancestry.address, "known": statics().known.address,
        "slow_entries": 0, "frames": 0, "back_edges": 0, "elsewhere": 0,
    }  # fmt: skip
    for name, word in words.items():
        record.set(name, word)
    if "page" in policy.words:
        guard(record)
    record.fill("table", engine.table)
    record.fill("base", engine.base)
    if image.tier:
        image.tier.prepare(record)
