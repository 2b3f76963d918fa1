/// `pcall`, `xpcall`, `error` and `assert`. The stock protected calls would let a script survive
/// what was meant to end it.
#include "internal.h"

/// What a protected call has to remember: the number of values below its results, and whether the
/// run was ending when it began. What runs then (in `__close`) may catch its own errors.
static lua_KContext context_of(lua_State *L, int below) {
  return (lua_KContext)below * 2 + (al_run(L)->ending ? 1 : 0);
}

/// Raises again what no script may catch: the run was killed, or an outcome has ended it.
static void pass_on(lua_State *L, bool was_ending) {
  atlas_lua_run *run = al_run(L);
  if (run->killed) al_stop(L);
  if (run->ending && !was_ending) lua_error(L);
}

static int protected_done(lua_State *L, int status, lua_KContext context) {
  if (status != LUA_OK && status != LUA_YIELD) {
    pass_on(L, context % 2 == 1);
    lua_pushboolean(L, 0);
    lua_insert(L, -2);
    return al_give_way(L, 2);
  }
  return al_give_way(L, lua_gettop(L) - (int)(context / 2));
}

static int protected_call(lua_State *L) {
  luaL_checkany(L, 1);
  lua_pushboolean(L, 1);
  lua_insert(L, 1);
  lua_KContext context = context_of(L, 0);
  int status = lua_pcallk(L, lua_gettop(L) - 2, LUA_MULTRET, 0, context, protected_done);
  return protected_done(L, status, context);
}

/// Stands before the script's own handler, which must not see what it may not catch.
static int guarded_handler(lua_State *L) {
  if (al_run(L)->killed || al_is_ending(L, 1)) return 1;
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_insert(L, 1);
  lua_call(L, 1, 1);
  return 1;
}

/// Stack for the call: 1 the handler, 2 true, 3 the function, arguments.
static int protected_call_with_handler(lua_State *L) {
  luaL_checktype(L, 2, LUA_TFUNCTION);
  int arguments = lua_gettop(L) - 2;
  lua_pushvalue(L, 2);
  lua_pushcclosure(L, guarded_handler, 1);
  lua_replace(L, 2);
  lua_pushboolean(L, 1);
  lua_pushvalue(L, 1);
  lua_rotate(L, 3, 2);
  lua_remove(L, 1);
  lua_KContext context = context_of(L, 1);
  int status = lua_pcallk(L, arguments, LUA_MULTRET, 1, context, protected_done);
  return protected_done(L, status, context);
}

static int raise_error(lua_State *L) {
  int level = (int)luaL_optinteger(L, 2, 1);
  lua_settop(L, 1);
  if (lua_type(L, 1) == LUA_TSTRING && level > 0) {
    luaL_where(L, level);
    lua_pushvalue(L, 1);
    lua_concat(L, 2);
  }
  return lua_error(L);
}

static int assert_true(lua_State *L) {
  luaL_checkany(L, 1);
  if (lua_toboolean(L, 1)) return lua_gettop(L);
  if (lua_isnone(L, 2)) return luaL_error(L, "assertion failed!");
  lua_settop(L, 2);
  return lua_error(L);
}

const luaL_Reg al_protect_functions[] = {
    {"assert", assert_true},
    {"error", raise_error},
    {"pcall", protected_call},
    {"xpcall", protected_call_with_handler},
    {NULL, NULL},
};
