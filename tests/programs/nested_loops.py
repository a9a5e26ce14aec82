# Three loops in one another, of both kinds; the inner bounds depend on the outer variables.
def volume(n):
    cells = 0
    for x in range(n):
        y = 0
        while y <= x:
            for z in range(y, n, 2):
                cells += x ^ y ^ z
            y += 1
    return cells


for n in range(6):
    print(n, volume(n))
