"""What each step of a model says of its thread, looked up in the protocol's table of activities.  Refuses a text by which it cannot."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from safepoint.graph.ir import SELF, Claim, Ghost, If, Let, Step, Tree, When
from safepoint.graph.text import ProtocolError
from safepoint.model.process import Mover
from safepoint.model.system import Model
from safepoint.protocol.activities import ACTIVITIES, ASLEEP, AWAITING, NEEDED, OPERATING, POSTING, STOPPED, Activity

NOBODY = -1


@dataclass(frozen=True)
class Doing:
    """Which thread a step posts to, awaits or operates on (NOBODY: none); has it stopped the world; does it sleep?"""

    posting: int = NOBODY
    awaiting: int = NOBODY
    operating: int = NOBODY
    stopped: bool = False
    asleep: bool = False


def is_at(step: Step, name: str) -> bool:
    """Is a thread that stands at this step doing what the activity of this name says?"""
    activity = ACTIVITIES[name]
    return (
        (not activity.op or step.op == activity.op)
        and (not activity.word or (step.cell is not None and step.cell.word == activity.word))
        and (not activity.waits or step.guard is not None)
        and (not activity.within or bool(set(activity.within) & set(step.where)))
        and (not activity.ghost or any(g.op == activity.ghost for t in step.then for g in ghosts(t)))
    )


def doing(mover: Mover, step: Step) -> Doing:
    owner = _owner(mover, step)
    return Doing(
        posting=owner if is_at(step, POSTING) else NOBODY,
        awaiting=owner if is_at(step, AWAITING) and owner != mover.me else NOBODY,
        operating=owner if is_at(step, OPERATING) else NOBODY,
        stopped=is_at(step, STOPPED),
        asleep=is_at(step, ASLEEP),
    )


def _owner(mover: Mover, step: Step) -> int:
    if step.cell is None:
        return NOBODY
    owner = mover.me if step.cell.owner == SELF else step.cell.owner
    return owner if isinstance(owner, int) else NOBODY


def ghosts(tree: Tree) -> Iterator[Ghost]:
    """The ghost statements of a step's local work."""
    match tree:
        case Ghost(then=then):
            yield tree
            yield from ghosts(then)
        case If(_, yes, no):
            yield from ghosts(yes)
            yield from ghosts(no)
        case Let() | Claim() | When():
            yield from ghosts(tree.then)


def require(model: Model) -> None:
    """Raises ProtocolError for a text in which an activity that the scope needs is not found.

    A mutant is not asked: its right text was, and what the mistake takes away is for the properties to miss.
    """
    if model.mutant:
        return
    steps = [step for mover in model.movers for step in mover.graph.steps]
    for need in ("mutator", *model.scope.roles, *model.scope.slices):
        for name in NEEDED.get(need, ()):
            if not any(is_at(step, name) for step in steps):
                raise ProtocolError(
                    f"{model.text.files[0].name}: in scope {model.scope.name} no step says that {ACTIVITIES[name].says}:"
                    f" what it should be judged by would hold of nothing (write: {_found_by(ACTIVITIES[name])})"
                )


def _found_by(activity: Activity) -> str:
    """How the table recognises a step."""
    if activity.within:
        return f"a step inside {' or '.join(f'{name}()' for name in activity.within)}"
    if activity.ghost:
        return f"{activity.ghost}(kind, t) after an access"
    return f"wait(t.{activity.word}.load() …)"
