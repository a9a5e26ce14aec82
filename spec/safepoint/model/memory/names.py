"""The memory models by name: sc, tso, c11, and machines; c11k3 is c11 with up to 3 stale stores of a word, power-k3 the same of power."""

from __future__ import annotations

import re

from safepoint.model.memory.targets import TARGETS, Target

SC, TSO, C11 = "sc", "tso", "c11"
MEMORIES = (SC, TSO, C11)
"""Those under which every policy is explored."""

STALE: dict[str, int] = (
    {C11: 2, "c11k1": 1, "c11k3": 3, "c11k4": 4}
    | dict.fromkeys(TARGETS, 2)
    | {f"{name}-k{kept}": kept for name in TARGETS for kept in (1, 3, 4)}
)
"""How many stale stores of a word a thread may still read, beside the newest: how far a verdict goes."""

MOST = 1_000_000
"""States of one scope, at most: with its memories a state takes two kilobytes, and a second finds five thousand."""

NAMES = (SC, TSO, *STALE)
"""All that can be asked for."""

SHORT = (*MEMORIES, *TARGETS)
"""The same with the usual number of stale stores."""


def is_weak(memory: str) -> bool:
    """Is it explored on the machine of views?"""
    return memory in STALE


def base(memory: str) -> str:
    """The name without the number of stale stores."""
    return re.sub(r"-?k\d$", "", memory) if is_weak(memory) else memory


def target_of(memory: str) -> Target | None:
    """The machine whose instructions a text is taken for; None for a memory model of a language, and for sc and tso."""
    return TARGETS.get(base(memory))


def fewest(memory: str) -> str:
    """The same machine with one stale store of a word.  Raises KeyError where there is none."""
    return {base(name): name for name in STALE if STALE[name] == 1}[base(memory)]


def label(memory: str) -> str:
    """The memory model in a table: of C11 also how far the verdict goes, which a line below the table explains; of a machine that line alone."""
    usual = target_of(memory) is not None and STALE[memory] == STALE[base(memory)]
    return f"{base(memory)} k{STALE[memory]}" if is_weak(memory) and not usual else base(memory)


def says(memory: str) -> str:
    """The same where there is room."""
    if not is_weak(memory):
        return memory
    as_compiled = ", as LLVM compiles the text" if target_of(memory) else ""
    return f"{base(memory)}{as_compiled}, up to {STALE[memory]} stale store{'s' * (STALE[memory] > 1)} of a word"


def not_said(memory: str) -> str:
    """What a verdict under C11, or of a machine, leaves out."""
    kept = STALE[memory]
    if target := target_of(memory):
        rest = "" if target.appends else " no store is made before a relaxed read that precedes it;"
        return (
            f"k{kept}: up to {kept} stale store{'s' * (kept > 1)} of a word may still be read; no bounds, no fairness of stops;{rest} the instructions stand in the"
            " text's order, and are allowed more than the machine does in a few shapes"
        )
    return (
        f"k{kept}: up to {kept} stale store{'s' * (kept > 1)} of a word may still be read; no bounds, no fairness of stops: C11 does not say when a store is seen;"
        " seq_cst accesses are taken in the order of their execution, which shows less than RC11 in a few shapes; release sequences are C++20's"
    )
