# How long until 1: a loop whose number of turns nobody sees in advance.
def steps(n):
    count = 0
    while n != 1:
        n = n // 2 if n % 2 == 0 else 3 * n + 1
        count += 1
    return count


for n in range(1, 10):
    print(n, steps(n))
