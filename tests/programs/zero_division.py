# Ends in a ZeroDivisionError, three calls deep.
def divide(a, b):
    return a // b


def through(a, b):
    return divide(a, b)


for b in range(3, -1, -1):
    print(b, through(100, b))
