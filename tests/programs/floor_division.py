# Floor division and modulo for every combination of signs.
for a in range(-7, 8, 7):
    for b in range(-3, 4):
        if b != 0:
            q = a // b
            r = a % b
            print(a, b, q, r, q * b + r == a, 0 <= r < b or b < r <= 0)
