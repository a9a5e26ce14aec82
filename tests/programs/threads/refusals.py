"""What threads and locks refuse, and in which words."""

from threading import Lock, Thread
from time import sleep


def nothing():
    pass


def join(which):
    try:
        which[0].join()
    except RuntimeError as e:
        print("inside:", e)


lock = Lock()
thread = Thread(target=nothing)
for attempt in range(18):
    try:
        if attempt == 0:
            thread.join()
        elif attempt == 1:
            thread.start()
            thread.start()
        elif attempt == 2:
            thread.join()
            thread.start()
        elif attempt == 3:
            lock.release()
        elif attempt == 4:
            with lock:
                lock.release()
        elif attempt == 5:
            lock.start()
        elif attempt == 6:
            thread.acquire()
        elif attempt == 7:
            with thread:
                print("never")
        elif attempt == 8:
            with 3:
                print("never")
        elif attempt == 9:
            sleep(-1)
        elif attempt == 10:
            sleep("1")
        elif attempt == 11:
            sleep(1e30)
        elif attempt == 12:
            lock()
        elif attempt == 13:
            thread + lock
        elif attempt == 14:
            len(lock)
        elif attempt == 15:
            lock < lock
        elif attempt == 16:
            raise lock
        else:
            sleep(1e308 - 1e308 * 2 * 1e308 * 0)
    except (RuntimeError, TypeError, AttributeError, ValueError, OverflowError) as e:
        print(attempt, e)
with lock:
    print(lock == lock, lock == Lock(), thread == thread, lock is lock, lock in [Lock(), lock], thread in [lock])
box = [None]
box[0] = Thread(target=join, args=(box,))
box[0].start()
box[0].join()
print(thread.join(), lock.acquire(), lock.release(), sleep(0), not lock, not thread)
