N = 100000000


def total(n):
    s = 0
    for i in range(n):
        s = s + i
    return s


for turn in range(3):
    print(total(N))
