"""The accesses of the text as C11 spells them, each with the order that the model explores it with."""

from __future__ import annotations

from dataclasses import dataclass

from safepoint.graph.orders import ACQ_REL, ACQUIRE, PLAIN, RELAXED, RELEASE, SEQ_CST


@dataclass(frozen=True)
class Access:
    """name: in the header.  what: it is for.  function: of C11's, "" where the header has one of its own around it."""

    name: str
    what: str
    function: str
    order: str

    def with_order(self, order: str) -> str:
        """Its name where a mutant takes another order."""
        if order == self.order:
            return self.name
        return f"{self.name.removesuffix(f'_{self.order}')}_{order}"


def _access(access: str, name: str, what: str, function: str = "") -> Access:
    order = PLAIN.get(access, SEQ_CST)
    return Access(f"sp_{name}_{order}" if name in ("load", "store") else f"sp_{name}", what, function, order)


ACCESSES = {
    "load": _access("load", "load", "load()", "atomic_load_explicit"),
    "look": _access("look", "load", "look(): it passes nothing that its thread has published", "atomic_load_explicit"),
    "store": _access("store", "store", "store()", "atomic_store_explicit"),
    "publish": _access(
        "publish", "store", "publish(): seen before its thread looks at anything", "atomic_store_explicit"
    ),
    "fetch_or": _access("fetch_or", "fetch_or", "fetch_or(), locked: the old value", "atomic_fetch_or_explicit"),
    "fetch_and": _access("fetch_and", "fetch_and", "fetch_and(), locked: the old value", "atomic_fetch_and_explicit"),
    "fetch_add": _access("fetch_add", "fetch_add", "fetch_add(), locked: the old value", "atomic_fetch_add_explicit"),
    "fetch_sub": _access("fetch_sub", "fetch_sub", "fetch_sub(), locked: the old value", "atomic_fetch_sub_explicit"),
    "swap": _access("swap", "swap", "swap(), locked: the old value", "atomic_exchange_explicit"),
    "cas": _access("cas", "cas", "cas(), locked: whether it has put the new value there"),
}
"""Access of the text to what it is in C."""

ORDERS = (RELAXED, RELEASE, ACQUIRE, ACQ_REL, SEQ_CST)
IF_IT_FAILS = {RELEASE: RELAXED, ACQ_REL: ACQUIRE}
"""Order of a compare-and-swap to its order where it puts nothing there, which is a load; any other stays."""


def weak(name: str, order: str, usual: str = SEQ_CST) -> str:
    """The name of a function of the header that makes an access with this order."""
    return name if order == usual else f"{name}_{order}"


COUNTED = {"holders": "how many requesters are about to post to it: until it is 0 its record is not used again"}
"""Words of which the text says that their one bit stands for a count, which has too many states to explore: here they count."""
COUNTS = {"fetch_or": "fetch_add", "fetch_and": "fetch_sub"}
"""Of such a word: the access that sets the bit, and the one that clears it, to what counts."""
