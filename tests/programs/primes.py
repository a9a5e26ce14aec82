# Trial division: a loop with two ways out.
def prime(n):
    d = 2
    while d * d <= n:
        if n % d == 0:
            return False
        d += 1
    return n > 1


found = 0
for n in range(60):
    if prime(n):
        found += 1
        print(n, found)
