"""A profile as a file: collapsed stacks, the format of speedscope, or a flame graph, by the file's suffix."""

from __future__ import annotations

import json
from collections.abc import Callable

from safepoint.guest.profile import BYTES, Frame, Profile
from safepoint.show.flames import CONTROLS, flame_graph

SCHEMA = "https://www.speedscope.app/file-format-schema.json"


def collapsed(profile: Profile, _title: str = "") -> str:
    """A line for each stack: its calls, outermost first, separated by semicolons; a space; its weight.  The first is the thread.

    The format has no escapes: a semicolon or a control character in a name becomes an underscore.
    """
    stacks = sorted(profile.merged().items())
    table = CONTROLS | {ord(";"): "_"}
    return "".join(f"{';'.join(name.translate(table) for name in stack)} {weight}\n" for stack, weight in stacks)


def speedscope(profile: Profile, title: str) -> str:
    """A profile for each thread, of one sample for each of its stacks, the heaviest first: in which order they came is not kept."""
    numbers: dict[Frame, int] = {}
    profiles = []
    for thread, stacks in profile.threads.items():
        found = stacks.most_common()
        samples = [[numbers.setdefault(frame, len(numbers)) for frame in stack] for stack, _ in found]
        profiles.append(
            {
                "type": "sampled",
                "name": thread,
                "unit": profile.every.unit,
                "startValue": 0,
                "endValue": stacks.total(),
                "samples": samples,
                "weights": [weight for _, weight in found],
            }
        )
    frames = [
        {"name": frame.name, "file": frame.file, "line": frame.line} if frame.line else {"name": frame.name}
        for frame in numbers
    ]
    file = {
        "$schema": SCHEMA,
        "shared": {"frames": frames},
        "profiles": profiles,
        "name": title,
        "activeProfileIndex": 0,
        "exporter": "safepoint",
    }
    return json.dumps(file, ensure_ascii=False, separators=(",", ":")) + "\n"


FORMATS: dict[str, Callable[[Profile, str], str]] = {
    ".collapsed": collapsed,
    ".txt": collapsed,
    ".json": speedscope,
    ".svg": flame_graph,
}
"""Suffix of a file -> what makes it: (profile, title) -> text."""


def summary(profile: Profile) -> str:
    """What was sampled, and what was not, in one line."""
    said = f"{profile.samples:,} samples for {_amount(profile, profile.weight)}"
    said += " allocated" if profile.every.unit == BYTES else " of CPU time"
    said += f", {len(profile.threads)} thread{'s' * (len(profile.threads) != 1)}"
    if profile.cut:
        said += f"; {profile.cut:,} deeper than a sample has room for: their outermost calls are cut"
    if profile.dropped:
        missing = _amount(profile, profile.lost)
        said += f"; {profile.dropped:,} more, for {missing}, were dropped: the ring was full, sample less often"
    return said


def _amount(profile: Profile, weight: int) -> str:
    """A weight in words."""
    return f"{weight / 2**20:.1f} MiB" if profile.every.unit == BYTES else f"{weight / 1e6:.2f} s"
