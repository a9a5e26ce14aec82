"""Policy `yarv`: Ruby's virtual machine tests its interrupt flags, less those that are masked, when a frame is left and at jumps.

Read in CRuby's `insns.def` (`leave`, `jump` and the branches), `vm_core.h` (`RUBY_VM_CHECK_INTS`) and `thread.c`
(`rb_threadptr_execute_interrupts`). A return sees a complete post at once, before the frame is popped, and so does a back-edge: 1 and 1.
A push sees none: frames unbounded.

* Frames have no bound here because unwinding checks nothing: `def f(): try: f() except RecursionError: pass; f()` runs for 2 to the power of the
  stack's depth, and executes neither a return nor a jump backward. CRuby looks there too, at `throw` and in `vm_pop_frame`, as long as no
  exception is being set up: so its own bound in pushes is the depth of its stack, better than this one. Calls that return are seen in both.
* One return, at most; in frame pushes there is no bound.
* The interpreter checks at every jump, its compilers (YJIT, ZJIT) at those that go backward only, as here.
* The flags are the truth and the trigger, set by an atomic OR: `flag` as in `cpython`, with masked bits left where they are
  (MASKED-STAYS). The slow path returns at once while an exception is being set up; here nothing is served in the middle of one either.
* It repeats until no flag is left; here one round serves what was taken, and what is posted meanwhile fails the next check.

Features: masks (`interrupt_mask`, `handle_interrupt`), unwinding (`Thread#kill` runs `ensure`), handlers (trap handlers run Ruby code),
blocking (a region with an unblock function), collect (a ractor raises the barrier for the others), births (`Thread.new`). No limit: the
machine stack does not grow, and its check is apart.
"""

from __future__ import annotations

from safepoint.protocol.policy import Bound, Policy

POLICY = Policy(
    name="yarv",
    title="unmasked flag bits, tested at returns and back-edges: calls check nothing",
    trigger="flag",
    sites=("return", "back-edge"),
    declared=Bound(frames=None, back_edges=1, returns=1),
    slices=("masks", "unwinding", "handlers", "blocking", "collect", "births"),
)
