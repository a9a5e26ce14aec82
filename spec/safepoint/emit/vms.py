"""What stands in a procedure of the header and in no line of the text: where the VM has its say, and what C asks for."""

from __future__ import annotations

import ast

SLEEP = "block"
"""The procedure that sleeps: it is handed a condition of the VM's."""
READY = (("sp_ready *", "ready"), ("void *", "of"))
"""Its parameters for that: type and name."""
READY_TYPE = """\
/* Is what t sleeps for there? `sp_block` calls it outside guest code, with the VM's own `of`: it
 * touches nothing that a collector moves. */
typedef bool sp_ready(void *of);
"""
LOOK_AT_IT = (
    "/* What t sleeps for may have come before `wake` was 0: then `sp_awaken` was too early. */",
    "if (ready && ready(of)) {",
    "    sp_awaken(t);",
    "}",
)
"""Between its look at the pending bits and its wait."""
COMPILER_FENCE = (
    "/* The requester's fence is for the processor; this one is for the compiler. */",
    "atomic_signal_fence(memory_order_seq_cst);",
)
"""Where membarrier takes a barrier away: the publishing and the look stay in this order."""
HOOK_OF = {"SAMPLE": "SP_SAMPLED(t);"}
"""Request to what serves it, if that is the VM's alone."""
MORE = {
    SLEEP: "`ready(of)`: is what t sleeps for there? It is called after `wake` is 0, so what comes earlier is not lost: the thread that"
    " has it makes `ready` true first, then calls `sp_awaken`. Both access what it reads as seq_cst, as C's atomics are by default, or under one lock."
    " NULL: t sleeps for requests alone. It may return too early: a thread sleeps in a loop.",
    "grow_stack": "`extra`: how much larger than `limit_real` the stack is now, not by how much it has grown since the last call. It stays"
    " so for the next thread in this record; if that has a stack of the first size, `sp_grow_stack(t, 0)` comes before `sp_start_thread`.",
}
"""Procedure to one more paragraph about it."""
DESCRIBED = {
    "add_pending": "Put requests into the pending bits.",
    "take_pending": "Take the requests that may be delivered now out of the pending bits; masked ones stay.",
    "look_pending": "The requests that may be delivered now, which stay where they are.",
    "drop_pending": "Take all that is pending, whichever thread it was meant for.",
    "hold_record": "From here on t's record is not used again, until `sp_let_go_of_record`, which follows in any case. True: t is alive.",
    "let_go_of_record": "Once for each `sp_hold_record`, whatever that has said.",
    "await_holders": "Before the record of a thread that has ended is used again, or freed: no requester is busy with it any more.",
}
"""Procedure to what is said of it in place of what the text says, which is about the text's files, or the model's words."""
AT = {
    "return": "The check of a return, before its frame is popped. SP_GO: pop it; anything else is raised in that frame.",
    "allocation": "The check of an allocation, before there is an object. SP_GO: now ask whether there is room; all that the thread holds may have moved.",
}
"""Site that is neither a frame push nor a back-edge to what is said of its check."""
SAID = {
    "extra": "by how much the stack is larger than limit_real; an end or a birth leaves it",
    "page": "every check loads it; poison: it is to look",
    "heap_limit": "how far an object may reach: an allocation compares the end of the new one with it",
    "left": "how many back-edges go on before one compares with the limit",
    "deferred": "requests that were masked when they were taken",
    "pending": "requests that the owner has not taken yet",
}
"""The same of a word of the record."""
FAMILIES = {"kinds of request: bits of Thread.pending": "kinds of request, each a bit"}
"""The same of constants."""


def replaces_a_barrier(node: ast.If, feature: str) -> bool:
    """Is it the access that membarrier has in place of another?"""
    return feature == "membarrier" and bool(node.orelse)


def word_checked(parameters: list[ast.arg], node: ast.If) -> str:
    """Which of a row of trigger words a check reads; "": it is of no row."""
    rows = [a.arg for a in parameters if a.annotation and ast.unparse(a.annotation) == "Trigger"]
    read = {n.id for n in ast.walk(node.test) if isinstance(n, ast.Name)}
    return next((name for name in rows if name in read), "")
