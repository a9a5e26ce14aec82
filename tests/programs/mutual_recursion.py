# Two functions that call each other, by a decreasing argument.
def even(n):
    if n == 0:
        return True
    return odd(n - 1)


def odd(n):
    if n == 0:
        return False
    return even(n - 1)


print(even(50), odd(50), even(33), odd(33))
