# Newton's method, bisection and numerical integration, with errors of their own.


def square_root(x):
    if x < 0:
        raise ValueError(f"no square root of {x}")
    guess = x if x > 1 else 1.0
    for _ in range(60):
        better = (guess + x / guess) / 2
        if better == guess:
            return guess
        guess = better
    return guess


def bisect(f, low, high):
    assert f(low) * f(high) <= 0, "no change of sign"
    while high - low > 1e-6:
        middle = (low + high) / 2
        if f(low) * f(middle) <= 0:
            high = middle
        else:
            low = middle
    return low


def cubic(x):
    return x**3 - x - 2


def integral(f, low, high, parts):
    step = (high - low) / parts
    total = (f(low) + f(high)) / 2
    for i in range(1, parts):
        total += f(low + i * step)
    return total * step


for x in [2, 9.0, 0.25, 1e10]:
    print(x, square_root(x), abs(square_root(x) ** 2 - x) < 1e-5)
print(bisect(cubic, 1, 2), integral(cubic, 0, 2, 10))
for bad in [[-1], [5.0, 6.0]]:
    try:
        print(square_root(bad[0]) if len(bad) == 1 else bisect(cubic, bad[0], bad[1]))
    except (ValueError, AssertionError) as e:
        print("no:", e)
