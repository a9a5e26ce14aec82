# How floats are written, compared, and turned into ints; and where they end.

inf = 1e308 * 10
nan = inf - inf
for x in [0.1, 1.0, -0.0, 1e16, 123456789012345680.0, 1e-4, 1e-5, 1.5e300, 2.0**-1074, inf, -inf, nan, 1 / 3, 100.0]:
    print(x, end=" ")
print()
print(0.1 + 0.2, 0.1 + 0.2 == 0.3, 7 // 2.0, -7 // 2.0, -7.5 % 2, 7 % -2.5, 2**0.5, 2**-2, 0.0 == -0.0, 1 == 1.0)
print(nan == nan, nan != nan, nan < 1, inf > 2**61, -inf < 0, 2**53 + 1 == 2.0**53, 2**53 + 1 > 2.0**53, True + 0.5)
print(int(2.9), int(-2.9), float(3), float("1e3"), float(" -2.5 "), abs(-1.5), min(1, 0.5), sum([0.5, 1, True]), bool(0.0), bool(nan))
print([1.0, 2.50, 1e22], f"{1e21} {12.0!r}", str(1.0) + "!", 3.0 in [1, 2, 3])


def attempt(what):
    try:
        if what == 0:
            print(1.0 / 0)
        elif what == 1:
            print(5 % 0.0)
        elif what == 2:
            print(0.0**-1)
        elif what == 3:
            print(int(inf))
        elif what == 4:
            print(int(nan))
        elif what == 5:
            print(float("one"))
        elif what == 6:
            print(10.0**400)
        elif what == 7:
            print(1.5 << 1)
        elif what == 8:
            print(1 / 0)
        elif what == 9:
            print(float([]))
        else:
            print("ab"[1.0])
    except (ArithmeticError, ValueError) as e:
        print("!", e)
    except TypeError as e:
        print("?", e)


for what in range(11):
    attempt(what)
