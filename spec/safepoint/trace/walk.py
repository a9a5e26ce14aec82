"""The order in which a coordinator asks the threads to stop, where it is not that of the header: the protocol asks for none."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from safepoint.trace.events import EVENTS, Event, ToThread
from safepoint.trace.lines import Header
from safepoint.trace.refusal import Refusal

ENDS = (EVENTS["stop-requested"], EVENTS["stop-reached"], EVENTS["stop-released"], EVENTS["unlocked"])
"""What comes from the coordinator after it has asked the last thread, or before it asks the first."""

MOST_NAMES = 8


def walked(events: Iterable[Event], header: Header, refusal: Refusal) -> list[str]:
    """The threads of the header that the refused stop asks, in its order; none if it asks one twice.  `events`: of the whole trace."""
    order: dict[str, None] = {}
    asks = EVENTS[refusal.event.split()[0]]
    threads = {*header.threads}
    for number, event in enumerate(events):
        line = number + 2
        if event.by != refusal.by:
            continue
        if isinstance(event, ENDS):
            if line > refusal.line:
                break
            order.clear()
        elif isinstance(event, ToThread) and isinstance(event, asks) and event.to in threads:
            if line == refusal.line and event.to in order:
                return []  # asked twice
            order[event.to] = None
    return [*order]


def reordered(header: Header, order: Sequence[str]) -> Header:
    """The header of a VM whose coordinator walks the threads in this order, and then those that it has not asked."""
    rest = [name for name in header.threads if name not in order]
    return msgspec.structs.replace(header, threads=[*order, *rest])


def first_names(order: Sequence[str]) -> str:
    """The order, as much of it as a line has room for."""
    return ", ".join(order[:MOST_NAMES]) + (", …" if len(order) > MOST_NAMES else "")
