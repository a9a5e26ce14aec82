# Collatz sequences as lists, the longest ones, and a memory of lengths that may be missing.

known = [None] * 60
known[1] = 1


def sequence(n):
    steps = [n]
    while steps[-1] != 1:
        last = steps[-1]
        steps.append(last // 2 if last % 2 == 0 else 3 * last + 1)
    return steps


def length(n):
    try:
        if known[n] is not None:
            return known[n]
    except IndexError:
        return 1 + length(n // 2 if n % 2 == 0 else 3 * n + 1)
    known[n] = 1 + length(n // 2 if n % 2 == 0 else 3 * n + 1)
    return known[n]


print(sequence(7), len(sequence(27)), max(sequence(27)))
best = []
for n in range(1, 30):
    if not best or length(n) > best[-1][1]:
        best.append([n, length(n)])
print(best)
print(known[:20], len(sequence(25)) == known[25])
