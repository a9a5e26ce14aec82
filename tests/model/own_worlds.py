"""Own texts, made of a head with words of every kind and some functions, and explored."""

from __future__ import annotations

from pathlib import Path

from safepoint.graph.text import Text
from safepoint.model.custom import scopes_of
from safepoint.model.explore import Result, search
from safepoint.model.roles import roles
from safepoint.model.system import Model
from safepoint.model.widths import fitting

HEAD = """\
A, B, C = 1, 2, 4


class Thread:
    go: Trigger
    x: Word
    y: Word
    held: Suspension


class Me(Thread):
    i: int
    j: int = 3


class World:
    count: Word
    full: Word = begins(B)


world: World


def threads() -> Iterable[Thread]:
    raise NotImplementedError


"""
MUTATOR = "def mutator(t: Me) -> None:\n    pause()\n    return mutator(t)\n\n\n"
DEBUGGER = "def debugger() -> None:\n    pause()\n    return debugger()\n\n\n"


def text_of(tmp_path: Path, *functions: str) -> Text:
    path = tmp_path / "mine.py"
    path.write_text(HEAD + "\n\n".join(functions) + "\n", encoding="utf-8")
    return Text((path,))


def explored(text: Text, threads: int = 1, memory: str = "sc", most: int = 100_000) -> Result:
    """All roles together."""
    found = roles(text)
    scope = scopes_of(text)[f"{found[0] if len(found) == 1 else 'all'}-{threads}"]
    return fitting(
        lambda wider: Model(text, scope, memory=memory, wider=wider), lambda model: search(model, lambda _: None, most)
    )


def values(result: Result, owner: int | str, word: str) -> set[int]:
    return {result.model.value(state, owner, word) for state in result.reached}
