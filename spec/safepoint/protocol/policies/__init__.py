"""Where each VM checks, by which mechanism, and which bound it declares: a policy a file.

folded: ours: the stack limit and the dispatch table
dart: request bits inside the stack limit
cpython: flag bits
pypy: a ticker
"""

from __future__ import annotations

from safepoint.protocol.policies import cpython, dart, folded, pypy
from safepoint.protocol.policy import Policy

FOLDED, DART, CPYTHON, PYPY = folded.POLICY, dart.POLICY, cpython.POLICY, pypy.POLICY

POLICIES: dict[str, Policy] = {p.name: p for p in (FOLDED, DART, CPYTHON, PYPY)}
"""Every policy, by the name that the command line takes."""
