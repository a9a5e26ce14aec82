# A sliding puzzle of 2 by 3, solved by breadth-first search; states are strings, the queue and what was seen are lists.

GOAL = "12345_"
MOVES = [[1, 3], [0, 2, 4], [1, 5], [0, 4], [1, 3, 5], [2, 4]]


def swapped(state, a, b):
    if a > b:
        a, b = b, a
    return state[:a] + state[b] + state[a + 1 : b] + state[a] + state[b + 1 :]


def hole(state):
    for at in range(len(state)):
        if state[at] == "_":
            return at
    raise ValueError("no hole in " + repr(state))


def solve(start, most):
    queue, seen = [[start, None]], [start]
    at = 0
    while at < len(queue):
        node = queue[at]
        at += 1
        if node[0] == GOAL:
            return node
        if len(seen) > most:
            raise OverflowError("too many states")
        empty = hole(node[0])
        for other in MOVES[empty]:
            state = swapped(node[0], empty, other)
            if state not in seen:
                seen.append(state)
                queue.append([state, node])
    return None


def path(node):
    states = []
    while node is not None:
        states.append(node[0])
        node = node[1]
    backwards = []
    while states:
        backwards.append(states.pop())
    return backwards


for start in ["12345_", "1_3425", "_12453", "54321_"]:
    try:
        found = path(solve(start, 60))
        print(len(found) - 1, "moves:", end="")
        for state in found:
            print("", state[:3] + "/" + state[3:], end="")
        print()
    except OverflowError as e:
        print(start, e)
try:
    solve("123", 10)
except ValueError as e:
    print(e)
