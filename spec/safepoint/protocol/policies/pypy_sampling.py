"""Policy `pypy_sampling`: the profiler of PyPy that samples where the nursery is exhausted, or seems to be.

Read in the paper on allocation sampling (Jung and Bolz-Tereick, 2025). The top of the nursery is lowered to the
next sample point; an allocation that crosses it takes the slow path, which takes the sample, moves the point, and tries again. An allocation
sees a complete post at once: 1. Frames and back-edges see none: a loop that allocates nothing is never sampled.

* PyPy lowers the limit by its own thread, n bytes ahead, and needs no order for that. Here another thread may lower it at any time, a timer for
  one (`safepoint profile` does both), so its accesses need the memory orders of `ocaml`.
* One allocation may cross several sample points: they coalesce into one sample, which is weighed (`safepoint profile` counts the weight).
* All other requests of PyPy go by its ticker (`pypy`). The model posts every kind through this trigger, and claims the same for each.

Features: none. No masks, unwinding, handlers, blocking, collect, births: a sample raises nothing, runs no guest code, wakes and stops no thread,
and a thread that begins has no sample point yet. No limit: the word is the heap's, and not the stack's.
"""

from __future__ import annotations

from safepoint.protocol.policy import Bound, Policy

POLICY = Policy(
    name="pypy_sampling",
    title="samples behind the end of the nursery: allocations compare with it anyway, nothing else checks",
    trigger="heap_limit",
    sites=("allocation",),
    words=("heap_limit",),
    declared=Bound(frames=None, back_edges=None, allocations=1),
)
