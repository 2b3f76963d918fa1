/// Metatables. A script never gets one to hold: `setmetatable` gives the table a private copy of
/// the metamethods that are allowed, and `getmetatable` answers with what the script gave.
///
/// What is not copied and why: `__gc` would run script code while the state is closed; `__mode`
/// (weak tables) corrupts memory in Lua 5.4.4 when an allocation is refused.
///
/// Two shapes are refused because one VM instruction could run for seconds on them: a `__call`
/// that is not a function (the VM follows a chain of them, moving all arguments at each step), and
/// more than AL_MAX_CHAIN tables behind one another in `__index` or `__newindex` (each may compare
/// a long key). For the second, every table knows how many others reach it.
///
/// A private copy keeps its own facts under integer keys, which the VM never looks at.
#include "internal.h"

#include <string.h>

enum {
  FACT_ORIGINAL = 1,  // what the script gave
  FACT_DATA = 2,      // the table behind a read-only view
  FACT_ARRAY = 3,     // true: JSON shows this table as an array, even when it is empty
  FACT_INDEX_RANK = 4,     // how many tables reach this one through __index
  FACT_NEWINDEX_RANK = 5,  // and through __newindex
};

static const char *const allowed[] = {
    "__add",    "__band", "__bnot", "__bor",  "__bxor", "__call",      "__close", "__concat",
    "__div",    "__eq",   "__idiv", "__index", "__le",  "__len",       "__lt",    "__metatable",
    "__mod",    "__mul",  "__name", "__newindex", "__pairs", "__pow",  "__shl",   "__shr",
    "__sub",    "__tostring", "__unm",
};

/// Pushes a fact of the table's private metatable, or pushes nothing and returns false.
static bool push_fact(lua_State *L, int index, int fact) {
  if (lua_type(L, index) != LUA_TTABLE || !lua_getmetatable(L, index)) return false;
  if (lua_rawgeti(L, -1, fact) == LUA_TNIL) {
    lua_pop(L, 2);
    return false;
  }
  lua_remove(L, -2);
  return true;
}

// MARK: Read-only views

bool al_is_read_only(lua_State *L, int index) {
  if (!push_fact(L, index, FACT_DATA)) return false;
  lua_pop(L, 1);
  return true;
}

void al_push_data(lua_State *L, int index) {
  if (!push_fact(L, index, FACT_DATA)) lua_pushvalue(L, index);
}

static int refuse_write(lua_State *L) {
  al_raise(L, "this table is read-only");
}

static int view_length(lua_State *L) {
  lua_pushinteger(L, (lua_Integer)lua_rawlen(L, lua_upvalueindex(1)));
  return 1;
}

static int view_next(lua_State *L) {
  lua_settop(L, 2);
  if (lua_next(L, lua_upvalueindex(1))) return 2;
  lua_pushnil(L);
  return 1;
}

/// The iterator keeps the data to itself: its state, which the script sees, is the view.
static int view_pairs(lua_State *L) {
  lua_settop(L, 1);
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_pushcclosure(L, view_next, 1);
  lua_pushvalue(L, 1);
  lua_pushnil(L);
  return 3;
}

void al_make_read_only(lua_State *L) {
  int data = lua_gettop(L);
  luaL_checkstack(L, 5, NULL);
  lua_newtable(L);
  lua_createtable(L, 2, 5);
  lua_pushvalue(L, data);
  lua_setfield(L, -2, "__index");
  lua_pushcfunction(L, refuse_write);
  lua_setfield(L, -2, "__newindex");
  lua_pushvalue(L, data);
  lua_pushcclosure(L, view_length, 1);
  lua_setfield(L, -2, "__len");
  lua_pushvalue(L, data);
  lua_pushcclosure(L, view_pairs, 1);
  lua_setfield(L, -2, "__pairs");
  lua_pushboolean(L, 0);
  lua_setfield(L, -2, "__metatable");
  lua_pushvalue(L, data);
  lua_rawseti(L, -2, FACT_DATA);
  lua_setmetatable(L, -2);
  lua_replace(L, data);
}

// MARK: JSON arrays

/// One metatable for all of them, so that a decoded array costs a pointer.
void al_open_metatables(lua_State *L) {
  lua_createtable(L, 3, 0);
  lua_pushboolean(L, 1);
  lua_rawseti(L, -2, FACT_ARRAY);
  lua_setfield(L, LUA_REGISTRYINDEX, "atlas.array");
}

void al_mark_array(lua_State *L, int index) {
  index = lua_absindex(L, index);
  lua_getfield(L, LUA_REGISTRYINDEX, "atlas.array");
  lua_setmetatable(L, index);
}

bool al_is_array(lua_State *L, int index) {
  if (!push_fact(L, index, FACT_ARRAY)) return false;
  lua_pop(L, 1);
  return true;
}

// MARK: Chains

static lua_Integer rank(lua_State *L, int index, int fact) {
  if (!push_fact(L, index, fact)) return 0;
  lua_Integer value = lua_tointeger(L, -1);
  lua_pop(L, 1);
  return value;
}

static bool is_shared_array(lua_State *L) {
  lua_getfield(L, LUA_REGISTRYINDEX, "atlas.array");
  bool same = lua_rawequal(L, -1, -2);
  lua_pop(L, 1);
  return same;
}

/// Writes a rank, into a metatable of the table's own: one that it shares, or lacks, is replaced.
static void set_rank(lua_State *L, int index, int fact, lua_Integer value) {
  if (!lua_getmetatable(L, index)) {
    lua_createtable(L, 5, 0);
    lua_pushvalue(L, -1);
    lua_setmetatable(L, index);
  } else if (is_shared_array(L)) {
    lua_pop(L, 1);
    lua_createtable(L, 5, 0);
    lua_pushboolean(L, 1);
    lua_rawseti(L, -2, FACT_ARRAY);
    lua_pushvalue(L, -1);
    lua_setmetatable(L, index);
  }
  lua_pushinteger(L, value);
  lua_rawseti(L, -2, fact);
  lua_pop(L, 1);
}

/// Follows `field` from the table at `index`, whose own rank is `start`, and tells every table on
/// the way how many reach it. The chain ends within AL_MAX_CHAIN tables or is refused, so this does
/// too; `index` itself gets its metatable only afterwards.
static void rank_chain(lua_State *L, int metatable, const char *field, int fact, int index) {
  lua_Integer depth = rank(L, index, fact);
  lua_pushstring(L, field);
  lua_rawget(L, metatable);
  int table = lua_gettop(L);
  while (lua_type(L, table) == LUA_TTABLE) {
    depth += 1;
    if (depth > AL_MAX_CHAIN || lua_rawequal(L, table, index)) {
      luaL_error(L, "%s leads through a loop or more than %d tables", field, AL_MAX_CHAIN);
    }
    if (rank(L, table, fact) < depth) set_rank(L, table, fact, depth);
    if (!lua_getmetatable(L, table)) break;
    lua_pushstring(L, field);
    lua_rawget(L, -2);
    lua_replace(L, table);
    lua_settop(L, table);
  }
  lua_settop(L, table - 1);
}

// MARK: The functions

/// Checks the metamethod at the top.
static void check_metamethod(lua_State *L, const char *name) {
  int type = lua_type(L, -1);
  if (type == LUA_TFUNCTION) return;
  if (strcmp(name, "__call") == 0) luaL_error(L, "__call must be a function");
  bool is_index = strcmp(name, "__index") == 0 || strcmp(name, "__newindex") == 0;
  if (is_index && type != LUA_TTABLE) luaL_error(L, "%s must be a table or a function", name);
}

static void copy_metamethods(lua_State *L, int from, int to) {
  for (size_t at = 0; at < sizeof allowed / sizeof *allowed; at += 1) {
    lua_pushstring(L, allowed[at]);
    lua_pushvalue(L, -1);
    if (lua_rawget(L, from) == LUA_TNIL) {
      lua_pop(L, 2);
      continue;
    }
    check_metamethod(L, allowed[at]);
    lua_rawset(L, to);
  }
}

static void copy_fact(lua_State *L, int index, int to, int fact) {
  if (push_fact(L, index, fact)) lua_rawseti(L, to, fact);
}

static int set_metatable(lua_State *L) {
  int given = lua_type(L, 2);
  luaL_checktype(L, 1, LUA_TTABLE);
  luaL_argexpected(L, given == LUA_TNIL || given == LUA_TTABLE, 2, "nil or table");
  lua_settop(L, 2);
  if (luaL_getmetafield(L, 1, "__metatable") != LUA_TNIL) {
    luaL_error(L, "cannot change a protected metatable");
  }
  lua_createtable(L, 5, 4);
  copy_fact(L, 1, 3, FACT_INDEX_RANK);
  copy_fact(L, 1, 3, FACT_NEWINDEX_RANK);
  copy_fact(L, 1, 3, FACT_ARRAY);
  if (given == LUA_TTABLE) {
    copy_metamethods(L, 2, 3);
    rank_chain(L, 3, "__index", FACT_INDEX_RANK, 1);
    rank_chain(L, 3, "__newindex", FACT_NEWINDEX_RANK, 1);
    lua_pushvalue(L, 2);
    lua_rawseti(L, 3, FACT_ORIGINAL);
  }
  lua_settop(L, 3);
  lua_setmetatable(L, 1);
  lua_settop(L, 1);
  return 1;
}

static int get_metatable(lua_State *L) {
  luaL_checkany(L, 1);
  if (luaL_getmetafield(L, 1, "__metatable") != LUA_TNIL) return 1;
  if (!push_fact(L, 1, FACT_ORIGINAL)) lua_pushnil(L);
  return 1;
}

static int rawset(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  luaL_checkany(L, 2);
  luaL_checkany(L, 3);
  lua_settop(L, 3);
  if (al_is_read_only(L, 1)) refuse_write(L);
  lua_rawset(L, 1);
  return 1;
}

const luaL_Reg al_metatable_functions[] = {
    {"getmetatable", get_metatable},
    {"rawset", rawset},
    {"setmetatable", set_metatable},
    {NULL, NULL},
};
