"""Policy `wasmtime`: a counter of the engine's is compared with a deadline of the store's, at function entry and loop headers.

Read in wasmtime's code generator for epochs (entry check, loop check, and the second one that reads the deadline anew), and in
`Engine::increment_epoch`. A push and a back-edge each see an increment at once: bound 1 and 1, counted in checks from the increment.

* There is no request: an increment says *that*, and a callback of the embedder's decides *why*, and sets the next deadline. Here the
  pending bits stand for what the embedder knows; they are set before the counter is advanced (POST-BEFORE-POISON), which relaxed
  increments, as wasmtime makes them, do not order by themselves: an embedder that passes data so needs the order of the text.
* The owner's next deadline is the restore: a deadline once reached stays reached until then, so that nothing is lost. The text has the
  same by a locked step.
* An increment is for every store of the engine: the others enter their slow path, find nothing, and go on (SPURIOUS-IS-NOTHING).
* A deadline may be n increments away, where the embedder means it as a time slice. That is no parameter here, as a ticker's period is: what it
  counts is not checks but increments, and a requester makes one for each request. So a request waits for n of them, of which others make all
  but one, and then for 1 check; where no others come it waits for ever. (`tests/model/test_deadlines.py` finds just that for 1 to 4.) As a
  mechanism for requests it needs a timer that never stops; the text has the deadline that the next increment reaches.
* The stack check is apart since wasmtime gave up its poisoned limit, in which leaving wasm stored back an old limit, and with it lost
  a request (commit c22033bf): the mutant `limit-blindly` of other triggers, which cannot be made here.

Features: masks (an embedder whose callback only extends the deadline), unwinding (a trap), handlers (the callback). No blocking: nothing
wakes a store that a host call keeps. No collect: stores do not stop each other. No births: a store is not used again. No limit: no
request poisons it any more.
"""

from __future__ import annotations

from safepoint.protocol.policy import Bound, Policy

POLICY = Policy(
    name="wasmtime",
    title="a global epoch compared with the thread's own deadline, at entry and loop header: one increment is for all",
    trigger="epoch",
    words=("epoch",),
    declared=Bound(frames=1, back_edges=1),
    slices=("masks", "unwinding", "handlers"),
)
