N = 1200


def turns(n):
    c = 0
    y = 0
    while y < n:
        x = 0
        while x < n:
            cr = 2.0 * x / n - 1.5
            ci = 2.0 * y / n - 1.0
            zr = 0.0
            zi = 0.0
            k = 0
            while k < 50 and zr * zr + zi * zi < 4.0:
                t = zr * zr - zi * zi + cr
                zi = 2.0 * zr * zi + ci
                zr = t
                k = k + 1
            c = c + k
            x = x + 1
        y = y + 1
    return c


print(turns(N))
