"""Policy `dart`: request bits inside the stack limit, compared at entry and at loop headers.

One word says both that and why, so there is nothing to order between them; a requester changes it by a compare-and-swap loop.
Read in the Dart VM's thread and stub code (`Thread::ScheduleInterrupts`, stack overflow stubs).  Bound 1 and 1.
"""

from __future__ import annotations

from safepoint.protocol.policy import Bound, Policy
from safepoint.protocol.words import BITS

POLICY = Policy(
    name="dart",
    title="request bits inside the stack limit, compared at entry and loop header: one word, so nothing to order",
    trigger="bits_in_limit",
    words=("limit",),
    declared=Bound(frames=1, back_edges=1),
    slices=("masks", "unwinding", "handlers", "blocking", "collect", "births"),
    base=BITS,
)
