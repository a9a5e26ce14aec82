"""How many events of a trace the acceptor judges in a second: random walks of the protocol, whose events overlap more and more.

`python -m bench.acceptor [WIDTH …]`.  Each trace is a legal run: the events of a walk of the explorer's, each with an interval around
its moment that reaches over up to WIDTH others' moments on each side.  CPU time, of a whole `safepoint accept`: reading, judging,
from a cold start.
"""

from __future__ import annotations

import gc
import io
import sys
import time
from collections.abc import Sequence
from heapq import heappop, heappush
from random import Random

from safepoint.model.scopes import SCOPES, Scope
from safepoint.trace.events import Event
from safepoint.trace.files import write_trace
from safepoint.trace.verdict import judge
from tests.trace.walks import Walk, header, model_of, stamped

WIDTHS = (0, 2, 4, 8)
MOVES = 120_000
"""Of a walk; each trace has some five events for six moves."""
BUSY = Scope(
    "busy",
    "nightly",
    4,
    ("coordinator", "interrupter", "sampler", "handshaker"),
    "four threads, four that ask all the time",
)
WORLDS = (SCOPES["both-2"], BUSY)


def overlaps(events: Sequence[Event]) -> float:
    """How many others an interval meets, on average."""
    met, open_ = 0, list[int]()
    for event in events:
        while open_ and open_[0] < event.before:
            heappop(open_)
        met += 2 * len(open_)
        heappush(open_, event.after)
    return met / len(events)


def main() -> None:
    widths = [int(width) for width in sys.argv[1:]] or WIDTHS
    print(f"{'threads':>7} {'asking':>6} {'overlaps an event':>18} {'events':>8} {'candidates':>10} {'events/s':>9}")
    for scope in WORLDS:
        model = model_of("folded", scope)
        walk = Walk(model, Random(1))
        walk.run(MOVES)
        names = [thread.name for thread in model.mutators]
        for width in widths:
            events = stamped(walk, names, Random(width), width)
            file = io.BytesIO()
            write_trace(file, header(model), events)
            file.seek(0)
            met = overlaps(events)
            gc.collect()
            began = time.process_time()
            verdict = judge(file, "walk")
            speed = verdict.events / (time.process_time() - began)
            assert verdict.refusal is None, "a legal run is refused"
            print(
                f"{scope.threads:7} {len(scope.roles):6} {met:18.1f} {verdict.events:8,} {verdict.candidates:10} {speed:9,.0f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
