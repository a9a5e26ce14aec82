"""Money that is neither lost nor made, whenever the interrupt comes: it waits until both accounts are written."""

from safepoint.guest.api import masked

accounts = [60, 40]


def move(amount):
    with masked():
        left = accounts[0] - amount
        for turn in range(2):
            accounts[turn] = left if turn == 0 else 100 - left


i = 0
try:
    while i < 6:
        move(i)
        i += 1
except KeyboardInterrupt:
    i = 6
print(sum(accounts))
