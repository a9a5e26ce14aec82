"""Policy `v8_ignition`: V8's interpreter. Entry compares with the poisoned stack limit; a jump back spends a budget, then looks too.

Read in V8's interpreter assembler (the budget's update at `JumpLoop` and `Return`), its baseline compiler, and the runtime function
that a used-up budget calls. A push sees a complete post at once: 1 frame. A back-edge sees it when the budget is used up: as many
as that. Proved for budgets of 1 to 4, each exactly the bound; V8's is in bytes of bytecode, so divide it by the loop's size.

* What the runtime function does in order (real overflow, interrupts, then whether to compile) is the core's, as for `v8_maglev`,
  whose remarks on lock, limit and TERMINATE hold here too. Maglev's loops that spend a budget are of this policy.
* A budget of V8's belongs to a function, here to a thread. So V8's bound is the budget for a loop that stays in its function; each
  function that is returned to may spend another, as many as there are frames.
* A return spends the budget too, and then does not look, but refills it: it cannot be interrupted in its end. That is the mutant
  `budget-refilled` at a place where only a stack's depth of returns can follow each other without a push that looks. Not modelled.

Features: those of `v8_maglev`.
"""

from __future__ import annotations

from safepoint.protocol.policy import Bound, Policy

POLICY = Policy(
    name="v8_ignition",
    title="entry compares with the poisoned stack limit, a back-edge counts a budget down and compares when it is used up",
    trigger="limit_and_budget",
    words=("limit",),
    declared=Bound(frames=1, back_edges=2),
    slices=("masks", "unwinding", "handlers", "blocking", "collect", "limit", "births"),
    period=2,
)
