"""Policy `hotspot`: compiled Java code polls at returns and at the back-edges of loops that are not counted, by a load that may fault.

Read in HotSpot's `safepointMechanism`, `safepoint.cpp`, and the safepoint polls of its compilers. Each thread has a page of its own since
JEP 312. A return sees a complete post at once, and so does a back-edge: 1 and 1. A push sees none, nor does
unwinding: frames unbounded, if a program fills its stack and unwinds it again and again. (HotSpot's runtime throws the StackOverflowError, and looks
when it comes back to Java code: there such a program is seen.)

* Since JDK 16 the poll of a return compares the stack pointer with the thread's polling word, which is a watermark as well; before, and at
  back-edges still, it loads from the polling page. Both are armed together, so the word adds no state to the page's: here it is one.
* Any thread may arm, only the owner disarms (OWNER-RESTORES), with a full fence, then looks whether anything is pending: RESTORE-BEFORE-TAKE.
* A counted loop polls once in 1,000 turns (strip mining), or never where that is off: one back-edge of the model is then a whole strip, or
  the whole loop.
* The interpreter polls at the bytecodes that return or branch, by a dispatch table that is swapped, or by the same word.
* The stack check is a touch of the pages below the frame, apart from all this.

Features: masks (a scope in which asynchronous exceptions are kept for later), blocking (a blocked thread is safe, and looks when it comes
back), births (threads begin and end only outside a safepoint, under a lock), collect (the VM's own thread stops the world for a thread that finds
the heap full; here a guest thread does). No unwinding: since `Thread.stop` is gone, JVMTI alone raises in another thread, and what it raises may be caught,
as an INTERRUPT may. No handlers: no Java code runs at a poll. No limit:
stacks do not grow.
"""

from __future__ import annotations

from safepoint.protocol.policy import Bound, Policy

POLICY = Policy(
    name="hotspot",
    title="a load from the thread's polling page at returns and back-edges: protected, it faults; calls check nothing",
    trigger="page",
    sites=("return", "back-edge"),
    words=("page",),
    declared=Bound(frames=None, back_edges=1, returns=1),
    slices=("masks", "blocking", "collect", "births"),
)
