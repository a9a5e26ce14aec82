N = 3000000


def total(n):
    s = 0
    for i in range(n):
        for j in range(100):
            s = s + j
    return s


print(total(N))
