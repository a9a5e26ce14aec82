# Arithmetic at both ends of the guest's int, never beyond them.
top = 4611686018427387903
bottom = -4611686018427387904


def spread(x):
    print(x, x - 1 + 1, x >> 1, x >> 61, x >> 100, x & 255, x | 1, x ^ -1, ~x)
    print(x // 3, x % 3, x // -7, x % -7, x // 1, x % top, x // bottom)


spread(top)
spread(bottom + 1)
print(-top, +bottom, ~top == bottom, top + bottom, top - 1 < top, bottom <= bottom)
print(2147483647 * 2147483648, -2147483648 * 2147483647, 1 << 61, -1 << 62, 0 << 1000)
print(top // -1, bottom // 2 * 2, top % bottom, bottom % top, bottom // top)
print((1 << 61) - 1 + (1 << 61), 1073741823, 1073741824, -1073741820, -1073741821, -1073741824)
