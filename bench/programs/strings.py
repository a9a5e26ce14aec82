N = 10000000


def lengths(n):
    s = ''
    t = 0
    for i in range(n):
        s = s + chr(97 + i % 26)
        if len(s) > 200:
            t = t + len(s)
            s = ''
    return t


print(lengths(N))
