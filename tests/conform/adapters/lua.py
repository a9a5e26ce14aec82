"""Lua 5.4 (the copy in lupa), interrupted as lua.c does for Control-C: by lua_sethook, from outside."""

import subprocess
import tempfile
from ctypes import CDLL, CFUNCTYPE, RTLD_GLOBAL, c_char_p, c_int, c_longlong, c_ssize_t, c_void_p, cast
from functools import partial
from pathlib import Path
from typing import ClassVar

from lupa import lua54

from safepoint.conform.target import INTERRUPT, STOP, NotOffered
from safepoint.conform.threaded import Abandoned, Run, ThreadedTarget
from safepoint.protocol.policy import Bound
from tests.conform.adapters.lua_programs import LUA

lua = CDLL(lua54.__file__, mode=RTLD_GLOBAL)
with tempfile.TemporaryDirectory() as made:
    shared = f"{made}/shim.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-o", shared, Path(__file__).with_name("lua_shim.c")], check=True)
    shim = CDLL(shared)
lua.luaL_newstate.restype, lua.lua_tolstring.restype, lua.luaL_checkinteger.restype = c_void_p, c_char_p, c_longlong
lua.lua_pcallk.argtypes = [c_void_p, c_int, c_int, c_int, c_ssize_t, c_void_p]


class Lua(ThreadedTarget):
    name, bound = "lua", Bound(frames=0, back_edges=0)
    further: ClassVar = {"instruction": 1}  # the hook is called before the next one
    offers = frozenset({STOP, INTERRUPT, "exceptions"})

    def load(self, source: str, file: str = "<guest>", stack: int = 4096) -> None:
        self.source = LUA[file].encode()

    def start(self) -> None:
        super().start()
        run, self.state, self.pending = self.guest, c_void_p(lua.luaL_newstate()), set[str]()
        lua.luaL_openlibs(self.state)
        said = partial(lua.luaL_checkinteger, self.state, 1)
        calls = {"s": self.pause, "f": run.push, "b": run.back_edge, "print": lambda: run.say(said())}
        self.kept = [CFUNCTYPE(c_int, c_void_p)(lambda _, call=call: call() or 0) for call in calls.values()]
        for name, function in zip(calls, self.kept, strict=True):
            lua.lua_pushcclosure(self.state, function, 0)
            lua.lua_setglobal(self.state, name.encode())
        self.noticing = CFUNCTYPE(c_int)(self.noticed)
        c_void_p.in_dll(shim, "noticed").value = cast(self.noticing, c_void_p).value
        assert lua.luaL_loadstring(self.state, self.source) == 0

    def post(self, kind: str, thread: int = 0) -> None:
        if kind not in self.offers:
            raise NotOffered(kind)
        if not self.guest.ended:
            self.pending.add(kind)
            shim.post(self.state)

    def pause(self) -> None:
        try:
            self.guest.pause()
        except Abandoned:  # which must not go through Lua's frames: the hook raises in its place
            shim.post(self.state)

    def noticed(self) -> bool:
        kinds, self.pending = sorted(self.pending, reverse=True), set()  # a STOP before an INTERRUPT
        self.guest.saw(*kinds)
        return self.guest.abandoned or INTERRUPT in kinds

    def execute(self, run: Run) -> str:
        failed = lua.lua_pcallk(self.state, 0, 0, 0, 0, None)
        error = lua.lua_tolstring(self.state, -1, None).decode() if failed else ""
        lua.lua_close(self.state)
        return "KeyboardInterrupt" if "interrupted!" in error else error
