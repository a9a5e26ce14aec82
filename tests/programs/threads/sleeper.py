# What comes while a thread sleeps, or waits for another one, is answered there.
from threading import Thread
from time import sleep

woken = []


def nap():
    try:
        sleep(0.02)
        woken.append("in time")
    except KeyboardInterrupt:
        woken.append("early")
    finally:
        woken.append("up")


t = Thread(target=nap)
t.start()
try:
    t.join()
except KeyboardInterrupt:
    print("not waiting")
    t.join()
print(woken)
