# Small: a try in a loop, a loop in a try, and both in a finally.


def count(limit):
    n = 0
    while n < limit:
        try:
            n += 1
            if n == 2:
                continue
        finally:
            n += 0
    return n


total = 0
try:
    try:
        total = count(3)
    finally:
        for x in [1, 2]:
            total += x
except KeyboardInterrupt:
    total -= 100
print(total)
