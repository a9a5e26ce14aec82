# Linked lists of two-element lists: built, reversed, merged, split; one of them goes round in a circle.


def linked(items):
    first = None
    for i in range(len(items) - 1, -1, -1):
        first = [items[i], first]
    return first


def unlinked(node):
    items = []
    while node:
        items.append(node[0])
        node = node[1]
    return items


def reverse(node):
    before = None
    while node:
        after = node[1]
        node[1] = before
        before, node = node, after
    return before


def merge(a, b):
    if a is None or b is None:
        return a or b
    if b[0] < a[0]:
        a, b = b, a
    a[1] = merge(a[1], b)
    return a


def split(node):
    other, turn = None, False
    rest = None
    while node:
        after = node[1]
        if turn:
            node[1], other = other, node
        else:
            node[1], rest = rest, node
        turn = not turn
        node = after
    return [rest, other]


def merge_sort(node):
    if node is None or node[1] is None:
        return node
    halves = split(node)
    return merge(merge_sort(halves[0]), merge_sort(halves[1]))


def circular(node):
    slow = fast = node
    while fast and fast[1]:
        slow, fast = slow[1], fast[1][1]
        if slow is fast:
            return True
    return False


chain = linked([3, 1, 4, 1, 5, 9, 2, 6])
print(chain)
print(unlinked(chain), unlinked(merge_sort(chain)))
print(unlinked(reverse(linked("abc"))), linked([]), circular(linked([1, 2, 3])))
ring = linked([1, 2])
ring[1][1] = ring
print(ring, circular(ring))
