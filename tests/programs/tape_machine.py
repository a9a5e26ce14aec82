# An interpreter for a language of eight commands on a tape of numbers, with jumps found beforehand and errors for bad programs.


def jumps(source):
    targets, open_brackets = [None] * len(source), []
    for at in range(len(source)):
        if source[at] == "[":
            open_brackets.append(at)
        elif source[at] == "]":
            try:
                start = open_brackets.pop()
            except IndexError:
                raise ValueError(f"] at {at} closes nothing")
            targets[start], targets[at] = at, start
    if open_brackets:
        raise ValueError(f"[ at {open_brackets.pop()} is never closed")
    return targets


def run(source, data, most):
    targets = jumps(source)
    tape, head, at, read, output = [0], 0, 0, 0, ""
    steps = 0
    while at < len(source):
        steps += 1
        if steps > most:
            raise RuntimeError(f"more than {most} steps")
        command = source[at]
        if command == ">":
            head += 1
            if head == len(tape):
                tape.append(0)
        elif command == "<":
            if head == 0:
                raise IndexError("left of the tape")
            head -= 1
        elif command == "+":
            tape[head] = (tape[head] + 1) % 256
        elif command == "-":
            tape[head] = (tape[head] - 1) % 256
        elif command == ".":
            output += chr(tape[head])
        elif command == ",":
            tape[head] = ord(data[read]) if read < len(data) else 0
            read += 1
        elif command == "[":
            if tape[head] == 0:
                at = targets[at]
        elif command == "]":
            if tape[head] != 0:
                at = targets[at]
        at += 1
    return [output, tape, steps]


def attempt(name, source, data):
    try:
        result = run(source, data, 600)
        print(f"{name}: {result[0]!r} tape {result[1]} after {result[2]} steps")
    except ValueError as e:
        print(f"{name}: not a program: {e}")
    except (IndexError, RuntimeError) as e:
        print(f"{name}: {e!r}")


attempt("addition", "++>+++[<+>-]<.", "")
attempt("letters", "++++++++[>++++++++<-]>+.+.+.", "")
attempt("echo", ",[.,]", "hello")
attempt("backwards", ">,[>,]<[.<]", "abc")
attempt("product", "+++>++++<[>[>+>+<<-]>>[<<+>>-]<<<-]", "")
attempt("endless", "+[]", "")
attempt("left", "+<", "")
attempt("open", "[[]", "")
attempt("close", "[]]", "")
