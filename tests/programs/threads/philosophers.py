"""Five of them, five forks; the last one reaches for them in another order, so that they do not starve."""

from threading import Lock, Thread

forks = [Lock(), Lock(), Lock(), Lock(), Lock()]
meals = [0] * 5
eating = [False] * 5
wrong = []


def philosopher(me):
    left = me
    right = (me + 1) % 5
    first = min(left, right)
    second = max(left, right)
    for i in range(12):
        with forks[first]:
            with forks[second]:
                eating[me] = True
                if eating[me - 1] or eating[(me + 1) % 5]:
                    wrong.append(me)
                meals[me] += 1
                eating[me] = False


threads = []
for n in range(5):
    threads.append(Thread(target=philosopher, args=(n,)))
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(meals, wrong)
