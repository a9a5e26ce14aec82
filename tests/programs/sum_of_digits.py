# A long loop without a call or a print in it: the longest way to wait for anything but a back-edge.
def digits(n):
    total = 0
    while n > 0:
        total += n % 10
        n //= 10
    return total


best = 0
for n in range(200):
    d = digits(n * n)
    if d > best:
        best = d
        print(n, n * n, best)
