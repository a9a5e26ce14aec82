"""A policy of a user's own: `FILE:NAME`, a Policy in a Python file, whose trigger may be a text of its own beside it.

What is nonsensical is refused here, before any work: one line with the place, what is wrong, and what to write.
"""

from __future__ import annotations

import ast
import sys
import traceback
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any, NoReturn

from safepoint.graph.check import check
from safepoint.graph.gather import digest_of, text_of
from safepoint.graph.text import OURS, ProtocolError, Text
from safepoint.model.sound_policy import Nonsense, refuse_nonsense, refuse_procedures, refuse_trigger
from safepoint.protocol import CORE, TRIGGERS
from safepoint.protocol.own import OwnPolicy
from safepoint.protocol.policies import POLICIES
from safepoint.protocol.policy import Policy

MODULE = "__safepoint_own_policy__"
"""What a user's file is called while it is executed."""


class PolicyError(Exception):
    """The policy cannot be used: one line, with the remedy; of a trigger's text also the line of it."""


def find_policy(name: str) -> Policy:
    """One of ours by its name; or a user's own, FILE:NAME.  Executes that file.  Raises PolicyError."""
    if name in POLICIES:
        return POLICIES[name]
    file, _, called = name.rpartition(":")
    if not file or not called.isidentifier():
        raise PolicyError(f"{name}: no policy is named (write -p FILE.py:NAME, or one of {', '.join(POLICIES)})")
    return _File(Path(file), name, called).policy()


@dataclass
class _File:
    """name: as on the command line.  called: what the file calls the policy.  module: what stands in it."""

    path: Path
    name: str
    called: str
    module: ast.Module = field(default_factory=lambda: ast.Module([], []))

    def policy(self) -> OwnPolicy:
        """Raises PolicyError."""
        self.module, code = self._parsed(self._source())
        found = self._executed(code).get(self.called)
        if not isinstance(found, Policy):
            self._refuse_other(found)
        try:
            said = refuse_nonsense(found)
            trigger, digest = self._trigger(found)
            said = refuse_trigger({**said, "trigger": trigger}, self._text(trigger, digest))
        except Nonsense as wrong:
            raise PolicyError(f"{self._place(wrong.field)}: {wrong}") from None
        except ProtocolError as error:
            raise PolicyError(str(error)) from None
        own = {
            "name": self.name,
            "called": found.name,
            "trigger_digest": digest,
            "declared_at": self._place("declared"),
        }
        return OwnPolicy(**{**said, **own})

    def _source(self) -> bytes:
        try:
            if not self.path.is_file():
                why = "is no file" if self.path.exists() else "there is no such file"
                raise PolicyError(
                    f"{self.path}: {why} (write -p FILE.py:NAME, the path of a Python file with a Policy)"
                )
            return self.path.read_bytes()
        except (OSError, ValueError) as error:
            why = str(getattr(error, "strerror", None) or error)
            raise PolicyError(f"{self.path}: cannot be read: {why} (name a file that can)") from None

    def _parsed(self, source: bytes) -> tuple[ast.Module, CodeType]:
        try:
            return ast.parse(source, str(self.path)), compile(source, str(self.path), "exec", dont_inherit=True)
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            line, column = getattr(error, "lineno", None) or 1, getattr(error, "offset", None) or 1
            what = getattr(error, "msg", None) or str(error) or "nested too deeply"
            raise PolicyError(f"{self.path}:{line}:{column}: not Python: {what} (write a Python file)") from None

    def _executed(self, code: CodeType) -> dict[str, Any]:
        """The names of the file; what it prints is printed.  Raises PolicyError for whatever it raises."""
        module = sys.modules[MODULE] = ModuleType(MODULE)  # a class of it may look for its module
        module.__file__ = str(self.path)
        try:
            exec(code, module.__dict__)
        except BaseException as error:  # noqa: BLE001  # it is the user's, whatever it is; Control-C ends the process
            frames = traceback.extract_tb(error.__traceback__)
            line = next((frame.lineno for frame in reversed(frames) if frame.filename == str(self.path)), 1)
            what = f"{type(error).__name__}: {_said(error)}".rstrip(": ")
            raise PolicyError(
                f"{self.path}:{line}:1: {what}, raised when the file is executed (write a file that defines policies, and no more)"
            ) from None
        finally:
            sys.modules.pop(MODULE, None)
        return module.__dict__

    def _refuse_other(self, found: object) -> NoReturn:
        there = [name for name in self._assigned() if name != self.called]
        near = (
            f"one of {', '.join(there)}"
            if there
            else f"{self.called} = Policy(…), from safepoint.protocol.policy import Policy"
        )
        what = (
            f"no {self.called} in it"
            if found is None
            else f"{self.called} is no Policy, but of type {type(found).__name__}"
        )
        raise PolicyError(f"{self._place()}: {what} (write {near})")

    def _assigned(self) -> list[str]:
        """What the file makes by a call of Policy."""
        return [
            target.id
            for node in self.module.body
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call)
            for target in node.targets
            if isinstance(target, ast.Name) and ast.unparse(node.value.func).endswith("Policy")
        ]

    def _place(self, of: str = "") -> str:
        """Where the policy, or what it says of one field, stands."""
        node: ast.AST | None = None
        for each in self.module.body:
            targets = each.targets if isinstance(each, ast.Assign) else [getattr(each, "target", None)]
            if any(isinstance(target, ast.Name) and target.id == self.called for target in targets):
                node = each
        value = getattr(node, "value", None)
        for keyword in value.keywords if isinstance(value, ast.Call) else ():
            if of and keyword.arg == of:
                node = keyword.value
        return f"{self.path}:{getattr(node, 'lineno', 1)}:{getattr(node, 'col_offset', 0) + 1}"

    def _trigger(self, policy: Policy) -> tuple[str, str]:
        """One of ours, or the path of a file of the user's; and the digest of that."""
        if policy.trigger in TRIGGERS:
            return policy.trigger, ""
        own = (self.path.parent / policy.trigger).absolute()
        if own.name in {path.name for path in (*CORE, *OURS)}:
            raise Nonsense("trigger", f"{own.name} is the name of a file of ours", "a file of another name")
        try:
            is_file = own.is_file()
        except (OSError, ValueError):
            is_file = False
        if not is_file:
            raise Nonsense(
                "trigger",
                f"{policy.trigger!r} is no mechanism, and no file beside this one",
                f"one of {', '.join(TRIGGERS)}, or the path of a trigger's text of your own",
            )
        return str(own), digest_of(own)

    def _text(self, trigger: str, digest: str) -> Text:
        """Our protocol with the trigger.  Raises ProtocolError."""
        made = Policy(name=self.name, title="", trigger=trigger, declared=POLICIES["folded"].declared)
        if not digest:
            return text_of(made)
        own = OwnPolicy(**{**vars(made), "called": "", "trigger_digest": digest})
        text = text_of(own)
        refuse_procedures(text, Path(trigger).name)
        check(text)
        return text


def _said(error: BaseException) -> str:
    """What an exception of the user's says, in one line; it may not even say that."""
    try:
        return " ".join(str(error).split())
    except Exception:  # noqa: BLE001
        return ""
