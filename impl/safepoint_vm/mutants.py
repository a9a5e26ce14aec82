"""placeholder"""
from __future__ import annotations
from typing import TypeVar, cast
T = TypeVar("T")
HANDLERS = ("push-compares-a-copy push-knows-overflow-only return-restores-the-limit inner-section-ends-all back-edge-forgets-its-jump back-edge-swallows back-edge-never-parks back-edge-keeps-no-place").split()
PROC = "back-edge-unpoisoned poison-in-the-base-table hook-misses-locked hook-comes-late".split()
HOST = "reenters-unasked born-unasked sleeper-swallows blocks-inside parked-forgets-why starts-before-collecting release-wakes-nobody sleeps-without-alarm target-not-kept newborn-not-counted post-wakes-nobody notifies-one collects-its-own-roots newborn-is-no-root roots-of-the-top-frame poison-too-high waited-for-before-birth interrupt-before-birth exit-forgotten".split()
MUTANTS = dict.fromkeys([*HANDLERS, *PROC, *HOST])
def part_of(mutant: str) -> str:
    return "handlers" if mutant in HANDLERS else "host" if mutant in HOST else "procedures"
def text_mutant(mutant: str) -> str:
    return "" if mutant in MUTANTS else mutant
def worn(kind: type[T], wears: type | None) -> type[T]:
    """The class with the methods of `wears` before its own, if `wears` derives from one of its bases; else the class itself."""
    if wears is None or wears.__bases__[0] not in kind.__mro__:
        return kind
    return cast("type[T]", type(kind.__name__, (wears, kind), {}))
