"""Policy `guard_page`: each check loads from a page of the thread's, which a requester protects, and the fault is the slow path.

The scheme of HotSpot's polling pages since each thread has its own (JEP 312), and, but that all threads share one page, of SBCL's and
Julia's safepoint pages. A push and a back-edge each see a complete post at once: bound 1 and 1.

* The handler knows a check's fault by the address of the instruction, and that the thread's page is protected; all other faults go to the
  handler that was there before. The slow path begins at the load; when it has returned, the instruction is executed
  again, without the check.
* A page for all threads is another protocol: it may not be made readable again before the last of them has been asked, so only the
  coordinator may do it, and a thread that faults early has to wait. Julia unprotects before it says that the stop has ended.
* Protecting is a system call. On Linux it is a barrier for its caller (a locked operation of the kernel's), so that TAKE-IS-A-BARRIER falls
  away: the restore is visible anyway; where the system does not promise that, keep the fence. No
  signal handler should make it, although the text allows a post from one (POST-NEVER-WAITS): a kernel's lock may be waited for.
* The stack check is apart: it compares with a limit that no requester poisons, so that LIMIT-KEEPS-POISON falls away.

Features: masks, unwinding, handlers, blocking, collect, births, as `folded` has them: a page says nothing of what a VM does
else. No limit: no request poisons it. No real VM's own, so the bound is what was found.
"""

from __future__ import annotations

from safepoint.protocol.policy import Bound, Policy

POLICY = Policy(
    name="guard_page",
    title="a load from a page at entry and back-edge, beside the stack check: protected, it faults",
    trigger="page",
    words=("page",),
    declared=Bound(frames=1, back_edges=1),
    slices=("masks", "unwinding", "handlers", "blocking", "collect", "births"),
)
