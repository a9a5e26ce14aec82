# stack: 300
# Recursion without an end: RecursionError, however deep the stack is.
def down(n):
    return down(n + 1) + 1


print(1)
down(0)
