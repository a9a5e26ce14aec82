"""Mutations of the text that do what the text does, each with the reason: the one table of what no property should catch.

`safepoint mutate` makes every simple mutation, and wants a reason for each that survives; a reason that fits no survivor is
reported too.

entry: what an entry says
core: of words, requester, owner and sites
further: of the triggers, and of what not every VM has
shared: of a trigger with words that all threads check
without: of what a policy has no feature for
"""

from __future__ import annotations

from safepoint.protocol.equivalents.core import CORE
from safepoint.protocol.equivalents.entry import Equivalents, Key
from safepoint.protocol.equivalents.further import FURTHER
from safepoint.protocol.equivalents.shared import SHARED
from safepoint.protocol.equivalents.without import WITHOUT

EQUIVALENTS: tuple[Equivalents, ...] = (*CORE, *FURTHER, *SHARED, *WITHOUT)


def reason(key: Key, policy: str) -> str:
    """Why the mutation does the same as the text of a policy; "" if the table does not say."""
    found = (e.reason for e in EQUIVALENTS if policy in (e.policies or (policy,)) and key in e.mutations())
    return next(found, "")
