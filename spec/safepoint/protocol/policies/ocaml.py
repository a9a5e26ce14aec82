"""Policy `ocaml`: OCaml 5 compares with the end of the young generation when it allocates, and where a loop does not allocate it polls.

Read in OCaml's `asmcomp/polling.ml` (which loops and functions get a poll), `runtime/domain.c` (`interrupt_domain`,
`caml_reset_young_limit`) and `runtime/signals.c`. An allocation sees a complete post at once, and so does a back-edge: 1 and 1. A push
sees none: frames unbounded.

* The argument of OCaml's authors is that an endless run has endlessly many loops or tail calls, so that it polls. That rules
  out endless runs, not long ones: `fib` on integers is finite, takes exponential time, and polls nowhere. That is why frames have no bound.
* The limit is poisoned by a release store after the reason was set (POST-BEFORE-POISON); the owner puts it back by an exchange, since a
  plain store would not do, and then reads all reasons: RESTORE-BEFORE-TAKE, TAKE-IS-A-BARRIER.
* A poll is an allocation of nothing, so it compares with the same word. It stands in the loop's head or at its back-edge; in a loop
  that allocates in every turn there is none, and the allocation is the check. Here every back-edge polls.
* What runs OCaml code (signal handlers, finalisers) waits until a safe place, what does not (a stop, a collection) is done at
  once; an allocation from C does only the second. That is a mask: MASKED-STAYS. An exception from a handler leaves the rest for later,
  and says so: TAKEN-IS-SERVED.
* What is really full is decided after the actions, again and again: the allocation is retried, as REAL-LIMIT-DECIDES has it of a push.

Features: masks, handlers (signal handlers are OCaml code), blocking (a blocking section looks before it lets go), collect (a domain is
the leader of a stop), births (domains). No unwinding: no domain is terminated from outside. No limit: stacks grow, but the word of
this trigger is the heap's.
"""

from __future__ import annotations

from safepoint.protocol.policy import Bound, Policy

POLICY = Policy(
    name="ocaml",
    title="allocations and loops compare with the poisoned end of the young generation: calls check nothing",
    trigger="heap_limit",
    sites=("allocation", "back-edge"),
    words=("heap_limit",),
    declared=Bound(frames=None, back_edges=1, allocations=1),
    slices=("masks", "handlers", "blocking", "collect", "births"),
)
