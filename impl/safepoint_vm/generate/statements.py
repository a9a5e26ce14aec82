"""Compile the statements of the handler language.

Every local variable is an `alloca`, which LLVM promotes to registers.  An `if` whose test is known at compile time (a constant, a switch
of the variant) compiles only one branch.  A path that ends in a `@slow` handler is unlikely: the fast path falls through, without hints
in the source.
"""

from __future__ import annotations

import ast

from safepoint_vm.generate.calls import CallCompiler
from safepoint_vm.generate.ir_values import Builder, IrValue, ir_type, role_of
from safepoint_vm.language.vocabulary import Exit, Word


class StatementCompiler(CallCompiler):
    """Compiles the statements of one function.  `entry`: the block of its allocas."""

    entry: Builder

    def block(self, statements: list[ast.stmt], after: bool) -> None:
        for position, statement in enumerate(statements):
            if self.builder.block.is_terminated:  # after a `return` in a branch decided at compile time
                return
            rest = self.is_cold(statements[position + 1 :], after)
            match statement:
                case ast.Expr(value=ast.Constant()):
                    pass
                case ast.Expr(value=value):
                    self.value(value)
                case ast.Assign(targets=[target], value=value):
                    self.store(target, value)
                case ast.AugAssign(target=ast.Name(id=name) as target, op=sign, value=value):
                    changed = ast.BinOp(ast.copy_location(ast.Name(name, ast.Load()), target), sign, value)
                    self.store(target, ast.copy_location(changed, statement))
                case ast.If():
                    self.branch(statement, rest)
                case ast.While(orelse=[]):
                    self.loop(statement)
                case ast.Return(value=ast.expr() as value):
                    self.leave(value)
                case _:
                    what = f"a handler cannot contain {type(statement).__name__}"
                    raise self.error(statement, what, "=, if, while, return and calls")

    def is_cold(self, body: list[ast.stmt], after: bool = False) -> bool:
        """Does every path through `body` end in a slow handler?  `after`: whether the path that follows it does."""
        if not body:
            return after
        match body[-1]:
            case ast.Return(value=ast.Call(func=ast.Name(id=name))):
                return role_of(self.scope.get(name)) == "slow"
            case ast.Return():
                return False
            case ast.If(body=yes, orelse=no):
                return self.is_cold(yes, after) and self.is_cold(no, after)
        return after

    def store(self, target: ast.expr, value: ast.expr) -> None:
        match target:
            case ast.Name(id=name):
                self.assign(target, name, self.ir_value(value))
            case ast.Tuple(elts=[*names]) if isinstance(value, ast.Tuple) and len(names) == len(value.elts):
                for one, each in list(zip(names, [self.ir_value(each) for each in value.elts], strict=True)):
                    if not isinstance(one, ast.Name):
                        raise self.error(one, "a tuple on the left may contain names only", "one assignment per target")
                    self.assign(one, one.id, each)
            case ast.Tuple(elts=[ast.Name(id=first), ast.Name(id=second)]):
                pair = self.ir_value(value)
                if pair.type is not tuple:
                    raise self.error(value, "not a pair", "total, overflow = add_overflows(x, y)")
                self.assign(target, first, IrValue(self.builder.extract_value(pair.ir, 0), Word))
                self.assign(target, second, IrValue(self.builder.extract_value(pair.ir, 1), bool))
            case ast.Subscript(value=owner, slice=index):
                stored = self.ir_value(value)
                self.write(stored.ir, self.element(owner, index))
                if self.is_slot(target):
                    self.slots = {index.id: stored} if isinstance(index, ast.Name) else {}
                    self.stored_in = self.builder.block
            case ast.Attribute(value=owner, attr=name):
                place = self.place(target, self.ir_value(owner), name)
                self.write(self.ir_value(value).ir, place)
            case _:
                raise self.error(target, "cannot assign to this", "a name, a slot, an element or a field on the left")

    def assign(self, node: ast.AST, name: str, value: IrValue) -> None:
        if name not in self.locals:
            self.locals[name] = self.entry.alloca(ir_type(value.type), name=name), value.type
        address, kind = self.locals[name]
        if ir_type(kind) != ir_type(value.type):
            raise self.error(node, f"{name} already is a {kind.__name__}", "another name")
        self.builder.store(value.ir, address)

    def branch(self, statement: ast.If, rest: bool) -> None:
        test = self.value(statement.test)
        if not isinstance(test, IrValue):  # known at compile time: a switch of the variant
            self.block(statement.body if test else statement.orelse, rest)
            return
        yes, no, join = (self.target.append_basic_block(name) for name in ("then", "else", "join"))
        cold_yes, cold_no = self.is_cold(statement.body, rest), self.is_cold(statement.orelse, rest)
        decision = self.builder.cbranch(self.truth(statement.test, test), yes, no)
        if cold_yes != cold_no:
            decision.set_weights([1, 2000] if cold_yes else [2000, 1])
        elif statement.orelse:
            decision.set_weights([4, 1])  # the branch written first is likelier
        joined = False
        for block, body in ((yes, statement.body), (no, statement.orelse)):
            self.builder.position_at_end(block)
            self.block(body, rest)
            if not self.builder.block.is_terminated:
                self.builder.branch(join)
                joined = True
        self.builder.position_at_end(join)
        if not joined:
            self.builder.unreachable()

    def loop(self, statement: ast.While) -> None:
        test, body, after = (self.target.append_basic_block(name) for name in ("test", "loop", "after"))
        self.builder.branch(test)
        self.builder.position_at_end(test)
        self.builder.cbranch(self.truth(statement.test, self.ir_value(statement.test)), body, after)
        self.builder.position_at_end(body)
        self.block(statement.body, after=False)
        if not self.builder.block.is_terminated:
            self.builder.branch(test)
        self.builder.position_at_end(after)

    def leave(self, value: ast.expr) -> None:
        result = self.value(value)
        if result is Exit:
            return
        if self.registers:
            raise self.error(value, "a handler does not return a value", "return vm.next(), or another handler")
        self.builder.ret(self.ir_value(value).ir if not isinstance(result, IrValue) else result.ir)
