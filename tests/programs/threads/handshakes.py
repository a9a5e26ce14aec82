"""After a handshake the other thread has been at a check site: it has heard of the news, or sleeps, or has ended."""

from threading import Lock, Thread
from time import sleep

from safepoint.guest.api import handshake

lock = Lock()
stop = [False]
turns = [0, 0, 0, 0]
threads = []


def works(me):
    while not stop[0]:
        turns[me] += 1


def sleeps(me):
    while not stop[0]:
        sleep(0.001)
        turns[me] += 1


def asks(me):
    for turn in range(3):
        for t in threads:
            handshake(t)
        turns[me] += 1


for number in range(4):
    threads.append(Thread(target=[works, sleeps, asks, asks][number], args=(number,)))
for t in threads:
    handshake(t)
for t in threads:
    t.start()
for t in threads:
    handshake(t)
with lock:
    for turn in range(3):
        handshake(threads[turn % 2])
threads[2].join()
threads[3].join()
stop[0] = True
for t in threads:
    t.join()
    handshake(t)
print(turns[2], turns[3])
try:
    handshake(turns)
except TypeError as e:
    print(e)
