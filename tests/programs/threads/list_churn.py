# Four threads fill the heap with garbage, and each keeps a window of what it has made: run it with --heap 1M --stats.

from threading import Thread

WIDTH = 800
WINDOW = 8


def churn(number, turns, sums):
    kept = [[0] * WIDTH] * WINDOW
    for i in range(turns):
        made = [number + i] * WIDTH
        made[i % WIDTH] = [i, str(i)]
        kept[i % WINDOW] = made
        oldest = kept[(i + 1) % WINDOW]
        sums[number] += len(oldest)
        if i >= WINDOW - 1:
            was = i - WINDOW + 1
            found = oldest[was % WIDTH]
            if found[0] != was or found[1] != str(was) or oldest[(was + 1) % WIDTH] != number + was:
                print("lost", number, was, found)


sums = [0] * 4
threads = []
for number in range(4):
    threads.append(Thread(target=churn, args=(number, 150, sums)))
for t in threads:
    t.start()
for t in threads:
    t.join()
print(sums)
