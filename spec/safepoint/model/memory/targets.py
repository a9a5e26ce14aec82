"""Machines as memory models: what LLVM makes of each access of a text, in the order that the text gives it.

`safepoint explore --memory aarch64` explores the text as those instructions, on the machine of views.  A verdict "holds" is safe: the
machine has every execution that the architecture has, and some more (`instructions` says where the facts come from), with two
exceptions that each verdict names: K, and a store that is made before a relaxed read which precedes it.  The tests hold that against the axioms of
x86-TSO, AArch64, RISC-V and POWER, in random programs.  More than the architecture has:

* x86-64: two readers may see two stores in different orders (IRIW), and of two stores in order a later store of the second's word, with a
  fence behind it, may miss the first (R).  `--memory tso` is x86-TSO itself.
* AArch64: IRIW, of loads by LDAPR; and where relaxed accesses stand between them, LDAR and STLR are acquire and release alone (`turns`).
* RISC-V: IRIW, of loads that acquire and no more; R, and two threads that each release the same two words (2+2W), of stores that release and no more.
* POWER: 2+2W, too; lwsync orders more than the access that it stands at, and is taken for acquire or release.

The instructions stand in the text's order.  A compiler may move a relaxed access, and an acquire or a release within their rules: who
writes C11 or LLVM needs the orders that hold under `c11`, too; who emits the instructions needs the target's alone.
The tables are LLVM's of llvmlite, which a test compiles each access with.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from safepoint.graph.ir import LOCKED, MODIFIES
from safepoint.graph.orders import ACQ_REL, ACQUIRE, RELAXED, RELEASE, SEQ_CST
from safepoint.model.memory.instructions import AMO, LSE, Compiled, effect_of

Key = tuple[str, str]
"""An access of `graph.ir`, or "fence"; and its order."""
Table = Mapping[Key, str]
"""Instructions in their order, with "; " between them: those that access the word, and barriers."""

ORDERS = {
    "load": (RELAXED, ACQUIRE, SEQ_CST),
    "store": (RELAXED, RELEASE, SEQ_CST),
    "fence": (SEQ_CST,),
} | dict.fromkeys(LOCKED, (RELAXED, ACQUIRE, RELEASE, ACQ_REL, SEQ_CST))
"""The orders that an access may have."""


@dataclass(frozen=True)
class Target:
    """triple, cpu, features: as LLVM is asked for it.  unused: what is different where the result is not used.  failed: a cas that finds
    another value.  appends: a store that is made is the newest of its word.
    """

    triple: str
    cpu: str
    features: str
    table: Table
    failed: Mapping[str, str]
    unused: Table = field(default_factory=dict)
    appends: bool = False

    def compiled(self, op: str, order: str) -> Compiled:
        """What an access orders.  Raises KeyError for an order that it cannot have."""
        made = effect_of(self.table[op, order].split("; "), op)
        return Compiled(made, effect_of(self.failed[order].split("; "), op, failed=True) if op == "cas" else made)


def _each(op: str, *instructions: str) -> dict[Key, str]:
    """The instructions of an access for each order that it may have, the weakest first; one for all of them, or one each."""
    orders = ORDERS[op]
    return {(op, order): i for order, i in zip(orders, instructions * (len(orders) // len(instructions)), strict=True)}


def _locked(ops: Mapping[str, str], *ends: str) -> dict[Key, str]:
    """A mnemonic for each operation, and its ends for relaxed, acquire, release, acq_rel, seq_cst."""
    return {key: i for op, stem in ops.items() for key, i in _each(op, *(stem + end for end in ends)).items()}


def _pairs(*instructions: str) -> dict[Key, str]:
    return {key: i for op in (*MODIFIES, "swap") for key, i in _each(op, *instructions).items()}


X86_64 = Target(
    "x86_64-linux-gnu",
    "x86-64",
    "",
    _each("load", "mov")
    | _each("store", "mov", "mov", "xchg")
    | _each("fetch_or", "mov; lock cmpxchg")  # a guess, and a loop
    | _each("fetch_and", "mov; lock cmpxchg")
    | _each("fetch_add", "lock xadd")
    | _each("fetch_sub", "lock xadd")
    | _each("swap", "xchg")
    | _each("cas", "lock cmpxchg")
    | _each("fence", "lock or"),
    failed=dict.fromkeys(ORDERS["cas"], "lock cmpxchg"),
    unused=_each("fetch_or", "lock or")
    | _each("fetch_and", "lock and")
    | _each("fetch_add", "lock add")
    | _each("fetch_sub", "lock sub"),
    appends=True,
)

AARCH64_LSE = Target(
    "aarch64-linux-gnu",
    "generic",
    "+lse,+rcpc",
    _each("load", "ldr", "ldapr", "ldar")
    | _each("store", "str", "stlr", "stlr")
    | _locked(LSE, "", "a", "l", "al", "al")
    | _each("fence", "dmb ish"),
    failed=dict(zip(ORDERS["cas"], ("cas", "casa", "casl", "casal", "casal"), strict=True)),
)

_LOAD_STORE = ("ldxr; stxr", "ldaxr; stxr", "ldxr; stlxr", "ldaxr; stlxr", "ldaxr; stlxr")
AARCH64 = Target(
    "aarch64-linux-gnu",
    "generic",
    "",
    _each("load", "ldr", "ldar", "ldar")
    | _each("store", "str", "stlr", "stlr")
    | _pairs(*_LOAD_STORE)
    | _each("cas", *_LOAD_STORE)
    | _each("fence", "dmb ish"),
    failed=dict(zip(ORDERS["cas"], ("ldxr", "ldaxr", "ldxr", "ldaxr", "ldaxr"), strict=True)),
)

RISCV64 = Target(
    "riscv64-linux-gnu",
    "generic-rv64",
    "+m,+a",
    _each("load", "ld", "ld; fence r,rw", "fence rw,rw; ld; fence r,rw")
    | _each("store", "sd", "fence rw,w; sd", "fence rw,w; sd; fence rw,rw")
    | _locked(AMO, "", ".aq", ".rl", ".aqrl", ".aqrl")
    | _each("cas", "lr.d; sc.d", "lr.d.aq; sc.d", "lr.d; sc.d.rl", "lr.d.aq; sc.d.rl", "lr.d.aqrl; sc.d.rl")
    | _each("fence", "fence rw,rw"),
    failed=dict(zip(ORDERS["cas"], ("lr.d", "lr.d.aq", "lr.d", "lr.d.aq", "lr.d.aqrl"), strict=True)),
)

POWER = Target(
    "powerpc64le-linux-gnu",
    "pwr8",
    "",
    _each("load", "ld", "ld; isync", "sync; ld; isync")  # a compare and a branch before the isync
    | _each("store", "std", "lwsync; std", "sync; std")
    | _pairs(
        "ldarx; stdcx.",
        "ldarx; stdcx.; lwsync",
        "lwsync; ldarx; stdcx.",
        "lwsync; ldarx; stdcx.; lwsync",
        "sync; ldarx; stdcx.; lwsync",
    )
    | _each(
        "cas",
        "ldarx; stdcx.",
        "ldarx; stdcx.; lwsync",
        "ldarx; lwsync; stdcx.",
        "ldarx; lwsync; stdcx.; lwsync",
        "ldarx; sync; stdcx.; lwsync",
    )
    | _each("fence", "sync"),
    # the barrier stands before the store only: a cas that fails is no more than an acquire load, also if it is seq_cst
    failed=dict(zip(ORDERS["cas"], ("ldarx", "ldarx; lwsync", "ldarx", "ldarx; lwsync", "ldarx; lwsync"), strict=True)),
)

TARGETS: dict[str, Target] = {
    "x86-64": X86_64,
    "aarch64-lse": AARCH64_LSE,
    "aarch64": AARCH64,
    "riscv64": RISCV64,
    "power": POWER,
}
"""By the name of the memory model.  aarch64-lse: with LSE (Armv8.1) and RCpc (Armv8.3); aarch64: without."""
