"""The verdict on a trace, for people."""

from __future__ import annotations

from safepoint.trace.verdict import Verdict
from safepoint.trace.walk import first_names

NAMES = {"frames": "frame pushes", "back_edges": "back-edges", "returns": "returns", "allocations": "allocations"}
"""Kind of check, as a `Bound` has it, to its name."""


def verdict_lines(verdict: Verdict, name: str) -> list[str]:
    """What was judged, what was not, and the refusal if there is one."""
    header, refusal = verdict.header, verdict.refusal
    world = (
        f"{_number(len(header.threads), 'thread')}, {_number(verdict.requesters, 'requester')}, policy {header.policy}"
    )
    lines: list[str] = []
    if refusal is None:
        lines.append(f"accepted: {_number(verdict.events, 'event')}, {world}: a run of the protocol")
    else:
        lines += refusal.lines(name)
        lines.append(f"  safepoint rules {refusal.rule}; safepoint accept {name}")
    if verdict.walked:
        lines.append(f"order: the threads are walked as {first_names(verdict.walked)}, and not as in the header")
    if verdict.worst is not None:
        most = verdict.declared.of_kinds()
        told = ((NAMES[kind], n, most[kind]) for kind, n in verdict.worst.as_json().items())
        lines.append(
            "bound: "
            + ", ".join(
                f"at most {n} {what} of {limit} declared" if limit is not None else f"no bound of {what} is declared"
                for what, n, limit in told
            )
        )
    else:
        lines.append("bound: not judged, for posts or slow paths are not logged")
    if verdict.candidates > 1:
        lines.append(f"orders of what overlaps: up to {verdict.candidates} at once")
    lines += [f"not judged: {kind} is not logged: {what}" for kind, what in verdict.not_judged.items()]
    if verdict.absent:
        lines.append(f"not judged: never happened: {', '.join(verdict.absent)}")
    return lines


def _number(n: int, what: str) -> str:
    return f"{n:,} {what}" + ("" if n == 1 else "s")
