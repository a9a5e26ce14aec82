"""What a path ends in, where that is no single bad state: a loop in which something is never seen, or a trap.

`eventually` finds traps by going backward from the goal, `bounds` finds loops by going backward from checks; the words here
rest on going forward, from where the path ends.
"""

from __future__ import annotations

from safepoint.model.eventually import EVENTUALLY
from safepoint.model.system import Model

NEVER: dict[str, str] = {
    "request-is-seen": "{whom} always owes somebody an answer",
    "thread-runs": "{whom} never runs guest code again",
    "world-stops": "{whom} never gets the world stopped",
    "world-starts": "{whom} never starts again",
    "checks-pass": "the checks of {whom} never all pass again",
}
"""For each of EVENTUALLY, what it means that it cannot happen any more."""


def trapped(model: Model, broken: str, detail: str, state: int) -> str:
    """The words for a trap; of any other state the detail as it is."""
    if broken not in EVENTUALLY:
        return detail
    never = NEVER[broken].format(whom=detail.partition(":")[0])
    return f"from here on, whatever happens, {never} (all {following(model, state):,} states that can follow were looked at)"


def following(model: Model, state: int) -> int:
    """How many states can be reached from this one, it included."""
    seen, todo = {state}, [state]
    while todo:
        for new, _, _ in model.successors(todo.pop()):
            if new not in seen:
                seen.add(new)
                todo.append(new)
    return len(seen)
