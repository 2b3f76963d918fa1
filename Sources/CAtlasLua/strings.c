/// The string library, except for patterns (match.c) and format (format.c).
///
/// Left out: `dump`, and `pack`, `unpack`, `packsize`, which hooks have no use for. Arithmetic on
/// texts ("10" + 1) is an error: it hides mistakes.
#include "internal.h"

#include <ctype.h>
#include <string.h>

/// A start position as Lua counts: from 1, negative from the end; becomes 1 or more.
static size_t start_position(lua_Integer position, size_t count) {
  if (position > 0) return (size_t)position;
  if (position == 0 || position < -(lua_Integer)count) return 1;
  return count + (size_t)position + 1;
}

static size_t end_position(lua_Integer position, size_t count) {
  if (position > (lua_Integer)count) return count;
  if (position >= 0) return (size_t)position;
  if (position < -(lua_Integer)count) return 0;
  return count + (size_t)position + 1;
}

static int length(lua_State *L) {
  size_t count;
  luaL_checklstring(L, 1, &count);
  lua_pushinteger(L, (lua_Integer)count);
  return 1;
}

static int sub(lua_State *L) {
  size_t count;
  const char *text = luaL_checklstring(L, 1, &count);
  size_t start = start_position(luaL_checkinteger(L, 2), count);
  size_t end = end_position(luaL_optinteger(L, 3, -1), count);
  if (start > end) {
    lua_pushliteral(L, "");
  } else {
    lua_pushlstring(L, text + start - 1, end - start + 1);
  }
  return 1;
}

static int byte(lua_State *L) {
  size_t count;
  const char *text = luaL_checklstring(L, 1, &count);
  lua_Integer first = luaL_optinteger(L, 2, 1);
  size_t start = start_position(first, count);
  size_t end = end_position(luaL_optinteger(L, 3, (lua_Integer)start), count);
  if (start > end) return 0;
  if (end - start >= AL_MAX_RESULTS) return luaL_error(L, "string slice too long");
  int results = (int)(end - start) + 1;
  luaL_checkstack(L, results, "string slice too long");
  for (int at = 0; at < results; at += 1) {
    lua_pushinteger(L, (unsigned char)text[start - 1 + (size_t)at]);
  }
  return results;
}

static int character(lua_State *L) {
  int count = lua_gettop(L);
  al_buffer buffer;
  al_buffer_init(&buffer, L);
  for (int at = 1; at <= count; at += 1) {
    lua_Integer code = luaL_checkinteger(L, at);
    luaL_argcheck(L, code >= 0 && code <= 255, at, "value out of range");
    al_buffer_byte(&buffer, (char)code);
  }
  al_buffer_push(&buffer);
  return 1;
}

/// Fills `total` bytes with the first `filled` of them, over and over.
static void fill(char *bytes, size_t filled, size_t total) {
  while (filled < total) {
    size_t piece = filled < total - filled ? filled : total - filled;
    memcpy(bytes + filled, bytes, piece);
    filled += piece;
  }
}

static int repeat(lua_State *L) {
  size_t count, separator_count;
  const char *text = luaL_checklstring(L, 1, &count);
  lua_Integer times = luaL_checkinteger(L, 2);
  const char *separator = luaL_optlstring(L, 3, "", &separator_count);
  size_t longest = al_max_string(L);
  size_t unit = count + separator_count;
  if (times <= 0 || unit == 0) {
    lua_pushliteral(L, "");
    return 1;
  }
  if ((lua_Unsigned)times > longest / unit) {
    return luaL_error(L, "resulting string too long (at most %I bytes)", (LUAI_UACINT)longest);
  }
  size_t total = unit * (size_t)times;
  al_charge(L, total / 64);
  al_buffer buffer;
  al_buffer_init(&buffer, L);
  char *bytes = al_buffer_space(&buffer, total);
  memcpy(bytes, text, count);
  memcpy(bytes + count, separator, separator_count);
  fill(bytes, unit, total);
  buffer.count = total - separator_count;
  al_buffer_push(&buffer);
  return al_give_way(L, 1);
}

/// A new text of the same length, byte by byte.
static int transform(lua_State *L, int (*change)(int), bool backwards) {
  size_t count;
  const char *text = luaL_checklstring(L, 1, &count);
  al_charge(L, count / 8);
  al_buffer buffer;
  al_buffer_init(&buffer, L);
  char *bytes = al_buffer_space(&buffer, count);
  for (size_t at = 0; at < count; at += 1) {
    unsigned char from = (unsigned char)text[backwards ? count - 1 - at : at];
    bytes[at] = (char)(change ? change(from) : from);
  }
  buffer.count = count;
  al_buffer_push(&buffer);
  return al_give_way(L, 1);
}

static int lower(lua_State *L) { return transform(L, tolower, false); }

static int upper(lua_State *L) { return transform(L, toupper, false); }

static int reverse(lua_State *L) { return transform(L, NULL, true); }

const luaL_Reg al_string_functions[] = {
    {"byte", byte},
    {"char", character},
    {"find", al_string_find},
    {"format", al_string_format},
    {"gmatch", al_string_gmatch},
    {"gsub", al_string_gsub},
    {"len", length},
    {"lower", lower},
    {"match", al_string_match},
    {"rep", repeat},
    {"reverse", reverse},
    {"sub", sub},
    {"upper", upper},
    {NULL, NULL},
};
