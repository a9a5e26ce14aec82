# Bubble sort, with the number of exchanges; and of strings, the other way round.


def bubble(items, descending):
    exchanges = 0
    again = True
    while again:
        again = False
        for i in range(len(items) - 1):
            if items[i] < items[i + 1] if descending else items[i] > items[i + 1]:
                items[i], items[i + 1] = items[i + 1], items[i]
                exchanges += 1
                again = True
    return exchanges


numbers = [5, 3, 8, -1, 3, 0, 12, 7]
print(bubble(numbers, False), numbers)
print(bubble(numbers, False), bubble(numbers, True), numbers)
letters = ["q", "w", "e", "rt", "r"]
print(bubble(letters, True), letters)
