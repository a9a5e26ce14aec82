"""Threads that run for ever until somebody tells them to stop, at work, asleep, or where a lock is held."""

from threading import Lock, Thread
from time import sleep

from safepoint.guest.api import interrupt

lock = Lock()
ready = [False, False, False]
ended = [None, None, None]


def works(me):
    n = 0
    try:
        ready[me] = True
        while True:
            n += 1
    except KeyboardInterrupt:
        ended[me] = "while it worked"


def sleeps(me):
    try:
        ready[me] = True
        while True:
            sleep(0.001)
    except KeyboardInterrupt:
        ended[me] = "while it slept"


def holds(me):
    try:
        with lock:
            ready[me] = True
            while True:
                pass
    except KeyboardInterrupt:
        ended[me] = "while it held the lock"


threads = [Thread(target=works, args=(0,)), Thread(target=sleeps, args=(1,)), Thread(target=holds, args=(2,))]
for t in threads:
    interrupt(t)
for t in threads:
    t.start()
for number in range(3):
    while not ready[number]:
        sleep(0.001)
    interrupt(threads[number])
for t in threads:
    t.join()
    interrupt(t)
for each in ended:
    print(each)
with lock:
    print("the lock is free")
try:
    interrupt(lock)
except TypeError as e:
    print(e)
