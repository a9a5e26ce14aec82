"""Parts of a sum, each in a thread of its own, which writes to its own place of a list."""

from threading import Thread

PARTS = 6
EACH = 150
sums = [None] * PARTS


def part(number):
    total = 0
    for i in range(number * EACH, (number + 1) * EACH):
        total += i * i % 7
    sums[number] = total


def whole():
    total = 0
    for i in range(PARTS * EACH):
        total += i * i % 7
    return total


threads = []
for n in range(PARTS):
    thread = Thread(target=part, args=(n,))
    thread.start()
    threads.append(thread)
for thread in threads:
    thread.join()
    thread.join()
print(sums)
print(sum(sums), whole())
