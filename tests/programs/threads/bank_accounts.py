"""Transfers between accounts, each with its lock, taken in one order: money is neither made nor lost."""

from threading import Lock, Thread

balances = [1000, 1000, 1000, 1000]
locks = [Lock(), Lock(), Lock(), Lock()]
refused = [0, 0, 0]
counting = Lock()


def transfer(source, target, amount):
    first = min(source, target)
    second = max(source, target)
    with locks[first]:
        with locks[second]:
            if balances[source] < amount:
                return False
            balances[source] -= amount
            balances[target] += amount
            return True


def teller(number, step):
    source = number
    for i in range(60):
        target = (source + step) % 4
        if not transfer(source, target, 1 + i % 7):
            with counting:
                refused[number] += 1
        source = target


tellers = []
for n in range(3):
    tellers.append(Thread(target=teller, args=(n, n + 1)))
for t in tellers:
    t.start()
for t in tellers:
    t.join()
print("in all", sum(balances), "refused", sum(refused))
for lock in locks:
    print(lock.acquire())
