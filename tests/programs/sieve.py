# The sieve of Eratosthenes, and what can be read off it.


def sieve(limit):
    prime = [True] * limit
    prime[0] = prime[1] = False
    n = 2
    while n * n < limit:
        if prime[n]:
            for multiple in range(n * n, limit, n):
                prime[multiple] = False
        n += 1
    return prime


def numbers(marks):
    found = []
    for n in range(len(marks)):
        if marks[n]:
            found.append(n)
    return found


primes = numbers(sieve(300))
print(len(primes), sum(primes), primes[:10], primes[-3:])
twins = 0
for i in range(1, len(primes)):
    if primes[i] - primes[i - 1] == 2:
        twins += 1
print(twins, "pairs of twins,", 97 in primes, 91 in primes, 91 not in primes)
