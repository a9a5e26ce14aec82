# Lists are shared, not copied; what changes them in place, and what makes new ones.

a = b = [1, 2]
a += [3]
print(a, b, a is b)
a = a + [4]
print(a, b, a is b)
b *= 2
print(b, [0] * 3, 2 * [[]], [[]] * 2 == [[], []])
rows = [[0] * 2] * 2
rows[0][1] = 7
print(rows, rows[0] is rows[1])
b += "xy"
b[1:3].append("lost")
print(b, b[-3:], b[2:-2], b[5:2], b[-100:2], b[len(b) :])
print(b.pop(), b.pop(0), b.pop(-2), b, b.append(None), b)
del b[0], b[-1]
b[0] **= 3
b[-1] = b
print(b, b in b, len(b[-1]), b[-1][-1] is b)


def grow(items):
    turns = 0
    for item in items:
        turns += 1
        if item < 4:
            items.append(item + 2)
    return turns


def shrink(items):
    seen = []
    for item in items:
        seen.append(item)
        items.pop()
    return seen


def at(items, index):
    try:
        return items[index]
    except IndexError as e:
        return str(e)


grown = [1, 2]
print(grow(grown), grown, shrink(grown), grown)
print(at([5], 0), at([5], 1), at([5], -1), at([5], -2), at("", 0), at("é", True - 1))
i = 0
x = [10, 20, 30]
i, x[i] = 1, 99
x[i], i = i, 2
print(i, x, x < [99, 1, 31], x < [99, 1], [] < x, x >= x[:], x != [99, 1, 30.0])
