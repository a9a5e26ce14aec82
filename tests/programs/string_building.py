# Strings by addition, repetition, slices and f-strings.


def joined(parts, between):
    text = ""
    for number in range(len(parts)):
        if number:
            text += between
        text += str(parts[number])
    return text


def padded(text, width):
    return " " * (width - len(text)) + text


def binary(n):
    if n < 0:
        return "-" + binary(-n)
    digits = ""
    while True:
        digits = "01"[n % 2] + digits
        n //= 2
        if n == 0:
            return digits


def roman(n):
    values = [1000, 900, 500, 400, 100, 90, 50, 40, 10, 9, 5, 4, 1]
    letters = ["M", "CM", "D", "CD", "C", "XC", "L", "XL", "X", "IX", "V", "IV", "I"]
    text = ""
    for i in range(len(values)):
        while n >= values[i]:
            text += letters[i]
            n -= values[i]
    return text


print(joined([1, "two", 3.0, None, [4, "five"]], ", "))
print(joined([], ", ") == "", joined("abc", "-"))
for n in [0, 1, 5, -10, 255]:
    print(f"{padded(str(n), 5)} = {padded(binary(n), 9)} in binary")
for year in [4, 9, 1994, 2023]:
    print(f"{year}: {roman(year)!r}", end="; ")
print()
ruler = "=" * 10 + "|"
print(ruler * 3, len(ruler * 3), (ruler * 3)[8:13], "" * 5 == "", "ab" * -1 == "")
text = "it's"
text += ' "quoted"\n\ttab \\ é €'
print(repr(text), len(text), f"{text[:4]}{text[-1]}")
print("quote" in text, "Quote" in text, "" in text, "x" not in text, min(text[5:10]), max("hello"))
