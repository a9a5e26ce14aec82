# Threads that begin and end while another one runs a loop.
from threading import Thread

done = [0, 0]


def count(n):
    for i in range(2):
        done[n] += 1


for n in range(2):
    t = Thread(target=count, args=(n,))
    t.start()
    t.join()
print(done)
