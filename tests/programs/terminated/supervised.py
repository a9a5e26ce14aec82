"""A worker whose jobs are ended by their supervisor one by one, while the worker goes on with the next."""

from threading import Thread

from safepoint.guest.api import terminable, terminate

running = [0]
results = []


def job(n):
    try:
        running[0] = n
        while n % 2:
            pass
        return n * n
    except:
        return "caught"
    finally:
        results.append(n)


def works():
    for n in range(2, 8):
        with terminable():
            results.append(job(n))


worker = Thread(target=works)
worker.start()
for n in [3, 5, 7]:
    while running[0] != n:
        pass
    terminate(worker)
worker.join()
print(results)
