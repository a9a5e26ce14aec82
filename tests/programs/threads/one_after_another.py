"""More threads than there may be at once, one after another; and some that nobody joins."""

from threading import Lock, Thread

lock = Lock()
count = 0


def more():
    global count
    with lock:
        count += 1


for i in range(150):
    thread = Thread(target=more)
    thread.start()
    thread.join()
print(count)


def last():
    with lock:
        print("the module has ended")


lock.acquire()
for i in range(3):
    Thread(target=last).start()
print("the module ends")
lock.release()
