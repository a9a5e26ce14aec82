"""A custom text: its roles, the scopes it is explored in, and what it is judged by.

A text with a `mutator` of its own brings its whole world.  Its words are not ours, so our properties cannot be asked of it: it
is judged by the claims that it makes, and by no-deadlock, which speaks of no word.  A text without one is a variant of our
protocol: it gets our roles, our scopes and our properties.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from safepoint.graph.gather import gather
from safepoint.graph.text import ProtocolError, Text
from safepoint.model.environment import scopes_of_variant
from safepoint.model.explore import Judge
from safepoint.model.properties import Properties
from safepoint.model.roles import roles
from safepoint.model.scopes import Scope, chosen
from safepoint.model.system import Model
from safepoint.protocol import files
from safepoint.protocol.policies import FOLDED
from safepoint.protocol.policy import Policy

THREADS = {"tiny": (1,), "small": (1, 2), "nightly": (1, 2, 3)}
"""How many guest threads the scopes of a group have: ours say more of each scope, but know the text."""


def read(given: Path | Sequence[Path] | None, policy: Policy = FOLDED) -> Text:
    """The protocol with the policy's trigger (None); a custom text; or the protocol with these files in place of some of ours.

    Raises ProtocolError.
    """
    chosen_files = (given,) if isinstance(given, Path) else given
    return gather(chosen_files, policy.trigger) if chosen_files else Text(files(policy.trigger))


def scopes_of(text: Text) -> dict[str, Scope]:
    """Ours; or, of a custom text, each role alone, with those that a thread has, and all of them, the smallest first.  Raises ProtocolError."""
    if not text.is_custom:
        return scopes_of_variant(text)
    found = roles(text)
    if not found:
        raise ProtocolError(
            f"{text.files[0].name}: the text defines no requester, only threads (write: a role, `def name() -> None:` that ends in `return name()`)"
        )
    of_threads = tuple(role for role in found if text.functions[role].kind)  # a thread has them in every world
    alone = [role for role in found if role not in of_threads]
    worlds = {role: (role, *of_threads) for role in alone if len(alone) > 1}
    worlds["all" if len(found) > 1 else found[0]] = found
    made: dict[str, Scope] = {}
    for group, counts in THREADS.items():
        for name, who in worlds.items():
            why = f"{' and '.join(who)} beside {counts[-1]} of its threads"
            made[f"{name}-{counts[-1]}"] = Scope(f"{name}-{counts[-1]}", group, counts[-1], who, why)
    return made


def chosen_of(text: Text, scope: str, threads: int | None = None, slices: tuple[str, ...] | None = None) -> list[Scope]:
    """A scope by its name; or those of a group, as `scopes.chosen`.  Raises KeyError, ProtocolError."""
    known = scopes_of(text)
    if scope not in THREADS:
        return [known[scope]]
    if not text.is_custom:
        return chosen(scope, threads, slices, known)
    groups = tuple(THREADS)[: tuple(THREADS).index(scope) + 1]
    return [s for s in known.values() if s.group in groups and threads in (None, s.threads)]


def judge_of(model: Model) -> Judge:
    """What is asked of each state.  The claims of a text, and no-deadlock, are asked by the search itself."""
    return _nothing if model.text.is_custom else Properties(model).judge


def _nothing(_: int) -> None:
    return None
