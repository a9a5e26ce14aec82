"""The guest's compiler: one class in layers, each derived from the one before, which calls up by abstract methods.

subset: what of Python is left out, and what to write instead
source: bytes -> syntax tree, and errors at positions in the text
emitter: `Emitter`, instructions, labels and slots of one function
names: `NameCompiler`, names and constants
calls: `CallCompiler`, calls and what else needs adjacent slots
expressions: `ExpressionCompiler`, operators and conditions
exceptions: `ExceptionCompiler`, `try`, `with`, `raise`, `assert`
loops: `LoopCompiler`, `while`, `for`, `break`, `continue`
program: `StatementCompiler`, all other statements, and `compile_program`
interactive: a program input by input, as a prompt gets it
"""
