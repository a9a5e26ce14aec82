"""Policy `patched`: ours, as `folded`, for a VM that compiles hot functions: the jumps of their loops are overwritten, for all threads.

A frame push compares with the poisoned stack limit, an interpreted loop is dispatched through its thread's own table, and a
compiled loop ends in a direct jump: none of the three has an instruction for it. A requester overwrites the jump; whichever thread
comes by goes to the slow path. Each sees a complete post at once: bound 1 and 1, where a back-edge of compiled code counts as one.

Modelled on no VM. The nearest that our field notes have:

* JSC's optimized code has no check either, but places at which it can be invalidated. There a thread that sends signals puts breakpoints, when it has
  suspended the mutator and seen that this stands in compiled code, and tries again until the trap is handled; the code is thrown away. Here
  no thread is suspended, nothing is tried again, and the code is used on.
* LuaJIT swaps the interpreter's dispatch table, as `folded` does; its compiled traces look at nothing, unless it is built so that they
  test the hook mask in each loop. Such a loop sees no request: mutant `code-forgotten`.

Code that all threads execute is a word that all of them restore. So "only the owner restores" is true of the limit and the table alone, and
what takes its place for the jump are the six rules of the trigger's own, which two threads are needed to break, or three.

Features: masks, unwinding, handlers, blocking, collect, limit, births: the core's, as `folded` has them. Not the variants, which are asked
of that alone.
"""

from __future__ import annotations

from safepoint.protocol.policy import Bound, Policy

POLICY = Policy(
    name="patched",
    title="frame push on the poisoned limit, back-edge on the dispatch table, or on a jump that is overwritten for all threads",
    trigger="patched_jumps",
    sites=("push", "back-edge", "compiled back-edge"),
    words=("limit", "entry", "code"),
    declared=Bound(frames=1, back_edges=1),
    slices=("masks", "unwinding", "handlers", "blocking", "collect", "limit", "births", "loops"),
    widths=(("entry", 1), ("code", 1)),
)
