"""The longest way through a weighted graph, which may have cycles.

A graph maps each node to its edges: the weight, and the next node, or END.  A cycle that weighs something has no longest way: it is
`UNBOUNDED`, or `DEPTH` if each turn of it goes through a node that leaves a frame, for then a thread's stack bounds it.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import Generic, NamedTuple, TypeVar

Node = TypeVar("Node", bound=Hashable)

FINITE, DEPTH, UNBOUNDED = range(3)


class Length(NamedTuple):
    """In this order: any finite one, any that the stack's depth bounds, any without bound.

    number: of a finite one.  per_frame: of one that the depth bounds, what comes once for each frame of calls inside each other.
    """

    rank: int
    number: int = 0
    per_frame: int = 0

    def plus(self, other: Length) -> Length:
        return Length(max(self.rank, other.rank), self.number + other.number, self.per_frame + other.per_frame)

    def __str__(self) -> str:
        return (f"{self.number:,}", "depth", "unbounded")[self.rank]


ZERO = Length(FINITE)
END = None
"""The node where every way ends."""

Edges = Sequence[tuple[Length, Node | None]]


class Way(NamedTuple, Generic[Node]):
    """The longest way from a node.  gain: its first edge's weight.  rest: from the next node on; None: it ends there."""

    length: Length
    node: Node
    gain: Length = ZERO
    rest: Way[Node] | None = None


class Longest(Generic[Node]):
    """ways: node -> its longest way to END; a node from which END is out of reach has none, unless the graph is `endless`.

    cycles: those that weigh something: each as its rank and its nodes.
    """

    def __init__(
        self,
        graph: Mapping[Node, Edges[Node]],
        leaves: Callable[[Node], bool] = lambda _: False,
        endless: bool = True,
        parts: Iterable[list[Node]] | None = None,
    ) -> None:
        """leaves: whether control that comes to the node has left a frame.  parts: the graph's `components`, where they are known.

        endless: whether a way that never comes to END counts, too.
        """
        self.ways: dict[Node, Way[Node]] = {}
        self.cycles: list[tuple[int, list[Node]]] = []
        self._graph = graph
        for nodes in components(graph) if parts is None else parts:  # each behind all that it leads to
            if len(nodes) == 1 and nodes[0] not in [to for _, to in graph[nodes[0]]]:
                self._one(nodes[0], endless)
            else:
                self._cycle(nodes, leaves, endless)

    def _one(self, node: Node, endless: bool) -> None:
        best = Way(ZERO, node) if endless and not self._graph[node] else None
        for weight, to in self._graph[node]:
            rest = self.ways.get(to) if to is not END else None
            if to is not END and rest is None:
                continue
            length = weight.plus(rest.length) if rest else weight
            if best is None or length > best.length:
                best = Way(length, node, weight, rest)
        if best is not None:
            self.ways[node] = best

    def _cycle(self, nodes: list[Node], leaves: Callable[[Node], bool], endless: bool) -> None:
        """All nodes of a cycle reach each other, so what one reaches, all do."""
        inside = set(nodes)
        best: Way[Node] | None = Way(ZERO, nodes[0]) if endless else None
        for node in nodes:
            for weight, to in self._graph[node]:
                rest = self.ways.get(to) if to is not END else None
                if to in inside or (to is not END and rest is None):
                    continue
                length = weight.plus(rest.length) if rest else weight
                if best is None or length > best.length:
                    best = Way(length, node, weight, rest)
        rank = self._rank(inside, leaves)
        if rank != FINITE:
            self.cycles.append((rank, nodes))
        if best is not None:
            turns = Length(UNBOUNDED if rank == DEPTH and self._has_no_number(inside) else rank)
            self.ways.update((node, Way(best.length.plus(turns), node, turns, best)) for node in nodes)

    def _rank(self, inside: set[Node], leaves: Callable[[Node], bool]) -> int:
        """Of turning in a cycle: an edge inside is on some turn."""
        if not self._weighs(inside):
            return FINITE
        within = {
            n: [(w, to) for w, to in self._graph[n] if to in inside and not _left(to, leaves)]
            for n in inside
            if not leaves(n)
        }
        for part in components(within):
            if self._weighs(set(part), within):
                return UNBOUNDED
        return DEPTH

    def _has_no_number(self, inside: set[Node]) -> bool:
        """May a turn be as long as it likes?  Then how many turns there are says nothing."""
        return any(weight.rank != FINITE for node in inside for weight, to in self._graph[node] if to in inside)

    def _weighs(self, inside: set[Node], graph: Mapping[Node, Edges[Node]] | None = None) -> bool:
        edges = graph if graph is not None else self._graph
        return any(weight > ZERO for node in inside for weight, to in edges[node] if to in inside)


def _left(to: Node | None, leaves: Callable[[Node], bool]) -> bool:
    return to is not None and leaves(to)


def components(graph: Mapping[Node, Edges[Node]]) -> Iterable[list[Node]]:
    """The strongly connected components, each behind all that it leads to: Tarjan's algorithm ("Depth-first search and linear
    graph algorithms", 1972), without recursion.  A node that is no key is not visited.
    """
    number: dict[Node, int] = {}
    low: dict[Node, int] = {}
    stack: list[Node] = []
    on_stack: set[Node] = set()
    for start in graph:
        if start in number:
            continue
        visits: list[tuple[Node, int]] = [(start, 0)]
        while visits:
            node, edge = visits.pop()
            if edge == 0:
                number[node] = low[node] = len(number)
                stack.append(node)
                on_stack.add(node)
            edges = graph[node]
            while edge < len(edges):
                to = edges[edge][1]
                edge += 1
                if to is None or to not in graph:
                    continue
                if to not in number:
                    visits += [(node, edge), (to, 0)]
                    break
                if to in on_stack:
                    low[node] = min(low[node], number[to])
            else:
                if low[node] == number[node]:
                    first = _find(stack, node)
                    yield (part := stack[first:])
                    del stack[first:]
                    on_stack.difference_update(part)
                if visits:
                    above = visits[-1][0]
                    low[above] = min(low[above], low[node])


def _find(stack: list[Node], node: Node) -> int:
    """Where a node is, sought from the end."""
    at = len(stack) - 1
    while stack[at] != node:
        at -= 1
    return at
