from threading import Thread

N = 4000000


def churn(n, sums, k):
    kept = [None] * 64
    s = 0
    for i in range(n):
        made = [i, [k, i]]
        kept[i % 64] = made
        s = s + made[1][0] + len(made[1])
    sums[k] = s


sums = [0] * 4
threads = []
for k in range(4):
    threads.append(Thread(target=churn, args=(N, sums, k)))
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
for s in sums:
    print(s)
