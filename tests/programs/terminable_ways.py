# Every way out of a section that a TERMINATE ends; undisturbed it is no more than its statements.
from safepoint.guest.api import masked, terminable


def leaves(n):
    while True:
        with terminable():
            try:
                if n == 1:
                    break
                if n == 2:
                    n = 1
                    continue
                if n == 3:
                    return "returned"
                with terminable():
                    with masked():
                        leaves
                    raise ValueError(n)
            finally:
                for i in range(1):
                    leaves
        n = 3
    return "broken off"


with terminable():
    for n in range(1, 4):
        print(leaves(n))
try:
    leaves(0)
except ValueError as error:
    print("raised", error)
