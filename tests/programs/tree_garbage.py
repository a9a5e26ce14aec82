# Binary trees, as collectors are timed with: one lives long, many die young.  Run it with --heap 1M --stats.


def build(depth):
    load = [depth] * 800
    if depth == 0:
        return [None, None, load]
    return [build(depth - 1), build(depth - 1), load]


def nodes(tree):
    left, right, load = tree[0], tree[1], tree[2]
    if left is None:
        return len(load) // 800
    return nodes(left) + 1 + nodes(right)


DEEPEST = 5
long_lived = build(DEEPEST)
for depth in range(1, DEEPEST + 1):
    count = 0
    turns = 1 << (DEEPEST - depth)
    for i in range(turns):
        count += nodes(build(depth))
    print(turns, "trees of depth", depth, "have", count, "nodes")
print("the long-lived one has", nodes(long_lived))
