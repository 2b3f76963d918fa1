/// Values as JSON text (RFC 8259). The members of an object are sorted, so that equal values give
/// equal text: `kv.cas` compares it, and Lua's own order changes from run to run.
#include "internal.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct member {
  const char *key;
  size_t count;
} member;

static void encode(al_buffer *buffer, int index, int depth);

static int compare_members(const void *left, const void *right) {
  const member *a = left, *b = right;
  int order = memcmp(a->key, b->key, a->count < b->count ? a->count : b->count);
  if (order != 0) return order;
  return a->count < b->count ? -1 : a->count > b->count;
}

/// The number of bytes of the UTF-8 sequence at `at`, or 0 when it is not one.
static size_t sequence_length(const unsigned char *at, size_t left) {
  size_t count = at[0] < 0x80 ? 1 : at[0] < 0xc2 ? 0 : at[0] < 0xe0 ? 2 : at[0] < 0xf0 ? 3
                 : at[0] < 0xf5 ? 4 : 0;
  if (count == 0 || count > left) return 0;
  for (size_t next = 1; next < count; next += 1) {
    if ((at[next] & 0xc0) != 0x80) return 0;
  }
  bool bad = (at[0] == 0xe0 && at[1] < 0xa0) || (at[0] == 0xed && at[1] > 0x9f) ||
             (at[0] == 0xf0 && at[1] < 0x90) || (at[0] == 0xf4 && at[1] > 0x8f);
  return bad ? 0 : count;
}

static void encode_escape(al_buffer *buffer, unsigned char byte) {
  static const char plain[] = "\"\\\b\f\n\r\t";
  static const char letters[] = "\"\\bfnrt";
  const char *found = strchr(plain, byte);
  if (byte != 0 && found != NULL) {
    al_buffer_byte(buffer, '\\');
    al_buffer_byte(buffer, letters[found - plain]);
    return;
  }
  char code[8];
  int count = snprintf(code, sizeof code, "\\u%04x", byte);
  al_buffer_append(buffer, code, (size_t)count);
}

static void encode_text(al_buffer *buffer, const char *text, size_t count) {
  al_charge(buffer->L, 1 + count / 8);
  al_buffer_byte(buffer, '"');
  const unsigned char *at = (const unsigned char *)text, *end = at + count;
  while (at < end) {
    if (*at < 0x20 || *at == '"' || *at == '\\' || *at == 0x7f) {
      encode_escape(buffer, *at++);
      continue;
    }
    size_t length = sequence_length(at, (size_t)(end - at));
    if (length == 0) {
      al_raise(buffer->L, "json: the text is not UTF-8 at byte %zu",
               (size_t)(at - (const unsigned char *)text) + 1);
    }
    al_buffer_append(buffer, (const char *)at, length);
    at += length;
  }
  al_buffer_byte(buffer, '"');
}

static void encode_number(al_buffer *buffer, int index) {
  char text[40];
  int count;
  if (lua_isinteger(buffer->L, index)) {
    count = snprintf(text, sizeof text, "%lld", (long long)lua_tointeger(buffer->L, index));
  } else {
    double value = lua_tonumber(buffer->L, index);
    if (!isfinite(value)) al_raise(buffer->L, "json: a number is infinite or not a number");
    for (int digits = 15;; digits += 1) {  // the shortest that reads back as the same number
      count = snprintf(text, sizeof text, "%.*g", digits, value);
      if (digits == 17 || strtod(text, NULL) == value) break;
    }
  }
  al_buffer_append(buffer, text, (size_t)count);
}

/// Counts the keys. An array has the keys 1 to n only, an object texts only.
static bool is_array(lua_State *L, int index, size_t *count) {
  size_t texts = 0, numbers = 0;
  lua_Unsigned length = lua_rawlen(L, index);
  lua_pushnil(L);
  while (lua_next(L, index)) {
    lua_pop(L, 1);
    al_charge(L, 1);
    bool in_range = lua_isinteger(L, -1) && lua_tointeger(L, -1) >= 1 &&
                    (lua_Unsigned)lua_tointeger(L, -1) <= length;
    if (lua_type(L, -1) == LUA_TSTRING) {
      texts += 1;
    } else if (in_range) {
      numbers += 1;
    } else {
      al_raise(L, "json: a table has keys that are neither text nor 1 to n");
    }
  }
  if (texts > 0 && numbers > 0) al_raise(L, "json: a table is a list or an object, not both");
  *count = numbers > 0 ? (size_t)length : texts;
  return numbers > 0 || (texts == 0 && al_is_array(L, index));
}

static void encode_array(al_buffer *buffer, int index, size_t count, int depth) {
  lua_State *L = buffer->L;
  al_buffer_byte(buffer, '[');
  for (size_t at = 1; at <= count; at += 1) {
    if (at > 1) al_buffer_byte(buffer, ',');
    lua_rawgeti(L, index, (lua_Integer)at);
    encode(buffer, lua_gettop(L), depth + 1);
    lua_pop(L, 1);
  }
  al_buffer_byte(buffer, ']');
}

/// The keys stay alive in the table, which nothing changes meanwhile.
static member *sorted_members(lua_State *L, int index, size_t count) {
  member *members = lua_newuserdatauv(L, (count + 1) * sizeof *members, 0);
  size_t at = 0;
  lua_pushnil(L);
  while (lua_next(L, index) && at < count) {
    lua_pop(L, 1);
    members[at].key = lua_tolstring(L, -1, &members[at].count);
    at += 1;
  }
  al_charge(L, count * 4);
  qsort(members, count, sizeof *members, compare_members);
  return members;
}

static void encode_object(al_buffer *buffer, int index, size_t count, int depth) {
  lua_State *L = buffer->L;
  const member *members = sorted_members(L, index, count);
  al_buffer_byte(buffer, '{');
  for (size_t at = 0; at < count; at += 1) {
    if (at > 0) al_buffer_byte(buffer, ',');
    encode_text(buffer, members[at].key, members[at].count);
    al_buffer_byte(buffer, ':');
    lua_pushlstring(L, members[at].key, members[at].count);
    lua_rawget(L, index);
    encode(buffer, lua_gettop(L), depth + 1);
    lua_pop(L, 1);
  }
  al_buffer_byte(buffer, '}');
  lua_pop(L, 1);
}

static void encode_table(al_buffer *buffer, int index, int depth) {
  lua_State *L = buffer->L;
  if (depth >= AL_MAX_JSON_DEPTH) {
    al_raise(L, "json: nested more than %d deep, or in a loop", AL_MAX_JSON_DEPTH);
  }
  luaL_checkstack(L, 8, "value nested too deep");
  al_push_data(L, index);
  index = lua_gettop(L);
  size_t count;
  if (is_array(L, index, &count)) {
    encode_array(buffer, index, count, depth);
  } else {
    encode_object(buffer, index, count, depth);
  }
  lua_pop(L, 1);
}

static void encode(al_buffer *buffer, int index, int depth) {
  lua_State *L = buffer->L;
  size_t count;
  const char *text;
  al_charge(L, 1);
  switch (lua_type(L, index)) {
    case LUA_TNIL:
      al_buffer_append(buffer, "null", 4);
      return;
    case LUA_TBOOLEAN:
      text = lua_toboolean(L, index) ? "true" : "false";
      al_buffer_append(buffer, text, strlen(text));
      return;
    case LUA_TNUMBER:
      encode_number(buffer, index);
      return;
    case LUA_TSTRING:
      text = lua_tolstring(L, index, &count);
      encode_text(buffer, text, count);
      return;
    case LUA_TTABLE:
      encode_table(buffer, index, depth);
      return;
    case LUA_TLIGHTUSERDATA:
      if (lua_touserdata(L, index) == NULL) {
        al_buffer_append(buffer, "null", 4);
        return;
      }
      // fall through
    default:
      al_raise(L, "json: a %s has no JSON form", luaL_typename(L, index));
  }
}

void al_json_push(lua_State *L, int index) {
  index = lua_absindex(L, index);
  luaL_checkstack(L, 4, "value nested too deep");
  int top = lua_gettop(L);
  al_buffer buffer;
  al_buffer_init(&buffer, L);
  encode(&buffer, index, 0);
  al_buffer_push(&buffer);
  lua_replace(L, top + 1);
}
