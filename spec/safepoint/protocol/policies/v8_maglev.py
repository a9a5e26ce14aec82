"""Policy `v8_maglev`: V8's optimized code. Function entry and loop compare with the stack limit, which a request poisons.

Read in V8's `StackGuard` and in what its compilers emit at entry and in loops. A push and a back-edge each see a complete post at
once: bound 1 and 1.

* Entry: one compare for overflow and interrupt (`FunctionEntryStackCheck`), since the poison is above every stack pointer.
* Loops: our field notes say that Maglev's compare with the limit in each turn. Its code does not: it spends the function's budget,
  and looks at the limit when that is used up, as `v8_ignition` does. In each turn TurboFan's loops compared with the limit; today
  they, and those of Maglev that spend no budget, load a byte that says the same of most kinds of request. This policy is the
  compare in each turn. Where a loop is unrolled, a turn is one of the unrolled ones.
* V8 changes limit and bits under one lock, so that they have no order; a requester without that lock, as here, needs the rules
  POST-BEFORE-POISON, RESTORE-BEFORE-TAKE and TAKE-IS-A-BARRIER. A signal handler may not take the lock: there POST-NEVER-WAITS
  asks for what is here.
* V8 tests the real limit first, and leaves bits and poison alone if the stack is full; here they are served, then the push is
  decided. TERMINATE it takes alone; here what came with it is given back: the same states.

Features: masks (`PostponeInterruptsScope`), unwinding (termination), handlers (API interrupts run guest code), blocking
(`Atomics.wait`, which a request wakes), collect (a thread stops the others for a global safepoint), limit (`SetStackLimit`,
which leaves poison alone), births (a `LocalHeap` begins parked).
"""

from __future__ import annotations

from safepoint.protocol.policy import Bound, Policy

POLICY = Policy(
    name="v8_maglev",
    title="entry and loop compare with the poisoned stack limit, request bits beside it",
    trigger="limit",
    words=("limit",),
    declared=Bound(frames=1, back_edges=1),
    slices=("masks", "unwinding", "handlers", "blocking", "collect", "limit", "births"),
)
