# `while True` with break and continue; the loop's only test is a constant.
def first_above(limit):
    n = 0
    while True:
        n += 1
        if n % 3 == 0:
            continue
        if n * n > limit:
            break
    return n


for limit in range(0, 100, 25):
    print(limit, first_above(limit))
while 1:
    break
