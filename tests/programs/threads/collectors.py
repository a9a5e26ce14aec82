"""Threads that make garbage and collect it, all at once; what is alive stays as it is."""

from threading import Thread

from safepoint.guest.api import collect

kept = [None, None, None, None]


def chain(length):
    head = None
    for i in range(length):
        head = [i, head]
    return head


def length(head):
    n = 0
    while head is not None:
        n += 1
        head = head[1]
    return n


def work(me):
    mine = chain(30 + me)
    for turn in range(5):
        chain(20)
        collect()
        kept[me] = [turn, mine]
    collect()


threads = []
for number in range(4):
    threads.append(Thread(target=work, args=(number,)))
for t in threads:
    t.start()
collect()
for t in threads:
    t.join()
for each in kept:
    print(each[0], length(each[1]))
