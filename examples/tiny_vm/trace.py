"""Tiny VM's log as a trace for `safepoint accept`: `tiny_vm_traced 200 | python trace.py > run.trace`.

A line of the log is what `SP_EVENT` said: two stamps, who was at it, the event, the record that it is about, and its detail.
"""

from __future__ import annotations

import json
import sys
import zlib
from collections.abc import Iterable, Iterator
from typing import Any

KINDS = ("STOP", "HANDSHAKE", "INTERRUPT", "SAMPLE", "TERMINATE")
WORDS = ("limit", "entry[0]")
SITES = ("push", "back-edge", "look")
BACK = {"PARKED": "resumed", "NATIVE_ENTERED": "native-left", "CLEARED": "spawned"}
TO = {
    "POSTED",
    "POISONED",
    "WOKEN",
    "HANDSHAKE_ASKED",
    "HANDSHAKE_CLAIMED",
    "HANDSHAKE_RUN",
    "HANDSHAKE_DONE",
    "HANDSHAKE_BACKED_OFF",
}
ASKS = {
    "POSTED",
    "POISONED",
    "WOKEN",
    "LOCKED",
    "UNLOCKED",
    "STOP_REQUESTED",
    "STOP_REACHED",
    "STOP_RELEASED",
    "HANDSHAKE_ASKED",
}
"""What a guest thread does as a requester, under a name of its own."""
LOCAL = {"SERVED", "STOP_REACHED"}
"""What is no access."""


def events(log: Iterable[str]) -> Iterator[dict[str, Any]]:
    """The events of a log, in its order: that of their second stamps, for each thread."""
    left: dict[str, str] = {}
    for line in log:
        before, after, by, kind, to, detail = line.split()
        bits = int(detail)
        left[by] = BACK.get(kind, left.get(by, ""))
        if kind == "UNMASKED":  # at an end without a mask: nothing changes
            continue
        said: dict[str, Any] = {"event": left[by] if kind == "RETURNED" else kind.lower().replace("_", "-")}
        if kind in TO:
            said["to"] = f"T{to}"
        if kind in ("POSTED", "TOOK"):
            said["kinds"] = [name for n, name in enumerate(KINDS) if bits >> n & 1]
        elif kind == "SERVED":
            said["kind"] = KINDS[bits.bit_length() - 1]
        elif kind in ("POISONED", "RESTORED"):
            said["word"] = WORDS[bits]
        elif kind == "ENTERED":
            said["site"] = SITES[bits // 64]
        began, ended = 2 * int(before), 2 * int(after)
        who = f"{by} asks" if kind in ASKS and by[0] == "T" else by
        yield {**said, "by": who, "before": ended - 1 if kind in LOCAL else began, "after": ended}


def trace(log: Iterable[str], threads: int = 4) -> Iterator[str]:
    """The lines of the trace."""
    names = [f"T{n}" for n in range(threads)]
    found = sorted(events(log), key=lambda event: event["before"])
    head = {"event": "trace", "format": "safepoint-trace", "version": 1, "rules": 1, "vm": "tiny_vm", "policy": "folded",
            "threads": names, "running": [], "silent": []}  # fmt: skip
    chain = 0
    for seq, event in enumerate([head, *found, {"event": "end", "count": len(found)}]):
        line = json.dumps({**event, "seq": seq, "chain": chain}) + "\n"
        chain = zlib.crc32(line.encode(), chain)
        yield line


if __name__ == "__main__":
    given = sys.stdin.readlines()
    if not given:
        sys.exit("trace.py: the log is empty: tiny_vm_traced says why")
    sys.stdout.writelines(trace(given))
