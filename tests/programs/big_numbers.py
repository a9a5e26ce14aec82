# Arithmetic on natural numbers of any size, as lists of digits to base 10000, smallest first.

BASE = 10000


def number(n):
    digits = []
    while n:
        digits.append(n % BASE)
        n //= BASE
    return digits


def text(digits):
    if not digits:
        return "0"
    result = str(digits[-1])
    for i in range(len(digits) - 2, -1, -1):
        part = str(digits[i])
        result += "0" * (4 - len(part)) + part
    return result


def parsed(letters):
    digits = []
    while letters:
        digits.append(int(letters[-4:]))
        letters = letters[:-4]
    while digits and digits[-1] == 0:
        digits.pop()
    return digits


def add(a, b):
    result, carry = [], 0
    for i in range(max(len(a), len(b))):
        total = carry + (a[i] if i < len(a) else 0) + (b[i] if i < len(b) else 0)
        result.append(total % BASE)
        carry = total // BASE
    if carry:
        result.append(carry)
    return result


def multiply(a, b):
    result = [0] * (len(a) + len(b))
    for i in range(len(a)):
        carry = 0
        for j in range(len(b)):
            total = result[i + j] + a[i] * b[j] + carry
            result[i + j] = total % BASE
            carry = total // BASE
        result[i + len(b)] += carry
    while result and result[-1] == 0:
        del result[-1]
    return result


def less(a, b):
    if len(a) != len(b):
        return len(a) < len(b)
    for i in range(len(a) - 1, -1, -1):
        if a[i] != b[i]:
            return a[i] < b[i]
    return False


def power(a, n):
    result = [1]
    while n:
        if n % 2:
            result = multiply(result, a)
        a = multiply(a, a)
        n //= 2
    return result


factorial = [1]
for n in range(1, 31):
    factorial = multiply(factorial, number(n))
print("30! =", text(factorial))
print("2**100 =", text(power([2], 100)))
a, b = [], [1]
for _ in range(120):
    a, b = b, add(a, b)
print("fib(120) =", text(a))
big = parsed("100000000000000000000000000000000")
print(text(big), less(a, big), less(factorial, big), text(multiply(big, [])), text(add(big, big)))
print(parsed(text(factorial)) == factorial, 2**61 == int(text(power([2], 61))))
try:
    print(int(text(power([2], 62))))
except OverflowError as e:
    print("OverflowError" if str(e) else "")
