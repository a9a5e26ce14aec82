"""Policy `go`: Go before 1.14. A function's prologue compares with `stackguard0`, which a request poisons; loops check nothing.

Read in the runtime's `proc` and `stack` (`preemptone`, `newstack`, `execute`, `releasem`). A prologue sees a complete post at once:
1 frame. A loop without a call sees none: back-edges unbounded (golang/go#10958), until 1.14 sent a signal as well.

The text is that of `skybison`: `preempt` is the pending bit, `stackguard0` the limit, and a request sets the one, then the other.
What is another way in Go is the core's, and the core's states are among Go's:

* In a critical section (locks held, `mallocing`, `preemptoff`) `newstack` restores the guard and leaves `preempt` set: MASKED-STAYS.
  At its end Go poisons the guard again, and the next prologue sees; here the end looks by itself, and is a site: UNMASK-LOOKS.
* It knows a request by the poison in the guard, not by the bit, and makes the prologue decide again when the goroutine goes on:
  here the slow path takes the bits, and the push is decided there. A poison with nothing behind it costs Go a trip through the
  scheduler, here nothing.
* `execute` clears `preempt`, then restores the guard, and a stack that grows overwrites a poison, as a comment there admits. Both
  are mistakes against the text (`take-before-restore`, `limit-blindly`). Go lives with them, because a requester that wants the world
  stopped, or a time slice ended, asks again and again. Its own bound is 1 frame from a request that is not lost so.

Features: masks; collect (the goroutine that stops the world is the coordinator); limit (stacks grow); births (a goroutine begins in
the record of one that has ended). No unwinding, handlers: nothing is raised in a goroutine from outside. No blocking: a request does
not wake a goroutine that is parked.
"""

from __future__ import annotations

from safepoint.protocol.policy import Bound, Policy

POLICY = Policy(
    name="go",
    title="prologue compares with the poisoned stack guard, a sticky flag beside it: loops check nothing",
    trigger="limit",
    sites=("push",),
    words=("limit",),
    declared=Bound(frames=1, back_edges=None),
    slices=("masks", "collect", "limit", "births"),
)
