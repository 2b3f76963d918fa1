/// What runs inside the coroutine: the file, its table, the function asked for.
#include "internal.h"

#include <string.h>

static char ending;

void al_push_ending(lua_State *L) { lua_pushlightuserdata(L, &ending); }

bool al_is_ending(lua_State *L, int index) { return lua_touserdata(L, index) == &ending; }

// MARK: Compiling

typedef struct source_reader {
  const char *at;
  size_t left;
} source_reader;

/// Hands the source to the parser in small pieces, so that the limits are looked at between them:
/// some sources of 64 KiB take the parser most of a second.
static const char *read_source(lua_State *L, void *data, size_t *count) {
  source_reader *reader = data;
  if (al_over_limit(al_run(L))) al_stop(L);
  *count = reader->left < 256 ? reader->left : 256;
  const char *piece = reader->at;
  reader->at += *count;
  reader->left -= *count;
  return piece;
}

void al_compile(lua_State *L, const char *source, size_t count, const char *name) {
  if (count > AL_MAX_SOURCE) {
    luaL_error(L, "%s:1: the file is larger than %d KiB", name, AL_MAX_SOURCE / 1024);
  }
  source_reader reader = {source, count};
  lua_pushfstring(L, "@%s", name);
  if (lua_load(L, read_source, &reader, lua_tostring(L, -1), "t") != LUA_OK) {
    if (al_run(L)->killed) al_stop(L);
    lua_error(L);
  }
  lua_replace(L, -2);
}

// MARK: Running

static int finished(lua_State *L, int status, lua_KContext context) {
  (void)context;
  atlas_lua_run *run = al_run(L);
  if (status != LUA_OK && status != LUA_YIELD) {
    if (run->ending && al_is_ending(L, -1)) {
      run->result = ATLAS_LUA_ENDED;
      return 0;
    }
    if (run->fault == NULL) {  // errors of the handler and of memory come without a record
      size_t count = 0;
      const char *message = lua_tolstring(L, -1, &count);
      al_record_message(run, message ? message : "", count);
    }
    run->result = ATLAS_LUA_FAILED;
  }
  return 0;
}

/// The place where the function at the top ends; pops it.
static void raise_after_function(lua_State *L, const char *name) {
  lua_Debug function;
  lua_getinfo(L, ">S", &function);
  al_raise_at(L, function.short_src, function.lastlinedefined,
              "%s returned without an outcome; end it with ok(), skip(), defer() or fail()", name);
}

static int returned(lua_State *L, int status, lua_KContext context) {
  (void)status;
  (void)context;
  lua_pushvalue(L, 5);
  raise_after_function(L, lua_tostring(L, 2));
  return 0;
}

/// {api = its value, functions = {name = type}}, for checks of a file that is not run for real.
static int describe(lua_State *L, int table) {
  lua_newtable(L);
  lua_pushliteral(L, "api");
  lua_rawget(L, table);
  if (lua_type(L, -1) != LUA_TNUMBER) {
    lua_pop(L, 1);
    lua_pushboolean(L, 0);
  }
  lua_setfield(L, -2, "api");
  lua_newtable(L);
  lua_pushnil(L);
  while (lua_next(L, table)) {
    if (lua_type(L, -2) == LUA_TSTRING) {
      lua_pushvalue(L, -2);
      lua_pushstring(L, luaL_typename(L, -2));
      lua_rawset(L, -5);
    }
    lua_pop(L, 1);
  }
  lua_setfield(L, -2, "functions");
  al_run(L)->output.count = 0;
  al_encode(L, lua_gettop(L), false);
  al_run(L)->result = ATLAS_LUA_DONE;
  return 0;
}

static void check_api(lua_State *L, const char *file) {
  lua_pushliteral(L, "api");
  int type = lua_rawget(L, 4);
  if (type != LUA_TNUMBER) al_raise_at(L, file, 1, "`api` is missing; write api = 1");
  if (!lua_isinteger(L, -1) || lua_tointeger(L, -1) != AL_API_VERSION) {
    al_raise_at(L, file, 1, "api = %s is not known here; this daemon knows api = %d",
                lua_tostring(L, -1), AL_API_VERSION);
  }
  lua_pop(L, 1);
}

/// Stack: 1 the chunk, 2 the function's name or nil, 3 its argument, 4 what the chunk returned.
static int loaded(lua_State *L, int status, lua_KContext context) {
  (void)status;
  (void)context;
  atlas_lua_run *run = al_run(L);
  run->loading = false;
  lua_Debug file;
  lua_pushvalue(L, 1);
  lua_getinfo(L, ">S", &file);
  if (!lua_istable(L, 4)) {
    al_raise_at(L, file.short_src, 1, "a hook file returns a table of functions, this one a %s",
                luaL_typename(L, 4));
  }
  if (lua_isnil(L, 2)) return describe(L, 4);
  check_api(L, file.short_src);
  lua_pushvalue(L, 2);
  int type = lua_rawget(L, 4);
  if (type == LUA_TNIL) {
    run->result = ATLAS_LUA_UNDEFINED;
    return 0;
  }
  if (type != LUA_TFUNCTION || lua_iscfunction(L, 5)) {
    al_raise_at(L, file.short_src, 1, "%s must be a function written in Lua, it is a %s",
                lua_tostring(L, 2), luaL_typename(L, 5));
  }
  lua_pushvalue(L, 5);
  lua_pushvalue(L, 3);
  lua_callk(L, 1, 0, 0, returned);
  return returned(L, LUA_OK, 0);
}

static int body(lua_State *L) {
  al_run(L)->loading = true;
  lua_pushvalue(L, 1);
  lua_callk(L, 0, 1, 0, loaded);
  return loaded(L, LUA_OK, 0);
}

int al_entry(lua_State *L) {
  atlas_lua_run *run = al_run(L);
  run->result = ATLAS_LUA_BROKEN;
  if (al_decode_values(L, run->reply, run->reply_count) != 2) return 0;
  lua_pushcfunction(L, al_record_error);
  lua_insert(L, 1);
  lua_pushcfunction(L, body);
  lua_insert(L, 2);
  return finished(L, lua_pcallk(L, 3, 0, 1, 0, finished), 0);
}
