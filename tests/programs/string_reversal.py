# Strings turned round in three ways; palindromes; a cipher.


def by_index(text):
    result = ""
    for i in range(len(text) - 1, -1, -1):
        result += text[i]
    return result


def by_addition(text):
    result = ""
    for letter in text:
        result = letter + result
    return result


def by_halves(text):
    if len(text) < 2:
        return text
    middle = len(text) // 2
    return by_halves(text[middle:]) + by_halves(text[:middle])


def letters(text):
    result = ""
    for letter in text:
        if "a" <= letter <= "z":
            result += letter
        elif "A" <= letter <= "Z":
            result += chr(ord(letter) + 32)
    return result


def rotated(text, by):
    result = ""
    for letter in text:
        start = ord("a") if "a" <= letter <= "z" else ord("A") if "A" <= letter <= "Z" else None
        result += letter if start is None else chr((ord(letter) - start + by) % 26 + start)
    return result


for text in ["", "a", "ab", "safepoint", "née €"]:
    print(repr(by_index(text)), by_index(text) == by_addition(text) == by_halves(text), end=" ")
print()
for text in ["Never odd or even", "A man, a plan, a canal: Panama!", "not one"]:
    print(text, "->", letters(text) == by_halves(letters(text)))
secret = rotated("Attack at Dawn, Zoe!", 13)
print(secret, "|", rotated(secret, 13))
