# Call chains of growing depth inside loops; a longer one.
def chain(depth, x):
    if depth == 0:
        return x
    return chain(depth - 1, x + depth) + 1


total = 0
for depth in range(12):
    i = 0
    while i < 4:
        total += chain(depth, i)
        i += 1
    print(depth, total)
