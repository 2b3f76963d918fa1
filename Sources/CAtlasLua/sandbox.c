/// What a script can see: an allow-list, built from nothing.
#include "internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void al_set_functions(lua_State *L, const luaL_Reg *functions) {
  for (; functions->name != NULL; functions += 1) {
    lua_pushstring(L, functions->name);
    lua_pushcfunction(L, functions->func);
    lua_rawset(L, -3);
  }
}

// MARK: Text of values

void al_push_text(lua_State *L, int index) {
  index = lua_absindex(L, index);
  if (luaL_callmeta(L, index, "__tostring")) {
    if (!lua_isstring(L, -1)) luaL_error(L, "'__tostring' must return a string");
    return;
  }
  switch (lua_type(L, index)) {
    case LUA_TNUMBER:
      lua_pushvalue(L, index);
      lua_tolstring(L, -1, NULL);
      return;
    case LUA_TSTRING:
      lua_pushvalue(L, index);
      return;
    case LUA_TBOOLEAN:
      lua_pushstring(L, lua_toboolean(L, index) ? "true" : "false");
      return;
    default:
      if (lua_islightuserdata(L, index) && lua_touserdata(L, index) == NULL) {
        lua_pushliteral(L, "null");
        return;
      }
      if (luaL_getmetafield(L, index, "__name") == LUA_TSTRING) return;
      // No address: it would undo the randomness of addresses.
      lua_pushstring(L, luaL_typename(L, index));
  }
}

static int tostring(lua_State *L) {
  luaL_checkany(L, 1);
  al_push_text(L, 1);
  return al_give_way(L, 1);
}

// MARK: Numbers

static int digit_value(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  if (digit >= 'a' && digit <= 'z') return digit - 'a' + 10;
  if (digit >= 'A' && digit <= 'Z') return digit - 'A' + 10;
  return 99;
}

static bool is_blank(char byte) { return byte == ' ' || (byte >= '\t' && byte <= '\r'); }

static bool parse_integer(const char *at, const char *end, int base, lua_Integer *value) {
  while (at < end && is_blank(*at)) at += 1;
  while (end > at && is_blank(end[-1])) end -= 1;
  bool negative = at < end && *at == '-';
  if (at < end && (*at == '-' || *at == '+')) at += 1;
  if (at == end) return false;
  lua_Unsigned total = 0;
  for (; at < end; at += 1) {
    int digit = digit_value(*at);
    if (digit >= base) return false;
    total = total * (lua_Unsigned)base + (lua_Unsigned)digit;
  }
  *value = (lua_Integer)(negative ? 0u - total : total);
  return true;
}

static int tonumber(lua_State *L) {
  size_t count;
  if (lua_isnoneornil(L, 2)) {
    luaL_checkany(L, 1);
    if (lua_type(L, 1) == LUA_TNUMBER) {
      lua_settop(L, 1);
      return 1;
    }
    const char *text = lua_type(L, 1) == LUA_TSTRING ? lua_tolstring(L, 1, &count) : NULL;
    if (text != NULL && lua_stringtonumber(L, text) == count + 1) return 1;
  } else {
    lua_Integer base = luaL_checkinteger(L, 2), value;
    luaL_checktype(L, 1, LUA_TSTRING);
    luaL_argcheck(L, base >= 2 && base <= 36, 2, "base out of range");
    const char *text = lua_tolstring(L, 1, &count);
    if (parse_integer(text, text + count, (int)base, &value)) {
      lua_pushinteger(L, value);
      return 1;
    }
  }
  luaL_pushfail(L);
  return 1;
}

// MARK: Values and tables

static int type(lua_State *L) {
  luaL_checkany(L, 1);
  lua_pushstring(L, luaL_typename(L, 1));
  return 1;
}

static int select_arguments(lua_State *L) {
  int count = lua_gettop(L);
  if (lua_type(L, 1) == LUA_TSTRING && strcmp(lua_tostring(L, 1), "#") == 0) {
    lua_pushinteger(L, count - 1);
    return 1;
  }
  lua_Integer first = luaL_checkinteger(L, 1);
  if (first < 0) {
    first += count;
  } else if (first > count) {
    first = count;
  }
  luaL_argcheck(L, first >= 1, 1, "index out of range");
  return count - (int)first;
}

static int rawequal(lua_State *L) {
  luaL_checkany(L, 1);
  luaL_checkany(L, 2);
  lua_pushboolean(L, lua_rawequal(L, 1, 2));
  return 1;
}

static int rawlen(lua_State *L) {
  luaL_argexpected(L, lua_istable(L, 1) || lua_type(L, 1) == LUA_TSTRING, 1, "table or string");
  lua_pushinteger(L, (lua_Integer)lua_rawlen(L, 1));
  return 1;
}

static int rawget(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  luaL_checkany(L, 2);
  lua_settop(L, 2);
  lua_rawget(L, 1);
  return 1;
}

static int next(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 2);
  if (lua_next(L, 1)) return 2;
  lua_pushnil(L);
  return 1;
}

static int pairs_ready(lua_State *L, int status, lua_KContext context) {
  (void)L;
  (void)status;
  (void)context;
  return 3;
}

static int pairs(lua_State *L) {
  luaL_checkany(L, 1);
  if (luaL_getmetafield(L, 1, "__pairs") == LUA_TNIL) {
    lua_pushcfunction(L, next);
    lua_pushvalue(L, 1);
    lua_pushnil(L);
  } else {
    lua_pushvalue(L, 1);
    lua_callk(L, 1, 3, 0, pairs_ready);
  }
  return 3;
}

static int ipairs_next(lua_State *L) {
  lua_Integer index = luaL_intop(+, luaL_checkinteger(L, 2), 1);
  lua_pushinteger(L, index);
  return lua_geti(L, 1, index) == LUA_TNIL ? 1 : 2;
}

static int ipairs(lua_State *L) {
  luaL_checkany(L, 1);
  lua_pushcfunction(L, ipairs_next);
  lua_pushvalue(L, 1);
  lua_pushinteger(L, 0);
  return 3;
}

static const luaL_Reg base_functions[] = {
    {"ipairs", ipairs}, {"next", next},         {"pairs", pairs},       {"rawequal", rawequal},
    {"rawget", rawget}, {"rawlen", rawlen},     {"select", select_arguments},
    {"tonumber", tonumber}, {"tostring", tostring}, {"type", type},     {NULL, NULL},
};

// MARK: Putting it together

/// The library of numbers, with a seed of ours: the stock one seeds with addresses, and tells them.
static void open_math(lua_State *L) {
  lua_pushcfunction(L, luaopen_math);
  lua_call(L, 0, 1);
  lua_getfield(L, -1, "randomseed");
  lua_pushinteger(L, (lua_Integer)al_run(L)->limits.seed);
  lua_pushinteger(L, 0);
  lua_call(L, 2, 0);
  lua_pushnil(L);
  lua_setfield(L, -2, "randomseed");
}

/// `("x"):upper()` works, and nobody can reach the table that makes it work.
static void open_string(lua_State *L) {
  lua_createtable(L, 0, 16);
  al_set_functions(L, al_string_functions);
  lua_pushliteral(L, "");
  lua_createtable(L, 0, 2);
  lua_pushvalue(L, -3);
  lua_setfield(L, -2, "__index");
  lua_pushboolean(L, 0);
  lua_setfield(L, -2, "__metatable");
  lua_setmetatable(L, -2);
  lua_pop(L, 1);
}

static void open_table(lua_State *L, const luaL_Reg *functions) {
  lua_createtable(L, 0, 8);
  al_set_functions(L, functions);
}

/// Nothing becomes garbage in here, and the tables are made in the size they will have: this runs
/// at the start of every hook run.
int al_open_sandbox(lua_State *L) {
  lua_gc(L, LUA_GCSTOP);
  al_open_metatables(L);
  lua_createtable(L, 0, 64);
  lua_pushvalue(L, -1);
  lua_rawseti(L, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS);
  al_set_functions(L, base_functions);
  al_set_functions(L, al_protect_functions);
  al_set_functions(L, al_metatable_functions);
  open_math(L);
  lua_setfield(L, -2, "math");
  open_string(L);
  lua_setfield(L, -2, "string");
  open_table(L, al_table_functions);
  lua_setfield(L, -2, "table");
  open_table(L, al_json_functions);
  lua_pushlightuserdata(L, NULL);
  lua_setfield(L, -2, "null");
  lua_setfield(L, -2, "json");
  lua_pushliteral(L, LUA_VERSION);
  lua_setfield(L, -2, "_VERSION");
  lua_pop(L, 1);
  al_install_calls(L);
  lua_newthread(L);
  // Collects sooner than Lua would by itself: the memory limit knows no garbage.
  lua_gc(L, LUA_GCINC, 150, 200, 0);
  lua_gc(L, LUA_GCRESTART);
  return 1;
}
