"""What real machines allow of the shapes of `litmus`, compiled as LLVM does.

Not from our machine of views: from the architectures' own rules, by hand, as each group says.  x86-64: x86-TSO (Owens, Sarkar, Sewell 2009).
AArch64: the order of "barrier-ordered-before" and external visibility (Arm ARM, B2.3; Pulte, Flur, Deacon, French, Sarkar, Sewell: Simplifying ARM
concurrency, POPL 2018).  RISC-V: RVWMO (preserved program order in one global memory order).  POWER: Alglave, Maranget, Tautschnig: Herding cats
(TOPLAS 2014).  herd7 7.57 said the same of the protocol's own shapes while the targets were a prototype.
"""

from __future__ import annotations

from safepoint.model.memory.targets import TARGETS

ALLOWED, FORBIDDEN, WEAKER, UNSHOWN = "A", "F", "w", "n"
"""WEAKER: the architecture forbids it, and our machine shows it.  UNSHOWN: the architecture allows it, and ours does not show it."""

COLUMNS = ("x86-64", "aarch64-lse", "aarch64", "riscv64", "power")

VERDICTS: dict[str, str] = {
    # a store waits in the buffer of x86-64; LDAPR may pass an STLR, LDAR may not, which is what aarch64 has for acquire; RISC-V's seq_cst has
    # fence rw,rw between, POWER's a leading sync
    "SB+rlx": "AAAAA", "SB+ra": "AAFAA", "SB+sc": "FFFFF",
    "SB+fences": "FFFFF",
    "SB+fence+ra": "AAFAA",
    # one side is enough of the order where acquire is LDAPR; no relaxed store is held back by LDAR or by x86-64's load
    "SB+rlx+sc": "AAAFF",
    # a locked instruction is a full barrier on x86-64, an .aqrl on RISC-V, an …AL of LSE; a pair is not, LDAR keeps behind its STLXR, LDR does not;
    # POWER's sync is on the far side of the operation
    "SB+swap.sc+acq": "FFFFA",
    "SB+swap.sc+rlx": "FFAFA",
    "SB+swap.sc+acq+rel+or.sc+acq": "FFFFA",
    "SB+swap.sc+sc": "FFFFF", "SB+swap.sc+sc+sc+sc": "FFFFF",
    "SB+swap.sc+sc+rel+sc": "AFFFF",  # the one side is mov, mov
    # RISC-V's compare-exchange is a pair, whose store a later load may pass; AArch64's LDAR may not
    "SB+cas.sc+acq": "FFFAA",
    # one that fails: on x86-64 as locked as ever; LDAXR and CASAL are LDARs then, lr.aqrl has its fence in front; POWER's sync is not reached
    "SB+sc+cas.sc that fails": "FFFFA",
    "SB+rlx+cas.sc that fails+acq": "FAAFA",
    "SB+or.ar of one word": "FFFFF",
    # x86-64 keeps loads in order, and stores; the others keep what is acquired and released
    "MP+rlx": "FAAAA", "MP+ra": "FFFFF", "MP+sc": "FFFFF", "MP+fences": "FFFFF",
    "MP+release sequence": "FFFFF",
    "MP+or.rlx": "FAAAA",
    "MP+sc+rlx+rlx+sc": "FAAFA",  # a plain store may pass an STLR, or a store behind a leading sync; RISC-V has a fence behind it
    "S+rlx": "FAAAA", "S+ra": "FFFFF", "S+sc": "FFFFF",
    # two released stores are in order for all on x86-64, AArch64 and RISC-V, and by lwsync; ours keeps that of x86-64 and of STLR
    "2+2W+rlx": "FAAAA", "2+2W+ra": "FFFww", "2+2W+sc": "FFFFF", "2+2W+fences": "FFFFF",
    "R+rlx": "AAAAA", "R+ra": "AAFAA", "R+sc": "FFFFF", "R+fences": "FFFFF",
    "R+rel+fence": "wFFwA",  # R+lwsync+sync is allowed
    "R+or.sc+rel+rel+swap.sc+acq": "FFFFA",  # BLOCK's shape
    "Z6.U": "FFFFA",
    # stores reach all others at once, but on POWER; ours keeps that where LDAR reads
    "IRIW+rlx": "wAAAA", "IRIW+ra": "wwFwA", "IRIW+sc": "FFFFF", "IRIW+fences": "FFFFF",
    "WRC+rlx": "FAAAA", "WRC+ra": "FFFFF", "WRC+sc": "FFFFF", "WRC+fence+acq": "FFFFF",
    "ISA2+rlx": "FAAAA", "ISA2+ra": "FFFFF", "ISA2+sc": "FFFFF",
    # a load and a later store of another word change places, but on x86-64
    "LB+rlx": "Fnnnn", "LB+ra": "FFFFF", "LB+sc": "FFFFF",
    "SB+fences by way of LB": "Fnnnn",
    "CoRR+rlx": "FFFFF", "CoRW+rlx": "FFFFF", "CoWW+rlx": "FFFFF", "CoRR2+rlx": "FFFFF",
    "two operations on one store": "FFFFF",
    # the requester has every thread make a full barrier
    "SB+membarrier+rlx": "FFFFF", "SB+membarrier+ra": "FFFFF", "SB+membarrier too early": "AAFAA",
}  # fmt: skip

assert tuple(TARGETS) == COLUMNS
