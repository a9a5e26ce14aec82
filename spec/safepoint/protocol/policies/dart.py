"""Policy `dart`: request bits inside the stack limit, compared at entry and at loop headers.

One word says both that and why, so there is nothing to order between them; a requester changes it by a compare-and-swap loop.
Read in the Dart VM's thread and stub code (`Thread::ScheduleInterrupts`, stack overflow stubs).  Bound 1 and 1.

Features: masks (`NoOOBMessageScope` defers a kind of request, in a word beside the limit), unwinding (an isolate is ended by an error that
no guest code catches), handlers (what a message asks for at the check may run guest code, as a debugger does), blocking (a message
wakes an isolate that waits for one), collect (the thread that fills the heap stops the others), births (a `Thread` comes from the list
of those that have ended, and its limit is set anew). No limit: it is set when a thread enters an isolate, before it runs guest code,
and stays.
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
