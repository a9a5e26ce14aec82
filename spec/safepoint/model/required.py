"""What a text must have so that its scopes can be judged: a text in which it is not found is refused."""

from __future__ import annotations

from safepoint.graph.text import ProtocolError
from safepoint.model.activity import is_at
from safepoint.model.system import Model
from safepoint.protocol.activities import ACTIVITIES, NEEDED, Activity


def require(model: Model) -> None:
    """Raises ProtocolError for a text in which an activity that the scope needs is not found.

    A mutant is not asked: its right text was, and what the mistake takes away is for the properties to miss.
    """
    if model.mutant:
        return
    steps = [(process.graph, step) for process in model.processes for step in process.graph.steps]
    for need in ("mutator", *model.scope.roles, *model.scope.slices):
        for name in NEEDED.get(need, ()):
            if not any(is_at(graph, step, name) for graph, step in steps):
                raise ProtocolError(
                    f"scope {model.scope.name}: no step says that {ACTIVITIES[name].says}:"
                    f" what it should be judged by would hold of nothing (write: {_found_by(ACTIVITIES[name])})"
                )


def _found_by(activity: Activity) -> str:
    """How the table recognises a step."""
    if activity.within:
        return f"a step inside {' or '.join(f'{name}()' for name in activity.within)}"
    if activity.ghost:
        return f"{activity.ghost}(kind, t) after an access"
    if activity.waits:
        return f"wait(t.{activity.word}.load() …)"
    return f"t.{activity.word}.swap({activity.stores})"
