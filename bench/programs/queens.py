N = 13


def solve(n, row, cols, d1, d2):
    if row == n:
        return 1
    c = 0
    i = 0
    while i < n:
        if not cols[i] and not d1[row + i] and not d2[row - i + n]:
            cols[i] = True
            d1[row + i] = True
            d2[row - i + n] = True
            c = c + solve(n, row + 1, cols, d1, d2)
            cols[i] = False
            d1[row + i] = False
            d2[row - i + n] = False
        i = i + 1
    return c


print(solve(N, 0, [False] * N, [False] * (2 * N), [False] * (2 * N)))
