# Matrices as lists of lists: product, power, transposition, determinant.


def zeros(rows, columns):
    matrix = []
    for _ in range(rows):
        matrix.append([0] * columns)
    return matrix


def product(a, b):
    if len(a[0]) != len(b):
        raise ValueError(f"{len(a[0])} columns and {len(b)} rows")
    c = zeros(len(a), len(b[0]))
    for i in range(len(a)):
        for j in range(len(b[0])):
            for k in range(len(b)):
                c[i][j] += a[i][k] * b[k][j]
    return c


def transposed(a):
    t = zeros(len(a[0]), len(a))
    for i in range(len(a)):
        for j in range(len(a[0])):
            t[j][i] = a[i][j]
    return t


def power(a, n):
    result = zeros(len(a), len(a))
    for i in range(len(a)):
        result[i][i] = 1
    while n:
        if n & 1:
            result = product(result, a)
        a = product(a, a)
        n >>= 1
    return result


def determinant(a):
    a = product(a, power(a, 0))
    sign = 1.0
    for column in range(len(a)):
        best = column
        for row in range(column, len(a)):
            if abs(a[row][column]) > abs(a[best][column]):
                best = row
        if a[best][column] == 0:
            return 0.0
        if best != column:
            a[best], a[column] = a[column], a[best]
            sign = -sign
        for row in range(column + 1, len(a)):
            factor = a[row][column] / a[column][column]
            for k in range(column, len(a)):
                a[row][k] -= factor * a[column][k]
        sign *= a[column][column]
    return sign


a = [[1, 2, 3], [4, 5, 6]]
print(product(a, transposed(a)), product(transposed(a), a))
print(power([[1, 1], [1, 0]], 40)[0][1], "is a Fibonacci number")
print(determinant([[2, 0, 1], [1, 3, 2], [1, 1, 4]]), determinant([[1, 2], [2, 4]]))
print(product([[0.5, 0.25]], [[2], [4]]))
try:
    product(a, a)
except ValueError as e:
    print("no product:", e)
