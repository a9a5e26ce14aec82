"""Two producers, two consumers, a bounded buffer that is polled: each item is consumed once."""

from threading import Lock, Thread
from time import sleep

lock = Lock()
buffer = []
seen = [0] * 60
longest = 0
producing = 2


def produce(first):
    global longest, producing
    for item in range(first, first + 30):
        placed = False
        while not placed:
            with lock:
                if len(buffer) < 4:
                    buffer.append(item)
                    longest = max(longest, len(buffer))
                    placed = True
            if not placed:
                sleep(0.0005)
    with lock:
        producing -= 1


def consume():
    while True:
        item = None
        with lock:
            if len(buffer) > 0:
                item = buffer.pop(0)
            elif producing == 0:
                break
        if item is None:
            sleep(0.0005)
        else:
            seen[item] += 1


threads = [Thread(target=produce, args=(0,)), Thread(target=produce, args=(30,)), Thread(target=consume), Thread(target=consume)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(seen == [1] * 60, 1 <= longest <= 4, buffer)
