# Quicksort in place, of pseudo-random numbers, strings, and lists; each result is compared with another algorithm's.

seed = 12345


def random(below):
    global seed
    seed = (seed * 1103515245 + 12345) % 2147483648
    return seed // 65536 % below


def partition(items, low, high):
    pivot = items[(low + high) // 2]
    while low <= high:
        while items[low] < pivot:
            low += 1
        while items[high] > pivot:
            high -= 1
        if low <= high:
            items[low], items[high] = items[high], items[low]
            low += 1
            high -= 1
    return low


def sort(items, low, high):
    if low >= high:
        return
    middle = partition(items, low, high)
    sort(items, low, middle - 1)
    sort(items, middle, high)


def sorted_copy(items):
    copy = items[:]
    sort(copy, 0, len(copy) - 1)
    return copy


def insertion(items):
    result = []
    for item in items:
        result.append(item)
        at = len(result) - 1
        while at > 0 and result[at - 1] > item:
            result[at] = result[at - 1]
            at -= 1
        result[at] = item
    return result


numbers = []
for _ in range(60):
    numbers.append(random(1000))
print(sorted_copy(numbers)[:12], sorted_copy(numbers) == insertion(numbers))
print(numbers == sorted_copy(numbers), sum(numbers) == sum(sorted_copy(numbers)))
words = ["pear", "fig", "Apple", "apple", "", "banana", "fig", "été", "zebra"]
print(sorted_copy(words), sorted_copy(words) == insertion(words))
pairs = [[2, "b"], [1, "z"], [2, "a"], [1], [], [1, "a", 0]]
print(sorted_copy(pairs))
mixed = [3, 2.5, True, -1, 0.0]
print(sorted_copy(mixed))
try:
    print(sorted_copy([3, "a", 2]))
except TypeError as e:
    print("not to be sorted:", e)
