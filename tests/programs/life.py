# Conway's game of life on a torus: a glider and a blinker.

WIDTH, HEIGHT = 8, 6


def parsed(lines):
    cells = []
    for line in lines:
        row = []
        for letter in line:
            row.append(letter == "#")
        cells.append(row)
    return cells


def neighbours(cells, y, x):
    count = 0
    for dy in range(-1, 2):
        for dx in range(-1, 2):
            if dy or dx:
                count += cells[(y + dy) % HEIGHT][(x + dx) % WIDTH]
    return count


def next_generation(cells):
    result = []
    for y in range(HEIGHT):
        row = []
        for x in range(WIDTH):
            n = neighbours(cells, y, x)
            row.append(n == 3 or (n == 2 and cells[y][x]))
        result.append(row)
    return result


def show(cells):
    for row in cells:
        line = ""
        for cell in row:
            line += "#" if cell else "."
        print(line)


cells = parsed([".#......", "..#.....", "###.....", "......#.", "......#.", "......#."])
before = cells
for generation in range(4):
    cells = next_generation(cells)
show(cells)
alive = 0
for row in cells:
    alive += sum(row)
print(alive, cells == before, before == next_generation(before))
