# A small language of words and blocks, in the manner of Forth: a scanner, a parser that makes nested blocks,
# an evaluator with a stack, definitions, and errors that say which word they came from.


def is_space(letter):
    return letter == " " or letter == "\n"


def scan(text):
    words, word, at = [], "", 0
    while at < len(text):
        letter = text[at]
        if letter == "(":
            while at < len(text) and text[at] != ")":
                at += 1
            if at == len(text):
                raise ValueError("a comment without end")
        elif is_space(letter):
            if word:
                words.append(word)
            word = ""
        elif letter == "[" or letter == "]":
            if word:
                words.append(word)
            words.append(letter)
            word = ""
        else:
            word += letter
        at += 1
    if word:
        words.append(word)
    return words


def parse(words, at, depth):
    """A block as a list, and where it ends: numbers are ints or floats, blocks lists, all others words."""
    block = []
    while at < len(words):
        word = words[at]
        if word == "[":
            inner = parse(words, at + 1, depth + 1)
            block.append(["block", inner[0]])
            at = inner[1]
        elif word == "]":
            if depth == 0:
                raise ValueError("a block ends that has not begun")
            return [block, at]
        else:
            block.append(atom(word))
        at += 1
    if depth > 0:
        raise ValueError("a block without end")
    return [block, at]


def atom(word):
    try:
        return ["number", int(word)]
    except ValueError:
        pass
    try:
        return ["number", float(word)]
    except ValueError:
        return ["word", word]


def pop(stack, word):
    if not stack:
        raise IndexError(f"{word} finds nothing on the stack")
    return stack.pop()


def lookup(names, bodies, word):
    at = len(names) - 1
    while at >= 0:  # the latest definition counts
        if names[at] == word:
            return bodies[at]
        at -= 1
    raise KeyError(word)


ARITHMETIC = ["+", "-", "*", "/", "mod", "<", "="]


def arithmetic(word, left, right):
    if word == "+":
        return left + right
    if word == "-":
        return left - right
    if word == "*":
        return left * right
    if word == "/":
        if right == 0:
            raise ZeroDivisionError("division by nothing")
        if left % right == 0:
            return left // right
        return left / right
    if word == "mod":
        return left % right
    if word == "<":
        return left < right
    return left == right


def block_of(item, word):
    if str(item)[:1] != "[":
        raise TypeError(f"{word} wants a block, not {item}")
    return item


def execute(block, stack, machine):
    """machine: names, bodies, output, steps left."""
    for item in block:
        kind, value = item[0], item[1]
        if machine[3] == 0:
            raise RuntimeError("out of steps")
        machine[3] -= 1
        if kind != "word":
            stack.append(value)
        elif value in ARITHMETIC:
            right = pop(stack, value)
            stack.append(arithmetic(value, pop(stack, value), right))
        elif value == "dup":
            top = pop(stack, value)
            stack += [top, top]
        elif value == "drop":
            pop(stack, value)
        elif value == "swap":
            top = pop(stack, value)
            below = pop(stack, value)
            stack += [top, below]
        elif value == "over":
            top = pop(stack, value)
            below = pop(stack, value)
            stack += [below, top, below]
        elif value == ".":
            machine[2] += f"{pop(stack, value)} "
        elif value == "if":
            otherwise = block_of(pop(stack, value), value)
            then = block_of(pop(stack, value), value)
            execute(then if pop(stack, value) else otherwise, stack, machine)
        elif value == "times":
            body = block_of(pop(stack, value), value)
            for turn in range(pop(stack, value)):
                execute(body, stack, machine)
        elif value == "while":
            body = block_of(pop(stack, value), value)
            test = block_of(pop(stack, value), value)
            execute(test, stack, machine)
            while pop(stack, value):
                execute(body, stack, machine)
                execute(test, stack, machine)
        elif value == "try":
            handler = block_of(pop(stack, value), value)
            body = block_of(pop(stack, value), value)
            height = len(stack)
            try:
                execute(body, stack, machine)
            except (ArithmeticError, LookupError) as error:
                while len(stack) > height:
                    stack.pop()
                machine[2] += f"({error}) "
                execute(handler, stack, machine)
        elif value[0] == ":":
            machine[0].append(value[1:])
            machine[1].append(block_of(pop(stack, value), value))
        else:
            execute(lookup(machine[0], machine[1], value), stack, machine)


def interpret(text, steps):
    stack, machine = [], [[], [], "", steps]
    try:
        execute(parse(scan(text), 0, 0)[0], stack, machine)
    except (ValueError, TypeError, LookupError, ArithmeticError, RuntimeError) as error:
        machine[2] += f"! {error}"
    return f"{machine[2]}| {stack} after {steps - machine[3]}"


FACTORIAL = "[ dup 2 < [ drop 1 ] [ dup 1 - factorial * ] if ] :factorial "
GCD = "[ [ dup 0 = [ 0 ] [ 1 ] if ] [ swap over mod ] while drop ] :gcd "
PRIME = "[ 2 [ over over dup * swap 1 + < [ over over mod 0 = [ 0 ] [ 1 ] if ] [ 0 ] if ] [ 1 + ] while dup * < ] :prime "
for program in [
    "1 2 + 3 * .",
    FACTORIAL + "4 factorial .",
    GCD + "21 6 gcd . 3.5 0 gcd .",
    PRIME + "1 2 [ 1 + dup prime [ dup . ] [ ] if ] times",
    "0 1 5 [ over . swap over + ] times",
    "[ 1 0 / ] [ 7 . ] try [ nonsense ] [ 8 . ] try",
    "[ 1 2 3 + + + ] [ 9 ] try",
    "[ [ 1 0 / ] [ drop ] try ] [ 5 . ] try",
    "1 [ dup ] [ 2 * ] while",
    "1 [ 2",
    "1 ] 2",
    "( all of it",
    "( a comment ) 3 4 swap - . 2 times",
    "10 4 / . 1e3 7 mod . -3 dup * . 1 2 = .",
]:
    print(interpret(program, 80))
