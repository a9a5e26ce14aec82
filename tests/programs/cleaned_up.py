# A `finally` with every kind of check site, and ways to leave one early: what TERMINATE runs, and raises again after.
from safepoint.guest.api import masked


def leaves(n):
    while True:
        try:
            leaves
        finally:
            if n:
                break
            return 0


try:
    try:
        leaves(0)
    except:
        print("never")
    leaves(1)
finally:
    print("cleans")
    with masked():
        leaves
    for i in range(1):
        leaves
