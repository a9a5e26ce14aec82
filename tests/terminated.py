"""Programs that terminate their threads, and what each prints by its own text: CPython cannot run them."""

from __future__ import annotations

from pathlib import Path

PROGRAMS = {path.stem: path for path in sorted((Path(__file__).with_name("programs") / "terminated").glob("*.py"))}

SAYS = {
    "no_way_out": (
        "['return', 'out', 'break', 'out', 'continue', 'out', 'raise', 'out', 'catch', 'caught', 'out', 'end', 'out']\n",
        6,
    ),
    "once_more": ("['cleaned', 0, 1]\n", 0),
    "supervised": ("[2, 4, 3, 4, 16, 5, 6, 36, 7]\n", 0),
    "terminated_workers": ("free [0, 1, 3, 4, 5, 2]\n", 6),
    "terminates_itself": ("['goes on', 'cleans', 'unmasked', 'interrupted']\nwhole\nwhole\nall ended\n", 6),
}
"""Program -> its output, under any schedule; and how many threads are ended."""
