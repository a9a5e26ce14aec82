"""Where each VM checks, by which mechanism, and which bound it declares: a policy a file.

folded: ours: the stack limit and the dispatch table
dart: request bits inside the stack limit
cpython: flag bits
pypy: a ticker
v8_maglev: the stack limit, at entry and loop
skybison: the stack limit, at calls only
go: the same, with critical sections and stacks that grow
v8_ignition: the stack limit at entry, a budget at back-edges
wasmtime: a counter of all, a deadline of each
guard_page: a load from a page
yarv: flag bits, at returns and back-edges
hotspot: a load from a page, at returns and back-edges
ocaml: the end of the heap, at allocations and back-edges
pypy_sampling: the same, at allocations only
patched: ours: the stack limit, the dispatch table, and jumps of compiled code

The last paragraph of each says which features its text is written for, and why it has no others. The variants are asked of `folded` alone:
they are of the core, whatever a check looks at.
"""

from __future__ import annotations

from safepoint.protocol.policies import (
    cpython,
    dart,
    folded,
    go,
    guard_page,
    hotspot,
    ocaml,
    patched,
    pypy,
    pypy_sampling,
    skybison,
    v8_ignition,
    v8_maglev,
    wasmtime,
    yarv,
)
from safepoint.protocol.policy import Policy

FOLDED, DART, CPYTHON, PYPY = folded.POLICY, dart.POLICY, cpython.POLICY, pypy.POLICY
V8_MAGLEV, SKYBISON, GO = v8_maglev.POLICY, skybison.POLICY, go.POLICY
V8_IGNITION, WASMTIME, GUARD_PAGE = v8_ignition.POLICY, wasmtime.POLICY, guard_page.POLICY
YARV, HOTSPOT, OCAML, PYPY_SAMPLING = yarv.POLICY, hotspot.POLICY, ocaml.POLICY, pypy_sampling.POLICY
PATCHED = patched.POLICY

POLICIES: dict[str, Policy] = {
    p.name: p
    for p in (
        FOLDED, DART, CPYTHON, PYPY, V8_MAGLEV, SKYBISON, GO, V8_IGNITION, WASMTIME, GUARD_PAGE, YARV, HOTSPOT, OCAML, PYPY_SAMPLING,
        PATCHED,
    )
}  # fmt: skip
"""Every policy, by the name that the command line takes."""


def is_own(name: str) -> bool:
    """Does a name on the command line say a file, in which a user's own policy stands?"""
    return name not in POLICIES and (":" in name or name.endswith(".py"))


FIRST = (FOLDED.name, DART.name, CPYTHON.name, PYPY.name)
"""One of each family: two words, one word, a flag, a counter.  What is the core's, and so every policy's, is asked of these alone where it takes
long: combinations of features (`verify`), and mutations of every line (`mutate`).  Of the others the tiny scopes are explored, and a
night explores the rest.
"""


def is_ours(policy: Policy) -> bool:
    """Is it one of these, as it stands here?  One of a user's own is not, nor one of these with another period."""
    return POLICIES.get(policy.name) is policy
