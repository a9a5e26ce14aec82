N = 1000


def make(d):
    if d == 0:
        return [None, None]
    return [make(d - 1), make(d - 1)]


def check(t):
    if t[0] is None:
        return 1
    return 1 + check(t[0]) + check(t[1])


def total(n):
    s = 0
    for i in range(n):
        s = s + check(make(12))
    return s


print(total(N))
