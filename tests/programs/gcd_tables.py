# Tables of greatest common divisors, least common multiples, and Bezout's coefficients.


def gcd(a, b):
    while b:
        a, b = b, a % b
    return a


def bezout(a, b):
    if b == 0:
        return [a, 1, 0]
    found = bezout(b, a % b)
    return [found[0], found[2], found[1] - a // b * found[2]]


def padded(n):
    text = str(n)
    return " " * (4 - len(text)) + text


table = []
for i in range(1, 9):
    row = []
    for j in range(1, 9):
        row.append(gcd(i * 6, j * 4))
    table.append(row)
for row in table:
    line = ""
    for n in row:
        line += padded(n)
    print(line)
symmetric = True
for i in range(1, 7):
    for j in range(1, 7):
        found = bezout(i * 15, j * 21)
        symmetric = symmetric and found[0] == gcd(j * 21, i * 15) == found[1] * i * 15 + found[2] * j * 21
print(symmetric, bezout(240, 46), 240 * 46 // gcd(240, 46))
