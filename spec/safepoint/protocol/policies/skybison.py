"""Policy `skybison`: every frame push compares with the stack limit, which a request poisons; loops check nothing.

Read in Skybison's `Thread` (`interrupt`, `clearInterrupt`, `handleInterrupt`), in its interpreter, and in the assembly that this
emits. A push sees a complete post at once: 1 frame. A loop that pushes no frame sees none, ever: back-edges unbounded, and
`safepoint.model.bounds.lasso_of` shows the loop, one back-edge long. Generators push a frame when they go on, so they are checked.

Skybison itself breaks rules of the text, and what it does stands there as mutants: it posts and takes without a lock
(`unlocked-post`, `unlocked-take`); it clears the bits, then the poison (`take-before-restore`), and nothing looks again; when a
handler fails, it puts back a bit, and no poison (`given-back-unpoisoned`, which takes two requests that raise). Its first poison came before the bit (`poison-before-post`), its assembly once
compared with the other limit (`compares-the-real-limit`), and each interrupt made the push fail (`push-not-retried`). It had one
thread and signals; the model asks more of the text, which has none of these.

Features: handlers, which run guest code at the site. No masks, unwinding, collect, births: it had one thread, which kept nothing for
later and was not ended from outside. No blocking: a signal ends the system call by itself. No limit: its stack has one size.
"""

from __future__ import annotations

from safepoint.protocol.policy import Bound, Policy

POLICY = Policy(
    name="skybison",
    title="frame push compares with the poisoned stack limit, request bits beside it: loops check nothing",
    trigger="limit",
    sites=("push",),
    words=("limit",),
    declared=Bound(frames=1, back_edges=None),
    slices=("handlers",),
)
