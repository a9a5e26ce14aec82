# Exact linear algebra: fractions as lists of two ints, matrices of them, Gauss's elimination with and without a way out,
# and checks that a product with the inverse is one.  A result that is too large for 63 bits is somebody's exception.


def gcd(a, b):
    while b:
        a, b = b, a % b
    return abs(a)


def fraction(above, below):
    if below == 0:
        raise ZeroDivisionError("a fraction of nothing")
    if below < 0:
        above, below = -above, -below
    common = gcd(above, below)
    return [above // common, below // common]


def plus(x, y):
    return fraction(x[0] * y[1] + y[0] * x[1], x[1] * y[1])


def minus(x, y):
    return fraction(x[0] * y[1] - y[0] * x[1], x[1] * y[1])


def times(x, y):
    return fraction(x[0] * y[0], x[1] * y[1])


def over(x, y):
    return fraction(x[0] * y[1], x[1] * y[0])


def shown(x):
    return str(x[0]) if x[1] == 1 else f"{x[0]}/{x[1]}"


def matrix(rows):
    made = []
    for row in rows:
        new = []
        for item in row:
            new.append([item, 1])
        made.append(new)
    return made


def unit(size):
    made = []
    for i in range(size):
        row = []
        for j in range(size):
            row.append([1 if i == j else 0, 1])
        made.append(row)
    return made


def product(a, b):
    if len(a[0]) != len(b):
        raise ValueError(f"{len(a[0])} columns and {len(b)} rows")
    made = []
    for row in a:
        new = []
        for j in range(len(b[0])):
            total = [0, 1]
            for k in range(len(b)):
                total = plus(total, times(row[k], b[k][j]))
            new.append(total)
        made.append(new)
    return made


def pivot(rows, column):
    """The first row from there on whose item is not 0; or there is no inverse."""
    for i in range(column, len(rows)):
        if rows[i][column][0] != 0:
            return i
    raise ArithmeticError(f"column {column} depends on others")


def inverse(a):
    size, rows = len(a), []
    one = unit(size)
    for i in range(size):
        rows.append(a[i] + one[i])
    for column in range(size):
        at = pivot(rows, column)
        rows[column], rows[at] = rows[at], rows[column]
        by = rows[column][column]
        for j in range(2 * size):
            rows[column][j] = over(rows[column][j], by)
        for i in range(size):
            factor = rows[i][column]
            if i == column or factor[0] == 0:
                continue
            for j in range(column, 2 * size):
                rows[i][j] = minus(rows[i][j], times(factor, rows[column][j]))
    made = []
    for row in rows:
        made.append(row[size:])
    return made


def determinant(a):
    """By the first row, which is slow, and shares nothing with `inverse`."""
    if len(a) == 1:
        return a[0][0]
    total, sign = [0, 1], [1, 1]
    for j in range(len(a)):
        smaller = []
        for row in a[1:]:
            smaller.append(row[:j] + row[j + 1 :])
        total = plus(total, times(sign, times(a[0][j], determinant(smaller))))
        sign = [-sign[0], 1]
    return total


def hilbert(size):
    made = []
    for i in range(size):
        row = []
        for j in range(size):
            row.append([1, i + j + 1])
        made.append(row)
    return made


def show(name, a):
    print(name)
    for row in a:
        line = ""
        for item in row:
            text = shown(item)
            line += " " * max(1, 6 - len(text)) + text
        print(line)


cases = [["two", matrix([[2, 1], [5, 3]])], ["three", matrix([[0, 2, 1], [1, -1, 3], [4, 0, -2]])], ["hilbert", hilbert(3)]]
cases += [["dependent", matrix([[1, 2], [2, 4]])], ["oblong", [[[1, 1], [2, 1]]]]]
for case in cases:
    name, a = case[0], case[1]
    try:
        b = inverse(a)
        show(name, b)
        print("the product is one:", product(a, b) == unit(len(a)))
        d, e = determinant(a), determinant(b)
        print("determinants", shown(d), shown(e), times(d, e) == [1, 1])
    except ArithmeticError as error:
        print(name, "has no inverse:", error)
    except (ValueError, IndexError) as error:
        print(name, "is no square:", error)
try:
    fraction(1, 0)
except ZeroDivisionError as error:
    print(error)
try:
    product(matrix([[1, 2]]), matrix([[1, 2]]))
except ValueError as error:
    print(error)
