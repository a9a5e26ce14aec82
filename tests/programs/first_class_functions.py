# Functions as arguments, as results, and compared.
def add(a, b):
    return a + b


def mul(a, b):
    return a * b


def fold(f, n, start):
    for i in range(1, n):
        start = f(start, i)
    return start


def pick(which):
    return add if which else mul


print(fold(add, 10, 0), fold(mul, 10, 1), fold(pick(1 < 2), 5, 0), fold(pick(0), 5, 1))
print(add is add, add == mul, pick(True) is not mul, not add, add and 1, pick(None)(6, 7))
