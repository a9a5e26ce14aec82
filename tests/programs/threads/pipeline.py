"""Three stages, each a thread; between them lists under locks.  None is the end."""

from threading import Lock, Thread
from time import sleep

queues = [[], [], [], []]
locks = [Lock(), Lock(), Lock(), Lock()]


def put(number, value):
    with locks[number]:
        queues[number].append(value)


def get(number):
    while True:
        with locks[number]:
            if len(queues[number]) > 0:
                return queues[number].pop(0)
        sleep(0.001)


def stage(number, factor, term):
    while True:
        value = get(number)
        if value is None:
            put(number + 1, None)
            return
        put(number + 1, value * factor + term)


stages = [Thread(target=stage, args=(0, 2, 0)), Thread(target=stage, args=(1, 1, 5)), Thread(target=stage, args=(2, -3, 1))]
for s in stages:
    s.start()
for i in range(25):
    put(0, i)
put(0, None)
results = []
result = get(3)
while result is not None:
    results.append(result)
    result = get(3)
for s in stages:
    s.join()
print(results)
print(queues)
