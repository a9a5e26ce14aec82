"""The sets of states that are never left: found once for a graph, they decide of any goal whether it can be reached from everywhere."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

OVER = -1
"""In place of a position on the path: a closed set that can be reached from the state is known."""


def closed_sets(states: Iterable[int], following: Callable[[int], Iterable[int]]) -> Iterator[list[int]]:
    """The closed sets: no move leads out of one, and in it every state can be reached from every other.

    From every state at least one of them can be reached.  So a goal can be reached from everywhere exactly if it holds
    somewhere in each.  states: all of a graph.  following: the states that one move leads to.

    A depth-first search, of which the states on the path are kept in components (H. N. Gabow, Path-based depth-first search for
    strong and biconnected components, 2000).  As only closed ones are looked for, a path is over with its first complete
    component, which is closed, and as soon as it comes to where an earlier one was.
    """
    position: dict[int, int] = {}
    for root in states:
        if root in position:
            continue
        position[root] = 0
        path, bounds = [root], [0]  # bounds: where on the path a component begins, as far as is known
        todo = [(0, iter(following(root)))]
        while todo:
            here, rest = todo[-1]
            for new in rest:
                at = position.get(new)
                if at is None:
                    position[new] = at = len(path)
                    path.append(new)
                    bounds.append(at)
                    todo.append((at, iter(following(new))))
                    break
                if at == OVER:
                    todo.clear()
                    break
                while bounds[-1] > at:  # a cycle: what stands on it is one component
                    bounds.pop()
            else:
                todo.pop()
                if bounds[-1] == here:
                    yield path[here:]
                    todo.clear()
        position.update(dict.fromkeys(path, OVER))
