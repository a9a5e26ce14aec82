"""What an instruction orders: the meaning of the tables of `targets`, and all that the explorer makes of them.

Sources.  x86-64: Intel SDM, volume 3, "Memory Ordering", and Owens, Sarkar, Sewell: A better x86 memory model: x86-TSO (TPHOLs 2009): a load
acquires, a store releases, a locked instruction is a full barrier whether its compare succeeds or fails.  AArch64: Arm ARM (DDI 0487), B2.3,
"barrier-ordered-before": LDAPR acquires; LDAR acquires, and comes behind every STLR before it; what precedes an STLR is before it; a locked
instruction that acquires and releases, and has written, keeps what precedes it before what follows it; CASAL that fails is a load.  RISC-V:
unprivileged manual, "RVWMO", preserved program order, rules 4 to 8: the four sets of a fence; .aq, .rl, and both, which nothing passes in either
direction.  POWER: Sarkar, Sewell, Alglave, Maranget, Williams: Understanding POWER multiprocessors (PLDI 2011): sync is a full barrier,
lwsync orders all but a store and a later load, a compare, branch and isync after a load make it acquire.

The machine of views takes an access as acquire, release or relaxed, with a seq_cst fence before or behind it.  That RC11's fences and its acquire and
release accesses have at least the executions that these instructions have is proved of all four architectures (Lahav et al., PLDI 2017;
Podkopaev, Lahav, Vafeiadis: Bridging the gap between programming languages and hardware weak memory models, POPL 2019), except that they may make a
store before a relaxed load that precedes it, which RC11 forbids: that is not shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from safepoint.graph.orders import ACQ_REL, ACQUIRE, RELAXED, RELEASE, SEQ_CST


class Orders(NamedTuple):
    """What one instruction does.

    accesses: does it access the word, or is it a barrier?  acquires: what it, or a load before it, read from has been seen by all that
    follows.  releases: all that precedes has been made before it, or before a store behind it.  before, behind: it is a full barrier
    there.  if_written: that only if it has written.  in_turn: those that release and those that acquire keep their order.
    """

    accesses: bool = True
    acquires: bool = False
    releases: bool = False
    before: bool = False
    behind: bool = False
    if_written: bool = False
    in_turn: bool = False


_PLAIN, _ACQUIRES, _RELEASES = Orders(), Orders(acquires=True), Orders(releases=True)
_BOTH = Orders(acquires=True, releases=True)
_FULL = Orders(acquires=True, releases=True, before=True, behind=True)
_BARRIER = _FULL._replace(accesses=False)
_LOCKED = {
    "": _PLAIN,
    "a": Orders(acquires=True, in_turn=True),
    "l": Orders(releases=True, in_turn=True),
    "al": Orders(acquires=True, releases=True, before=True, behind=True, if_written=True, in_turn=True),
}
"""AArch64 with LSE: by the end of the mnemonic."""

LSE = {
    "fetch_or": "ldset",
    "fetch_and": "ldclr",
    "fetch_add": "ldadd",
    "fetch_sub": "ldadd",
    "swap": "swp",
    "cas": "cas",
}
"""The mnemonic of each operation (fetch_and has the complement of its operand, fetch_sub the negative)."""
AMO = {
    "fetch_or": "amoor.d",
    "fetch_and": "amoand.d",
    "fetch_add": "amoadd.d",
    "fetch_sub": "amoadd.d",
    "swap": "amoswap.d",
}

INSTRUCTIONS: dict[str, Orders] = {
    # x86-64; mov both ways
    "mov": _BOTH,
    **dict.fromkeys(
        ("xchg", "lock or", "lock and", "lock add", "lock sub", "lock xadd", "lock cmpxchg"),
        _FULL,
    ),
    # AArch64
    "ldr": _PLAIN,
    "ldapr": _ACQUIRES,
    "ldar": _LOCKED["a"],
    "str": _PLAIN,
    "stlr": _LOCKED["l"],
    "ldxr": _PLAIN,
    "ldaxr": _LOCKED["a"],
    "stxr": _PLAIN,
    "stlxr": _LOCKED["l"],
    "dmb ish": _BARRIER,
    **{stem + end: does for stem in LSE.values() for end, does in _LOCKED.items()},
    # RISC-V; POWER's plain load has the same name
    "ld": _PLAIN,
    "sd": _PLAIN,
    "fence r,rw": _ACQUIRES._replace(accesses=False),
    "fence rw,w": _RELEASES._replace(accesses=False),
    "fence rw,rw": _BARRIER,
    **dict.fromkeys([*AMO.values(), "lr.d", "sc.d"], _PLAIN),
    **{f"{stem}.aq": _ACQUIRES for stem in (*AMO.values(), "lr.d")},
    **{f"{stem}.rl": _RELEASES for stem in (*AMO.values(), "sc.d")},
    **{f"{stem}.aqrl": _FULL for stem in AMO.values()},
    "lr.d.aqrl": Orders(acquires=True, before=True),
    # POWER
    "std": _PLAIN,
    "ldarx": _PLAIN,
    "stdcx.": _PLAIN,
    "sync": _BARRIER,
    "lwsync": _BOTH._replace(accesses=False),
    "isync": _ACQUIRES._replace(accesses=False),
}


class Effect(NamedTuple):
    """What an access comes down to for the machine of views: a seq_cst fence before it, its order, a seq_cst fence behind it.

    The order seq_cst is that of AArch64's LDAR and STLR, which keep their turn.
    """

    before: bool
    order: str
    behind: bool


class Compiled(NamedTuple):
    """`failed`: of a compare that finds another value, which is a load.  The same as `made` for every other access."""

    made: Effect
    failed: Effect


def as_written(order: str) -> Compiled:
    """An access under C11, which knows no instructions."""
    effect = Effect(before=False, order=order, behind=False)
    return Compiled(effect, effect)


def effect_of(instructions: Sequence[str], op: str, *, failed: bool = False) -> Effect:
    """What these instructions order, which access a word as `op` does.  `failed`: they compared, and did not write.

    A barrier between the load of a pair and its store counts as one before both, if the store is made: that another store of the word comes
    in between is what makes it fail.
    """
    does = [INSTRUCTIONS[instruction] for instruction in instructions]
    accesses = [n for n, each in enumerate(does) if each.accesses]
    first, last = accesses[0], accesses[-1]
    reads, writes = op != "store", op != "load" and not failed
    counts = [writes or not each.if_written for each in does]
    acquires = reads and any(each.acquires for each in does[first:])
    releases = writes and any(each.releases for each in does[: last + 1])
    in_turn = (not reads or (does[first].in_turn and does[first].acquires)) and (
        not writes or (does[last].in_turn and does[last].releases)
    )
    by_halves = {(True, True): ACQ_REL, (True, False): ACQUIRE, (False, True): RELEASE, (False, False): RELAXED}
    return Effect(
        before=any(each.before and counts[n] for n, each in enumerate(does[: last + 1])),
        order=SEQ_CST if in_turn else by_halves[acquires, releases],
        behind=any(each.behind and counts[n] for n, each in enumerate(does) if n >= last),
    )
