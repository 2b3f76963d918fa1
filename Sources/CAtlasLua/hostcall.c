/// Calling the host: arguments are encoded, the coroutine yields, and the continuation decodes the
/// answer and returns it.
///
/// `atlas_lua_call.arguments` has a letter per argument; a capital one may be left out or nil:
///   s text            n number           b boolean       t table
///   v any value       j any value, given as JSON text
///   u a URL, or a table of options whose member `json` is given as JSON text
///
/// `check`, `require` and `wait_until` are built on calls and need more than a round trip.
#include "internal.h"

#include <ctype.h>
#include <string.h>

// MARK: Arguments

static const char *wanted(char kind) {
  switch (tolower((unsigned char)kind)) {
    case 's': return "text";
    case 'n': return "a number";
    case 'b': return "true or false";
    case 't': return "a table";
    case 'u': return "a URL or a table of options";
    default: return "a value";
  }
}

static bool fits(lua_State *L, int index, char kind) {
  int type = lua_type(L, index);
  if (type == LUA_TNIL || type == LUA_TNONE) return isupper((unsigned char)kind) || kind == 'v';
  switch (tolower((unsigned char)kind)) {
    case 's': return type == LUA_TSTRING;
    case 'n': return type == LUA_TNUMBER;
    case 'b': return type == LUA_TBOOLEAN;
    case 't': return type == LUA_TTABLE;
    case 'u': return type == LUA_TTABLE || type == LUA_TSTRING;
    default: return true;
  }
}

static void check_arguments(lua_State *L, const atlas_lua_call *call) {
  int expected = (int)strlen(call->arguments);
  if (lua_gettop(L) > expected) {
    al_raise(L, "%s takes %d argument%s, not %d", call->name, expected, expected == 1 ? "" : "s",
             lua_gettop(L));
  }
  for (int at = 1; at <= expected; at += 1) {
    char kind = call->arguments[at - 1];
    if (fits(L, at, kind)) continue;
    al_raise(L, "%s: argument %d must be %s, it is %s", call->name, at, wanted(kind),
             lua_isnoneornil(L, at) ? "missing" : luaL_typename(L, at));
  }
  lua_settop(L, expected);
}

static void encode_arguments(lua_State *L, size_t index, const atlas_lua_call *call) {
  al_encode_begin(L, index);
  int count = lua_gettop(L);
  uint8_t byte = (uint8_t)count;
  al_bytes_append(&al_run(L)->output, &byte, 1);
  for (int at = 1; at <= count; at += 1) {
    char kind = (char)tolower((unsigned char)call->arguments[at - 1]);
    if (kind == 'j' && !lua_isnil(L, at)) {
      al_json_push(L, at);
      lua_replace(L, at);
    }
    al_encode(L, at, kind == 'u');
  }
}

// MARK: The round trip

static void prepare(lua_State *L, const atlas_lua_call *call) {
  atlas_lua_run *run = al_run(L);
  if (run->killed) al_stop(L);
  if (run->loading) {
    al_raise(L, "%s cannot be called while the file loads; call it inside a function", call->name);
  }
  if (!lua_isyieldable(L)) {
    al_raise(L, "%s cannot be called from a metamethod, or from a function given to table.sort, "
                "string.gsub or xpcall", call->name);
  }
}

/// Reads the answer: pushes its results and returns their number, or raises.
static int take_answer(lua_State *L) {
  atlas_lua_run *run = al_run(L);
  const uint8_t *bytes = run->reply;
  size_t count = run->reply_count;
  run->reply = NULL;
  if (bytes == NULL || count == 0) al_raise_at(L, "", 0, "the daemon sent no answer");
  switch (bytes[0]) {
    case 0:
      return al_decode_values(L, bytes + 1, count - 1);
    case 1:
      al_raise(L, "%.*s", (int)(count - 1), (const char *)bytes + 1);
    case 2:
      run->ending = true;
      al_push_ending(L);
      return lua_error(L);
    default:
      al_raise_at(L, "", 0, "the daemon sent an unknown answer");
  }
}

static int answered(lua_State *L, int status, lua_KContext context) {
  (void)status;
  (void)context;
  lua_settop(L, 0);
  return take_answer(L);
}

static int host_call(lua_State *L) {
  size_t index = (size_t)lua_tointeger(L, lua_upvalueindex(1));
  const atlas_lua_call *call = &al_run(L)->calls[index];
  prepare(L, call);
  check_arguments(L, call);
  encode_arguments(L, index, call);
  return lua_yieldk(L, 0, 0, answered);
}

// MARK: check(condition, message)

/// Its upvalue is the index of `fail`.
static int check(lua_State *L) {
  luaL_checkany(L, 1);
  if (lua_toboolean(L, 1)) return lua_gettop(L);
  if (lua_isnoneornil(L, 2)) {
    lua_settop(L, 1);
    lua_pushliteral(L, "check failed");
  }
  lua_settop(L, 2);
  lua_remove(L, 1);
  return host_call(L);
}

// MARK: require(name)

static int required(lua_State *L, int status, lua_KContext context) {
  (void)status;
  (void)context;
  if (lua_isnil(L, -1)) {
    lua_pop(L, 1);
    lua_pushboolean(L, 1);
  }
  lua_getfield(L, LUA_REGISTRYINDEX, "atlas.modules");
  lua_pushvalue(L, 1);
  lua_pushvalue(L, -3);
  lua_rawset(L, -3);
  lua_pop(L, 1);
  return 1;
}

static int source_arrived(lua_State *L, int status, lua_KContext context) {
  (void)status;
  (void)context;
  lua_settop(L, 1);
  if (take_answer(L) != 2) al_raise_at(L, "", 0, "the daemon sent no module");
  size_t count;
  const char *source = lua_tolstring(L, 2, &count);
  al_compile(L, source, count, lua_tostring(L, 3));
  lua_replace(L, 2);
  lua_settop(L, 2);
  lua_callk(L, 0, 1, 0, required);
  return required(L, LUA_OK, 0);
}

static int require(lua_State *L) {
  size_t index = (size_t)lua_tointeger(L, lua_upvalueindex(1));
  const atlas_lua_call *call = &al_run(L)->calls[index];
  check_arguments(L, call);
  lua_getfield(L, LUA_REGISTRYINDEX, "atlas.modules");
  lua_pushvalue(L, 1);
  lua_rawget(L, -2);
  if (al_is_ending(L, -1)) {
    al_raise(L, "require: '%s' requires itself, or failed before", lua_tostring(L, 1));
  }
  if (!lua_isnil(L, -1)) return 1;
  if (al_run(L)->killed) al_stop(L);
  if (!lua_isyieldable(L)) {
    al_raise(L, "require cannot be called from a metamethod or a callback");
  }
  lua_pushvalue(L, 1);
  al_push_ending(L);  // marks a module that is being loaded
  lua_rawset(L, 2);
  lua_settop(L, 1);
  encode_arguments(L, index, call);
  return lua_yieldk(L, 0, 0, source_arrived);
}

// MARK: wait_until{every, timeout, what, fn}

/// Stack: 1 every, 2 timeout, 3 what, 4 start (an integer of the host, or nil), 5 fn.
static int wait_polled(lua_State *L, int status, lua_KContext context);

static int wait_poll(lua_State *L) {
  lua_settop(L, 5);
  lua_pushvalue(L, 5);
  lua_callk(L, 0, LUA_MULTRET, 0, wait_polled);
  return wait_polled(L, LUA_OK, 0);
}

/// The host answers with the start first, then with true after each pause, then with nil and an
/// error when the time is over.
static int wait_paused(lua_State *L, int status, lua_KContext context) {
  (void)status;
  (void)context;
  lua_settop(L, 5);
  int results = take_answer(L);
  if (lua_isnil(L, 4)) {
    lua_settop(L, 6);
    lua_replace(L, 4);
  } else if (results != 1) {
    return results;
  }
  return wait_poll(L);
}

static int wait_pause(lua_State *L) {
  size_t index = (size_t)lua_tointeger(L, lua_upvalueindex(1));
  atlas_lua_run *run = al_run(L);
  if (run->killed) al_stop(L);
  al_encode_begin(L, index);
  uint8_t count = 4;
  al_bytes_append(&run->output, &count, 1);
  for (int at = 1; at <= 4; at += 1) al_encode(L, at, false);
  return lua_yieldk(L, 0, 0, wait_paused);
}

static int wait_polled(lua_State *L, int status, lua_KContext context) {
  (void)status;
  (void)context;
  int results = lua_gettop(L) - 5;
  if (results > 0 && lua_toboolean(L, 6)) return results;
  lua_settop(L, 5);
  return wait_pause(L);
}

static void take_option(lua_State *L, const char *name, int type, const char *expected) {
  lua_pushstring(L, name);
  lua_rawget(L, 1);
  if (lua_type(L, -1) != type) {
    al_raise(L, "wait_until: %s must be %s, it is %s", name, expected,
             lua_isnil(L, -1) ? "missing" : luaL_typename(L, -1));
  }
}

static void check_options(lua_State *L) {
  static const char *const known[] = {"every", "timeout", "what", "fn"};
  lua_pushnil(L);
  while (lua_next(L, 1)) {
    bool found = false;
    for (size_t at = 0; at < 4 && lua_type(L, -2) == LUA_TSTRING; at += 1) {
      found = found || strcmp(lua_tostring(L, -2), known[at]) == 0;
    }
    if (!found) {
      al_raise(L, "wait_until: it has no option '%s'",
               lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : luaL_typename(L, -2));
    }
    lua_pop(L, 1);
  }
}

static int wait_until(lua_State *L) {
  prepare(L, &al_run(L)->calls[(size_t)lua_tointeger(L, lua_upvalueindex(1))]);
  if (!lua_istable(L, 1) || lua_gettop(L) != 1) {
    al_raise(L, "wait_until takes one table: wait_until{every =, timeout =, what =, fn =}");
  }
  check_options(L);
  take_option(L, "every", LUA_TNUMBER, "a number of seconds");
  take_option(L, "timeout", LUA_TNUMBER, "a number of seconds");
  take_option(L, "what", LUA_TSTRING, "a text that says what is waited for");
  lua_pushnil(L);
  take_option(L, "fn", LUA_TFUNCTION, "a function");
  lua_remove(L, 1);
  return wait_pause(L);
}

// MARK: Installing

static lua_CFunction function_for(const char *name) {
  if (strcmp(name, "require") == 0) return require;
  if (strcmp(name, "wait_until") == 0) return wait_until;
  return host_call;
}

/// Pushes the table that holds the function, and returns the function's name in it.
static const char *push_owner(lua_State *L, const char *name) {
  lua_pushglobaltable(L);
  const char *dot = strchr(name, '.');
  if (dot == NULL) return name;
  lua_pushlstring(L, name, (size_t)(dot - name));
  lua_pushvalue(L, -1);
  if (lua_rawget(L, -3) != LUA_TTABLE) {
    lua_pop(L, 1);
    lua_createtable(L, 0, 4);
    lua_pushvalue(L, -2);
    lua_pushvalue(L, -2);
    lua_rawset(L, -5);
  }
  lua_replace(L, -3);
  lua_pop(L, 1);
  return dot + 1;
}

static void install(lua_State *L, const char *name, lua_CFunction function, size_t index) {
  const char *field = push_owner(L, name);
  lua_pushstring(L, field);
  lua_pushinteger(L, (lua_Integer)index);
  lua_pushcclosure(L, function, 1);
  lua_rawset(L, -3);
  lua_pop(L, 1);
}

void al_install_calls(lua_State *L) {
  atlas_lua_run *run = al_run(L);
  for (size_t index = 0; index < run->call_count; index += 1) {
    const char *name = run->calls[index].name;
    install(L, name, function_for(name), index);
    if (strcmp(name, "fail") == 0) install(L, "check", check, index);
  }
  lua_newtable(L);
  lua_setfield(L, LUA_REGISTRYINDEX, "atlas.modules");
}
