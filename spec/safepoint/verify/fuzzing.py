"""Fuzzed programs on the interpreter, in a process of its own: one that hangs, or takes its process down, is a failure with a string.

`python -m safepoint.verify.fuzzing MUTANT INSTANCE …` is that process.  It is no child of multiprocessing, which a cluster's workers may not have.
"""

from __future__ import annotations

import faulthandler
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from safepoint.differential.fuzz import Instance, drawn, judge, parse
from safepoint.verify.failures import WrongFuzzed
from safepoint.verify.replay import find_stepped
from safepoint.verify.workers import end_with_parent

TARGET = "folded"
"""The interpreter."""
BOUND = 60
"""Seconds that one instance may take; on two machines that are idle it takes a hundredth of one."""
STARTING = 300
"""Seconds until the process is there, with its engine, on a busy machine."""
LONGEST = 300
"""Characters of what is said of one instance."""


@dataclass
class Fuzzed:
    """ways: how the instances ended, each with its number.  wrong: the first that is, as small as it was found to be."""

    ways: Counter[str] = field(default_factory=Counter)
    wrong: WrongFuzzed | None = None


def fuzz(kind: str, first: int, count: int, mutant: str = "") -> Fuzzed:
    """The instances of `count` seeds from `first` on, up to the first that is wrong; `mutant`: compiled into the interpreter."""
    found = Fuzzed()
    for instance, how, what in apart([drawn(kind, first + number) for number in range(count)], mutant):
        found.ways[how] += 1
        if what:
            found.wrong = smallest(instance, what, mutant)
            break
    return found


def smallest(instance: Instance, what: str, mutant: str = "") -> WrongFuzzed:
    """With as few edits as are wrong, in whatever way, and without the request if it is wrong without."""
    for less in instance.smaller():
        for _, _, why in apart([less], mutant):
            if why:
                return WrongFuzzed(str(less), why, mutant)
    return WrongFuzzed(str(instance), what, mutant)


def apart(instances: Sequence[Instance], mutant: str = "") -> list[tuple[Instance, str, str]]:
    """Of each, up to the first that is wrong: how it ended, and what is wrong with it, in another process."""
    command = [sys.executable, "-m", __name__, mutant, *map(str, instances)]
    places = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    try:
        ran = subprocess.run(
            command, check=False, capture_output=True, env=places, timeout=STARTING + BOUND * len(instances)
        )
        said, how = ran.stdout, f"it died (exit status {ran.returncode}): {_last(ran.stderr)}"
    except subprocess.TimeoutExpired as late:
        said, how = late.stdout or b"", "no answer"
    results: list[tuple[Instance, str, str]] = []
    for instance, line in zip(instances, said.decode(errors="replace").splitlines(), strict=False):
        ended, _, what = line.partition("\t")
        results.append((instance, ended, what))
        if what:
            return results
    if len(results) < len(instances):
        results.append((instances[len(results)], "died", how))
    return results


def _last(errors: bytes) -> str:
    """What faulthandler says of a process that hung, or that a signal has ended; else the last line."""
    lines = errors.decode(errors="replace").strip().splitlines() or ["it said nothing"]
    return next((line for line in lines if line.startswith(("Timeout", "Fatal"))), lines[-1])[:LONGEST]


def main(mutant: str, strings: Sequence[str]) -> None:
    """Judge each instance; a line for each."""
    end_with_parent()
    faulthandler.enable()
    target = find_stepped(TARGET, mutant)
    for string in strings:
        faulthandler.dump_traceback_later(BOUND, exit=True)  # its thread needs no GIL
        how, what = judge(parse(string), target)
        faulthandler.cancel_dump_traceback_later()
        print(how, " ".join(what.split())[:LONGEST], sep="\t", flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
