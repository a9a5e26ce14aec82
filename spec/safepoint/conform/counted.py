"""Does the adapter count the checks for which a bound is declared?"""

from __future__ import annotations

from safepoint.conform.distances import CHECKS
from safepoint.conform.programs import ALONE, CALLS, CATCHES, LOOPS, NESTED, RECURSIVE, TO_THE_LIMIT
from safepoint.conform.runs import Refuted, Runs

SHOWS = {"back_edges": (LOOPS, NESTED, CATCHES), "frames": (CALLS, RECURSIVE, NESTED, CATCHES)}
"""Kind of check -> the programs that have some; of a further kind any may."""


def checks_are_counted(runs: Runs) -> None:
    """Raises Refuted if no program shows pushes, or back-edges, or checks of any kind with a bound: then every distance would be 0.

    A further kind may be declared without being counted, beside one that is: a hook before each instruction, say.
    """
    programs = runs.right(*(program for program in ALONE if program is not TO_THE_LIMIT))
    bounded = [check for check, limit in runs.limits.items() if limit is not None]
    counted = {check for check in bounded for p in programs if runs.alone(p).checks.get(check)}
    for check in bounded:
        shown = [p for p in programs if p in SHOWS.get(check, programs)]
        if check not in counted and shown and (check in SHOWS or not counted):
            one, many = CHECKS.get(check, (check, f"{check}s"))
            names = ", ".join(program.name for program in shown)
            raise Refuted(
                f"program   {names}\nposted    nothing\nseen      no {one} is counted\n"
                f"claimed   {many} are counted, or their bound is declared as None"
            )
