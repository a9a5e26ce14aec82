"""CPython itself, interrupted by PyThreadState_SetAsyncExc: function calls and backward jumps look at its eval breaker.

What the adapter puts into the guest must not look itself.  So it calls nothing: it reads attributes, whose getters are functions in
C.  One that waits in a queue ends a step; one that appends to a list counts a frame push.
"""

import ast
from ctypes import c_ulong, py_object, pythonapi
from threading import get_ident
from typing import Any

from safepoint.conform.target import INTERRUPT, NotOffered, Observation
from safepoint.conform.threaded import Abandoned, Run, ThreadedTarget
from safepoint.protocol.policy import Bound

STEP = "run.left -= 1\nif run.left <= 0 and not run.abandoned:\n    gate.back\n    gate.go"
BACK_EDGE = "run.counts['back_edges'] += 1"


class CPython(ThreadedTarget):
    name, bound = "cpython", Bound(frames=1, back_edges=1)
    offers = frozenset({INTERRUPT, "exceptions"})

    def load(self, source: str, file: str = "<guest>", stack: int = 4096) -> None:
        self.code = compile(ast.fix_missing_locations(Rewrite().visit(ast.parse(source))), file, "exec")

    def start(self) -> None:
        super().start()
        run, self.pushes, self.printed = self.guest, list[object](), list[object]()

        class Interrupt(KeyboardInterrupt):
            def __init__(_) -> None:  # noqa: N805  # made on the guest's thread, as it is raised
                self.observe()
                run.saw(INTERRUPT)

        getters: dict[str, Any] = {"push": self.pushes.append, "back": run.back.put, "go": run.go.get}
        gate = type("Gate", (), {name: property(getter) for name, getter in getters.items()})()
        self.interrupt, self.names = Interrupt, {"run": run, "gate": gate, "print": self.printed.append}
        self.step()  # to the guest's first statement

    def execute(self, run: Run) -> str:
        self.ident = get_ident()
        try:
            exec(self.code, self.names)
        except KeyboardInterrupt:
            return "KeyboardInterrupt"
        return ""

    def post(self, kind: str, thread: int = 0) -> None:
        if kind != INTERRUPT:
            raise NotOffered(kind)
        self.have_raised(self.interrupt)

    def have_raised(self, error: type[BaseException]) -> None:
        if not self.guest.ended:
            pythonapi.PyThreadState_SetAsyncExc(c_ulong(self.ident), py_object(error))

    def close(self) -> None:
        self.have_raised(Abandoned)
        super().close()

    def observe(self) -> Observation:
        self.guest.counts["frames"], self.guest.output = len(self.pushes), "".join(f"{n}\n" for n in self.printed)
        return super().observe()


class WithLocks(CPython):
    """The same, and the guest may block: in C, where nothing looks at the eval breaker."""

    name, patience = "cpython-with-locks", 0.5
    offers = CPython.offers | {"locks"}


class Rewrite(ast.NodeTransformer):
    """A step before each statement; a count before each call of a function, and before each backward jump."""

    def visit(self, node: ast.AST) -> Any:
        new = super().visit(node)
        return [*ast.parse(STEP).body, new] if isinstance(node, ast.stmt) else new

    def visit_While(self, node: ast.While) -> ast.AST:  # the test alone would jump backward, too
        self.generic_visit(node)
        leave = ast.If(ast.UnaryOp(ast.Not(), node.test), [ast.Break()], [])
        return ast.While(ast.Constant(value=True), [leave, *node.body, *ast.parse(BACK_EDGE).body], [])

    def visit_For(self, node: ast.For) -> ast.AST:
        self.generic_visit(node)
        node.body += ast.parse(BACK_EDGE).body
        return node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        if node.args and ast.unparse(node.func) not in {"print", "range"}:  # once the arguments are there
            counted = ast.parse("[None, gate.push][0]", mode="eval").body
            assert isinstance(counted, ast.Subscript)
            assert isinstance(counted.value, ast.List)
            counted.value.elts[0], node.args[-1] = node.args[-1], counted
        return node
