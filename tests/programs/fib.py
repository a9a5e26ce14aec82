# The classic; a longer one.
def fib(n):
    if n < 2:
        return n
    return fib(n - 1) + fib(n - 2)


for n in range(0, 15, 2):
    print(n, fib(n))
