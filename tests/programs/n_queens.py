# Queens on a board, none of which attacks another: one list for the columns, one for each direction of diagonals.


def place(row, size, columns, rising, falling, where):
    if row == size:
        return 1
    found = 0
    for column in range(size):
        if columns[column] or rising[row + column] or falling[row - column + size - 1]:
            continue
        columns[column] = rising[row + column] = falling[row - column + size - 1] = True
        where.append(column)
        solutions = place(row + 1, size, columns, rising, falling, where)
        if solutions and not found:
            show(row, where)
        found += solutions
        where.pop()
        columns[column] = rising[row + column] = falling[row - column + size - 1] = False
    return found


def show(row, where):
    if row > 0:
        return
    for column in where:
        print("." * column + "Q", end=" ")
    print("first at", where[0])


def queens(size):
    return place(0, size, [False] * size, [False] * (2 * size), [False] * (2 * size), [])


for size in range(1, 6):
    print(size, queens(size))
