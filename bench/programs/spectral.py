N = 500


def a(i, j):
    return 1.0 / ((i + j) * (i + j + 1) / 2 + i + 1)


def times(n, u, v):
    for i in range(n):
        s = 0.0
        for j in range(n):
            s = s + a(i, j) * u[j]
        v[i] = s


def times_transposed(n, u, v):
    for i in range(n):
        s = 0.0
        for j in range(n):
            s = s + a(j, i) * u[j]
        v[i] = s


def norm(n):
    u = [1.0] * n
    v = [0.0] * n
    w = [0.0] * n
    for turn in range(10):
        times(n, u, w)
        times_transposed(n, w, v)
        times(n, v, w)
        times_transposed(n, w, u)
    vbv = 0.0
    vv = 0.0
    for i in range(n):
        vbv = vbv + u[i] * v[i]
        vv = vv + v[i] * v[i]
    return (vbv / vv) ** 0.5


print(int(norm(N) * 1000000000.0))
