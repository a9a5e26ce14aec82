# A lock that another thread has, asked for inside a try: whoever is interrupted there does not own it.
from threading import Lock, Thread
from time import sleep

lock = Lock()
seen = []


def hold():
    with lock:
        seen.append(len(seen))
        sleep(0.05)


holder = Thread(target=hold)
holder.start()
sleep(0.01)
try:
    lock.acquire()
    seen.append(7)
finally:
    lock.release()
holder.join()
print(seen)
