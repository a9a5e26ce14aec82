"""The memory models by name: sc, tso, and c11; c11k3 is c11 with up to 3 stale stores of a word."""

from __future__ import annotations

from collections.abc import Collection

SC, TSO, C11 = "sc", "tso", "c11"
MEMORIES = (SC, TSO, C11)

STALE = {C11: 2, "c11k1": 1, "c11k3": 3, "c11k4": 4}
"""How many stale stores of a word a thread may still read, beside the newest: how far a verdict goes."""

MOST = 1_000_000
"""States of one scope, at most: with its memories a state takes two kilobytes, and a second finds five thousand."""

NAMES = (SC, TSO, *STALE)
"""All that can be asked for."""


BEYOND = {"membarrier": "C11 says nothing of a fence that one thread makes for others"}
"""Features of a scope that C11 has no rules for, and why."""


def beyond(memory: str, slices: Collection[str]) -> str:
    """Why a scope with these features is not explored under a memory model; "" if it is."""
    return "; ".join(why for feature, why in BEYOND.items() if feature in slices) if memory in STALE else ""


def label(memory: str) -> str:
    """The memory model in a table: of C11 also how far the verdict goes, which a line below the table explains."""
    return f"{C11} k{STALE[memory]}" if memory in STALE else memory


def says(memory: str) -> str:
    """The same where there is room."""
    return f"{C11}, up to {STALE[memory]} stale stores of a word" if memory in STALE else memory


def not_said(memory: str) -> str:
    """What a verdict under C11 leaves out."""
    kept = STALE[memory]
    return (
        f"k{kept}: up to {kept} stale store{'s' * (kept > 1)} of a word may still be read; no bounds: C11 does not say when a store is seen;"
        " seq_cst accesses are taken in the order of their execution, which shows no more than RC11, and less in a few shapes"
    )
