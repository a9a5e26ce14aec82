"""A deadline of n increments, as an embedder of wasmtime may set it: what bounds a request then, explored in a text of its own.

Policy `wasmtime` has the deadline that the next increment reaches, and a bound in checks.  With one that lies further off a request waits for
the increments of others too, and its bound is in these: n, the one of its own post included, and then one check.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.model.said import Said, explore

SLICE = """
K = 1


class Thread:
    pending: Word
    ahead: Word = begins({n})   # increments until its deadline; 0: that is reached


class Me(Thread):
    pass


class World:
    late: Word                  # increments since a request was posted that is not seen yet, its own among them


world: World


def mutator(t: Me) -> None:
    match choose():
        case "push":
            if t.ahead.load() == 0:
                next_deadline(t)
        case "back-edge":
            if t.ahead.load() == 0:
                next_deadline(t)
    return mutator(t)


def next_deadline(t: Me) -> None:
    with atomic():
        t.ahead.store({n})
        bits = t.pending.swap(0)
        served(bits, t)
        late = world.late.load()
        world.late.store(0)
    claim("within", late <= {within})


def requester() -> None:
    t = choose(threads())
    with atomic():
        t.pending.fetch_or(K)
        posted(t, K)
        increment(t)
    {then}
    return requester()


def timer() -> None:
    t = choose(threads())
    with atomic():
        increment(t)
    return timer()


def increment(t: Thread) -> None:
    ahead = t.ahead.load()
    if ahead > 0:
        t.ahead.store(ahead - 1)
        asked = t.pending.load()
        if asked != 0:
            world.late.fetch_add(1)


def scopes() -> None:
    scope("posts", {roles})
"""


def said(tmp_path: Path, n: int, within: int, roles: str = "requester, timer", then: str = "pause()") -> Said:
    file = tmp_path / "deadline.py"
    file.write_text(SLICE.format(n=n, within=within, roles=roles, then=then), encoding="utf-8")
    return explore(file, "--json")


@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_the_bound_is_as_many_increments_as_the_deadline_is_away(n: int, tmp_path: Path) -> None:
    """The closed form, exactly: with one less it is refuted.  In checks there is one with the next increment's deadline alone, and it is 1."""
    assert said(tmp_path, n, within=n).code == 0
    (row,) = json.loads(said(tmp_path, n, within=n).out)["protocol"]
    checks = 1 if n == 1 else None
    assert row["bound"] == {"frames": checks, "back_edges": checks}
    refuted = json.loads(said(tmp_path, n, within=n - 1).out)["refuted"]
    assert refuted["property"] == "within"


@pytest.mark.parametrize(("n", "broken"), [(1, ""), (2, "owed-is-served"), (4, "owed-is-served")])
def test_where_each_request_is_one_increment_the_last_of_them_may_wait_for_ever(
    n: int, broken: str, tmp_path: Path
) -> None:
    """No timer, and a requester that asks once: it increments once, as `post` does, and the deadline is not reached."""
    found = json.loads(said(tmp_path, n, within=n, roles="requester", then="rest()").out)
    assert (found["refuted"] or {}).get("property", "") == broken
