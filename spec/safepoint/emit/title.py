"""The header's top: what it is, its bound, who calls what, and what is not in it."""

from __future__ import annotations

from collections.abc import Container, Iterator

from safepoint.protocol.policies import POLICIES, PYPY, V8_IGNITION
from safepoint.protocol.policy import COMPILED_BACK_EDGE, Policy

TITLE = """\
safepoint.h: the safepoint protocol in C11, policy {name}: {what}.

Made by `{command}` from the text that the explorer explores, a function for each of its procedures, each access with the order
that it was explored with. Make it anew rather than change it.

{bound}

{fast}

The owner of a record is the thread that runs guest code with it. Its own are the checks, leaving and coming back, masks, sleep,
birth and end. A thread that posts, asks for a handshake, stops or starts the world is a requester; a guest thread that stops the
world, or asks for a handshake, does so by the functions that end in `_from`.

{lives}

`sp_post` waits for nothing and is made of lock-free accesses: a signal handler may call it, also on the thread that it interrupts,
if it may call SP_WAKE. A stack grows upward: `end` is where the new frame ends, and must not wrap; where it grows downward, hand in
`limit` and `end` negated. Headroom for native code that checks nothing is the VM's: it lies above the limit."""
"""What the header says of itself."""
OWN = (
    ("threads", "how a thread is made, where its record stands, and when it is freed: hold it, or never free it"),
    ("long work", "how much of it an instruction does between two checks"),
    ("sleep", "SP_WAIT and SP_WAKE; without them a wait spins"),
    (
        "fork",
        "the child has one thread, and a copy of every word: `sp_make_world`, then `sp_make_thread` for each record",
    ),
)
"""What a reader may look for."""
AT_CALLS = (
    "The fast path: a frame push makes one comparison, which it makes for the stack anyway. A back-edge makes none: `sp_back_edge` says that it"
    " goes on, whatever is asked, and nothing asks a loop that pushes no frame."
)
AT_ALLOCATIONS = (
    "The fast path: an allocation makes one comparison, which it makes for its room anyway: of the end of the object with `t->heap_limit`, a relaxed"
    " load; its poison lies below every end. If the object ends above, the VM calls `sp_allocation`, and on SP_GO `t->heap_limit_real` decides: no room"
    " is the allocator's to deal with, not an error."
)
A_WORD_FOR_A_PAGE = (
    "a load of the word `page`, which is compared with its poison. In the text it stands for the protection of a page, which no access of C's"
    " changes; as a word it is what HotSpot's returns compare with since JDK 16. A VM that protects a page has a system call for each swap, a load"
    " that faults for the comparison, and a handler that goes to `sp_slow_path`: docs/policies.md has what that needs."
)
FAST = {
    "folded": "The fast path: a frame push makes one comparison, which it makes for the stack anyway. A back-edge makes none if the VM"
    " dispatches through `t->entry[n]`, a relaxed load: the handler that stands there while it is poisoned, at SP_ENTRY_POISON, calls"
    " `sp_slow_path` and goes on at `t->entry_real[n]`. A VM without such a table calls `sp_back_edge`: a comparison and a jump.",
    "dart": "The fast path: one comparison of one word, which a frame push makes for the stack anyway; a back-edge makes it too.",
    "cpython": "The fast path: a load of the request bits and a test, beside the comparison with the stack limit.",
    "pypy": "The fast path: a load, a test, and a store of one less, beside the comparison with the stack limit.",
    "v8_maglev": "The fast path: a frame push makes one comparison, which it makes for the stack anyway; a back-edge compares the same word with"
    " its poison.",
    "v8_ignition": "The fast path: a frame push makes one comparison, which it makes for the stack anyway. A back-edge takes one from `left`, which"
    " is its thread's alone, and compares the limit with its poison when none is left.",
    "skybison": AT_CALLS,
    "go": AT_CALLS,
    "yarv": "The fast path: a load of the request bits and a test, at a return (`sp_return`) and at a back-edge. A frame push compares with the stack"
    " limit, of which no requester knows, and sees no request: frames that are left by an exception alone are asked nowhere.",
    "guard_page": f"The fast path: {A_WORD_FOR_A_PAGE}",
    "hotspot": f"The fast path: at a return (`sp_return`) and at a back-edge {A_WORD_FOR_A_PAGE} A frame push sees no request: frames that are left by an"
    " exception alone are asked nowhere.",
    "ocaml": f"{AT_ALLOCATIONS} A back-edge compares the same word with its poison. A frame push sees no request: calls that neither loop nor"
    " allocate are asked nowhere.",
    "pypy_sampling": f"{AT_ALLOCATIONS} A back-edge makes no check, and a frame push sees no request: what does not allocate is asked nowhere.",
}
"""Policy to what its checks cost."""
NO_HEADER = {
    "epoch": "its one word models a counter and a deadline, and C needs these themselves",
}
"""Trigger to why policies with it have no header."""


def bound(policy: Policy) -> str:
    """How many checks a request may wait."""
    said = "Declared bound, in checks from a complete post to the one that notices it:"
    if policy.period and policy.trigger == V8_IGNITION.trigger:
        return f"{said} 1 frame; or as many back-edges as `budget`, which `sp_make_thread` is given. Explored with a budget of {policy.period}."
    if policy.period and policy.trigger == PYPY.trigger:
        return (
            f"{said} as many as `ticker`, which `sp_make_thread` is given, frames and back-edges together. A post that comes between the"
            f" load and the store of a check is overwritten, and seen when the ticker is 0. Explored with a ticker of {policy.period}."
        )
    return f"{said} {policy.declared}."


def fast(policy: Policy) -> str:
    """What its checks cost; of a user's own as of ours that makes the same."""
    same = (
        p.name for p in POLICIES.values() if (p.trigger, p.sites) == (policy.trigger, policy.sites) and p.name in FAST
    )
    there = f", and in `sp_{policy.elsewhere}`" if policy.elsewhere else ""
    whole = f"The fast path is in `sp_frame_push` and `sp_back_edge`{there}."
    return FAST.get(policy.name) or FAST.get(next(same, "")) or whole


def no_header(policy: Policy) -> str:
    """Why it has no header; "": it has."""
    if COMPILED_BACK_EDGE in policy.sites:
        return "requesters overwrite jumps that the VM's own compiler emits"
    return NO_HEADER.get(policy.trigger, "")


def lives(bodies: Container[str]) -> str:
    """How a thread begins and ends."""
    if "start_thread" in bodies:
        return "A thread begins with `sp_start_thread` and ends with `sp_exit_thread`, in a record that was made with SP_ENDED."
    return (
        "The text of this policy has no births. Make a record with SP_NATIVE: its thread begins with `sp_reenter`, which waits while the"
        " world is stopped, and ends with `sp_leave`, for good. Whether another thread may use its record then was not explored: do not."
    )


def paragraphs(policy: Policy, command: str, bodies: Container[str]) -> Iterator[str]:
    """What the header says of itself, in paragraphs."""
    what = policy.title.partition(":")[0]  # what that costs: see `fast`
    said = {"name": policy.name, "what": what, "bound": bound(policy), "fast": fast(policy), "lives": lives(bodies)}
    for each in TITLE.split("\n\n"):
        yield each.format(command=command, **said).replace(
            "*/", "* /"
        )  # of a user's own: a folder's name may end in a star
