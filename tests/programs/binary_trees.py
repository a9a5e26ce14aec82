# Binary trees of lists: made, counted, searched, and thrown away.


def tree(depth):
    if depth == 0:
        return [None, None]
    return [tree(depth - 1), tree(depth - 1)]


def count(node):
    if node[0] is None:
        return 1
    return 1 + count(node[0]) + count(node[1])


def insert(node, key):
    if node is None:
        return [None, key, None]
    if key < node[1]:
        node[0] = insert(node[0], key)
    elif key > node[1]:
        node[2] = insert(node[2], key)
    return node


def walk(node, into):
    if node:
        walk(node[0], into)
        into.append(node[1])
        walk(node[2], into)
    return into


def depth(node):
    return 0 if node is None else 1 + max(depth(node[0]), depth(node[2]))


long_lived = tree(6)
for size in range(2, 6, 2):
    total = 0
    for _ in range(2 ** (5 - size)):
        total += count(tree(size))
    print(f"trees of depth {size}: {total} nodes")
print("long lived:", count(long_lived))

root = None
key = 7
for _ in range(25):
    key = key * 37 % 101
    root = insert(root, key)
keys = walk(root, [])
print(keys)
print(len(keys), depth(root), root)
