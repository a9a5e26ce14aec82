# The spectral norm of an infinite matrix's corner, by the power method.


def a(i, j):
    return 1.0 / ((i + j) * (i + j + 1) // 2 + i + 1)


def times(v, transposed):
    result = []
    for i in range(len(v)):
        total = 0.0
        for j in range(len(v)):
            total += (a(j, i) if transposed else a(i, j)) * v[j]
        result.append(total)
    return result


def dot(u, v):
    total = 0.0
    for i in range(len(u)):
        total += u[i] * v[i]
    return total


def norm(n, rounds):
    u = [1.0] * n
    for _ in range(rounds):
        v = times(times(u, False), True)
        u = times(times(v, False), True)
    return (dot(u, v) / dot(v, v)) ** 0.5


for n in range(2, 7, 2):
    print(n, norm(n, 2))
