"""The orders of an access, as C11 and LLVM name them."""

from __future__ import annotations

RELAXED, ACQUIRE, RELEASE, ACQ_REL, SEQ_CST = "relaxed", "acquire", "release", "acq_rel", "seq_cst"

PLAIN = {"load": ACQUIRE, "store": RELEASE}
"""An access of a text, to its order; every other one is seq_cst."""

STRONG = {"look": "load", "publish": "store"}
"""The plain accesses that are seq_cst all the same, to what a step of a graph calls them."""


def acquires(order: str) -> bool:
    """Does who reads with it know afterwards what who wrote knew?"""
    return order in (ACQUIRE, ACQ_REL, SEQ_CST)


def releases(order: str) -> bool:
    """Does who writes with it hand on what it knows?"""
    return order in (RELEASE, ACQ_REL, SEQ_CST)


def is_weaker(order: str, other: str) -> bool:
    """Does it ask for less than the other?  Release and acquire are not compared."""
    if SEQ_CST in (order, other):
        return order != SEQ_CST
    return order != other and acquires(order) <= acquires(other) and releases(order) <= releases(other)
