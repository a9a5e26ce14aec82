"""What every line of a trace has, its header, and its closing record.

`chain` is the CRC-32 of every byte of the lines before.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

VERSION = 1
"""Of the format."""
RULES = 1
"""The version of the rules that a trace is judged by: it changes when a VM that was right would have to log something else."""

Name = Annotated[str, Meta(min_length=1, max_length=100, description="of a thread or requester")]
Count = Annotated[int, Meta(ge=0, le=(1 << 63) - 1)]
Chain = Annotated[int, Meta(ge=0, le=(1 << 32) - 1, description="CRC-32 of every byte of the lines before")]


class Line(msgspec.Struct, tag_field="event", forbid_unknown_fields=True, gc=False):
    """What every line begins with."""

    seq: Count
    chain: Chain


class Header(Line, tag="trace"):
    """The first line.  threads: names of the guest threads' records.  running: those that run guest code when the trace begins;
    the others begin by `spawned`.  silent: kinds of events that this VM does not log.  period: of a ticker; 0: the policy's own.
    entries: how many words a row of trigger words has.  variants: what the VM does otherwise, by the model's names.
    """

    format: Literal["safepoint-trace"]
    version: int
    rules: int
    vm: Annotated[str, Meta(max_length=200)]
    policy: str
    threads: Annotated[list[Name], Meta(min_length=1, max_length=1024)]
    running: list[Name]
    silent: list[str] = []
    variants: list[str] = []
    period: Annotated[int, Meta(ge=0, le=1 << 20)] = 0
    entries: Annotated[int, Meta(ge=0, le=64)] = 1


class End(Line, tag="end"):
    """The last line: how many events there are."""

    count: Count
