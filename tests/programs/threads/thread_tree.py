"""Threads that start threads: a tree of depth four, whose leaves are counted on the way back."""

from threading import Lock, Thread

lock = Lock()
threads = 0


def grow(depth, results, place):
    global threads
    with lock:
        threads += 1
    if depth == 0:
        results[place] = 1
        return
    below = [0, 0]
    children = [Thread(target=grow, args=(depth - 1, below, 0)), Thread(target=grow, args=(depth - 1, below, 1))]
    for child in children:
        child.start()
    for child in children:
        child.join()
    results[place] = [below[0], below[1]]


root = [None]
grow(4, root, 0)
print(root)
print(threads)
