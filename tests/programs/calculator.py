# A calculator: a scanner, a parser by precedence, an evaluator on trees of lists, and errors that say where.

OPERATORS = ["+", "-", "*", "/", "^"]
STRENGTHS = [1, 1, 2, 2, 4]


def is_digit(letter):
    return "0" <= letter <= "9" or letter == "."


def scan(text):
    tokens, at = [], 0
    while at < len(text):
        letter = text[at]
        if letter == " ":
            at += 1
        elif is_digit(letter):
            start = at
            while at < len(text) and is_digit(text[at]):
                at += 1
            tokens.append(["number", text[start:at], start])
        elif letter in OPERATORS or letter in "()":
            tokens.append([letter, letter, at])
            at += 1
        else:
            raise ValueError(f"{letter!r} at {at}")
    tokens.append(["end", "", at])
    return tokens


def strength(token):
    for number in range(len(OPERATORS)):
        if OPERATORS[number] == token[0]:
            return STRENGTHS[number]
    return 0


def parse_primary(tokens):
    token = tokens.pop(0)
    if token[0] == "number":
        try:
            return ["number", int(token[1])]
        except ValueError:
            return ["number", float(token[1])]
    if token[0] == "-":
        return ["negative", parse(tokens, 3)]
    if token[0] == "(":
        inside = parse(tokens, 0)
        closing = tokens.pop(0)
        if closing[0] != ")":
            raise ValueError(f") expected at {closing[2]}")
        return inside
    raise ValueError(f"a number expected at {token[2]}")


def parse(tokens, weakest):
    left = parse_primary(tokens)
    while strength(tokens[0]) > weakest:
        operator = tokens.pop(0)
        right = parse(tokens, strength(operator) - (operator[0] == "^"))
        left = [operator[0], left, right]
    return left


def evaluate(tree):
    kind = tree[0]
    if kind == "number":
        return tree[1]
    if kind == "negative":
        return -evaluate(tree[1])
    left, right = evaluate(tree[1]), evaluate(tree[2])
    if kind == "+":
        return left + right
    if kind == "-":
        return left - right
    if kind == "*":
        return left * right
    if kind == "/":
        return left / right
    return left**right


def shown(tree):
    if tree[0] == "number":
        return str(tree[1])
    if tree[0] == "negative":
        return f"(-{shown(tree[1])})"
    return f"({shown(tree[1])} {tree[0]} {shown(tree[2])})"


def calculate(text):
    try:
        tokens = scan(text)
        tree = parse(tokens, 0)
        if tokens[0][0] != "end":
            raise ValueError(f"the end expected at {tokens[0][2]}")
        return f"{shown(tree)} = {evaluate(tree)}"
    except ValueError as e:
        return f"{text}: {e}"
    except ArithmeticError as e:
        return text + ": " + str(e)


for text in ["1 + 2 * 3", "(1 + 2) * 3", "2 ^ 3 ^ 2", "-2 ^ 2", "7 - 2 - 1", "1.5 * 4", "10 / 4", "8 / (3 - 3)"]:
    print(calculate(text))
for text in ["1 +", "(1", "2 $ 3", "1 2", "", "1.2.3", "2 ^ 100", "9.0 ^ 999"]:
    print(calculate(text))
