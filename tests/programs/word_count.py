# The words of a text, counted in two lists that belong together.

TEXT = """It was the best of times, it was the worst of times, it was the age of wisdom,
it was the age of foolishness"""


def lower(letter):
    if "A" <= letter <= "Z":
        return chr(ord(letter) + 32)
    return letter


def words(text):
    found, word = [], ""
    for letter in text + " ":
        letter = lower(letter)
        if "a" <= letter <= "z":
            word += letter
        elif word != "":
            found.append(word)
            word = ""
    return found


def index(items, wanted):
    for number in range(len(items)):
        if items[number] == wanted:
            return number
    raise LookupError(wanted)


names, counts = [], []
for word in words(TEXT):
    try:
        counts[index(names, word)] += 1
    except LookupError as e:
        names.append(str(e))
        counts.append(1)
for wanted in range(max(counts), 0, -1):
    for number in range(len(names)):
        if counts[number] == wanted:
            print(names[number], wanted, end="; ")
print()
print(sum(counts), "words,", len(names), "of them different;", TEXT[:6], len(TEXT))
