N = 8000000


def primes(n):
    a = [True] * (n + 1)
    c = 0
    i = 2
    while i <= n:
        if a[i]:
            c = c + 1
            j = i + i
            while j <= n:
                a[j] = False
                j = j + i
        i = i + 1
    return c


print(primes(N))
