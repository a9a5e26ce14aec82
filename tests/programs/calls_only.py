# Calls and nothing else: frame pushes are the only check sites.
def leaf(x):
    return x + 1


def twice(x):
    return leaf(leaf(x))


def four(x):
    return twice(twice(x))


print(four(four(four(0))), four(-20))
