/* What lua.c does for Control-C: laction sets this hook from outside, lstop resets it and raises. */
typedef struct lua_State lua_State;
typedef struct lua_Debug lua_Debug;
extern void lua_sethook(lua_State *, void (*)(lua_State *, lua_Debug *), int, int);
extern int luaL_error(lua_State *, const char *, ...);

int (*noticed)(void); /* the adapter's: takes what is pending, and returns whether to raise */

static void lstop(lua_State *L, lua_Debug *ar) {
  (void)ar;
  lua_sethook(L, 0, 0, 0);
  if (noticed()) luaL_error(L, "interrupted!");
}

void post(lua_State *L) { lua_sethook(L, lstop, 15, 1); } /* at any call, return, line, and after one instruction */
