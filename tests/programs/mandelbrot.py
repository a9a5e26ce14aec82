# The Mandelbrot set in characters.

SHADES = " .:-=+*#%@"


def turns(x, y, most):
    a = b = 0.0
    for n in range(most):
        a, b = a * a - b * b + x, 2.0 * a * b + y
        if a * a + b * b > 4.0:
            return n
    return most


def line(y, width, most):
    text = ""
    for column in range(width):
        x = -2.0 + 2.8 * column / width
        text += SHADES[turns(x, y, most) * (len(SHADES) - 1) // most]
    return text


height = 9
for row in range(height):
    print("|" + line((row - height // 2) / 4, 24, 18) + "|")
