"""The acceptor leaves orders out, and remembers: its verdicts are those of every order, tried one by one."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import pytest

from safepoint.trace.accept import Acceptor
from safepoint.trace.events import Event
from safepoint.trace.layout import Layout
from tests.trace.every_order import EveryOrder
from tests.trace.walks import Walk, header, model_of, stamped

WORLDS = [
    ("folded", "interrupt-1"),
    ("folded", "both-1"),
    ("folded", "handshake-1"),
    ("dart", "both-1"),
    ("cpython", "both-1"),
    ("folded", "interrupt-2"),
]
TRACES = 60
MOVES = 14
"""Of a walk: more events have more orders than can all be tried."""
WIDTHS = (2, 6, 12)


def damage(walk: Walk, random: Random) -> None:
    """An event is left out, doubled, moved, or told of another."""
    at = random.randrange(len(walk.events))
    who, event = walk.events[at]
    match random.randrange(4):
        case 0:
            del walk.events[at]
        case 1:
            walk.events.insert(random.randrange(len(walk.events)), (who, event))
        case 2:
            del walk.events[at]
            walk.events.insert(random.randrange(len(walk.events) + 1), (who, event))
        case _:
            walk.events[at] = who, random.choice([said for by, said in walk.events if by == who])


def refused(acceptor: Acceptor, events: list[Event]) -> int | None:
    if all(acceptor.take(event, number) for number, event in enumerate(events)) and acceptor.finish():
        return None
    assert acceptor.refusal is not None
    return acceptor.refusal.line


@pytest.mark.parametrize(("policy", "scope"), WORLDS)
def test_the_verdict_is_that_of_every_order(policy: str, scope: str, say: Callable[[str], None]) -> None:
    model = model_of(policy, scope)
    names = [thread.name for thread in model.mutators]
    layout = Layout(header(model))
    every, like = EveryOrder(layout), Acceptor(layout)
    random = Random(f"{policy} {scope}")
    counts = {"accepted": 0, "refused": 0}
    for number in range(TRACES):
        walk = Walk(model, random)
        walk.run(MOVES)
        if number % 3:
            damage(walk, random)
        events = stamped(walk, names, random, WIDTHS[number % 4 % 3])
        said = every.refused(events)
        assert refused(Acceptor(layout, like), events) == said == refused(Acceptor(layout), events), [
            (e.by, type(e).__name__, e.before, e.after) for e in events
        ]
        counts["accepted" if said is None else "refused"] += 1
        if not number % 3:
            assert said is None, "a run is accepted"
    assert min(counts.values()) >= TRACES // 10
    say(f"every order, {policy} {scope}: {counts['accepted']} traces accepted, {counts['refused']} refused")
