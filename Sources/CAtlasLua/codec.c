/// Values as bytes, for the way between a script and the host.
///
///   value   = tag, content
///   0x00      nil
///   0x01      false
///   0x02      true
///   0x03      integer: zigzag, then base-128: groups of seven bits, the lowest first, the high
///             bit set on all but the last
///   0x04      float: eight bytes of IEEE 754, lowest first
///   0x05      text: length (base-128), bytes
///   0x06      list: count (base-128), values
///   0x07      map: count (base-128), then for each member length, key bytes, value
///   0x08      JSON text (as 0x05), which the script receives as the value it stands for
///   0x09      a map with a text `body`; the script also gets `json`, a function that decodes it
///   0x0a      a value (a list or a map) that the script receives as a read-only view
///
///   request = index of the host call (base-128), count of arguments (base-128), values
///   answer  = 0x00, count of results, values
///           | 0x01, text without tag or length: raised at the script's line
///           | 0x02: the hook ends here
///
/// Requests use 0x00 to 0x07 only. Nesting is limited to AL_MAX_DEPTH, a request to
/// AL_MAX_MESSAGE bytes.
#include "internal.h"

#include <string.h>

enum {
  TAG_NIL, TAG_FALSE, TAG_TRUE, TAG_INTEGER, TAG_FLOAT, TAG_TEXT, TAG_LIST, TAG_MAP,
  TAG_JSON, TAG_RESPONSE, TAG_READ_ONLY,
};

// MARK: Encoding

static void put(lua_State *L, const void *from, size_t count) {
  al_bytes *output = &al_run(L)->output;
  if (output->count + count > AL_MAX_MESSAGE) {
    al_raise(L, "the arguments of a host call may take at most %d KiB", AL_MAX_MESSAGE / 1024);
  }
  if (!al_bytes_append(output, from, count)) luaL_error(L, "not enough memory");
}

static void put_byte(lua_State *L, uint8_t byte) { put(L, &byte, 1); }

static void put_count(lua_State *L, uint64_t value) {
  uint8_t groups[10];
  size_t count = 0;
  while (value >= 0x80) {
    groups[count++] = (uint8_t)(value | 0x80);
    value >>= 7;
  }
  groups[count++] = (uint8_t)value;
  put(L, groups, count);
}

static void put_text(lua_State *L, int index) {
  size_t count;
  const char *text = lua_tolstring(L, index, &count);
  put_count(L, count);
  put(L, text, count);
}

static void put_number(lua_State *L, int index) {
  if (lua_isinteger(L, index)) {
    lua_Integer value = lua_tointeger(L, index);
    put_byte(L, TAG_INTEGER);
    put_count(L, ((uint64_t)value << 1) ^ (uint64_t)(value >> 63));
    return;
  }
  double value = lua_tonumber(L, index);
  uint64_t bits;
  memcpy(&bits, &value, sizeof bits);
  uint8_t bytes[8];
  for (int at = 0; at < 8; at += 1) bytes[at] = (uint8_t)(bits >> (8 * at));
  put_byte(L, TAG_FLOAT);
  put(L, bytes, sizeof bytes);
}

static void encode(lua_State *L, int index, int depth, bool options);

/// A table is a list when its keys are 1 to n, a map when all of them are text.
static bool table_is_list(lua_State *L, int index, uint64_t *count) {
  uint64_t texts = 0, numbers = 0, highest = lua_rawlen(L, index);
  lua_pushnil(L);
  while (lua_next(L, index)) {
    lua_pop(L, 1);
    al_charge(L, 1);
    if (lua_type(L, -1) == LUA_TSTRING) {
      texts += 1;
    } else if (lua_isinteger(L, -1) && lua_tointeger(L, -1) >= 1 &&
               (uint64_t)lua_tointeger(L, -1) <= highest) {
      numbers += 1;
    } else {
      al_raise(L, "a table for the host has text keys or is a list; it has a %s as a key",
               luaL_typename(L, -1));
    }
  }
  if (texts > 0 && numbers > 0) {
    al_raise(L, "a table for the host has text keys or is a list, not both");
  }
  *count = numbers > 0 ? highest : texts;  // holes of a list go as nil
  return numbers > 0;
}

static void encode_table(lua_State *L, int index, int depth, bool options) {
  if (depth >= AL_MAX_DEPTH) {
    al_raise(L, "a table for the host may be nested at most %d deep", AL_MAX_DEPTH);
  }
  luaL_checkstack(L, 6, "value nested too deep");
  al_push_data(L, index);
  index = lua_gettop(L);
  uint64_t count;
  if (table_is_list(L, index, &count)) {
    put_byte(L, TAG_LIST);
    put_count(L, count);
    for (uint64_t at = 1; at <= count; at += 1) {
      lua_rawgeti(L, index, (lua_Integer)at);
      encode(L, lua_gettop(L), depth + 1, false);
      lua_pop(L, 1);
    }
  } else {
    put_byte(L, TAG_MAP);
    put_count(L, count);
    lua_pushnil(L);
    while (lua_next(L, index)) {
      put_text(L, -2);
      if (options && strcmp(lua_tostring(L, -2), "json") == 0) {
        al_json_push(L, lua_gettop(L));
        lua_replace(L, -2);
      }
      encode(L, lua_gettop(L), depth + 1, false);
      lua_pop(L, 1);
    }
  }
  lua_pop(L, 1);
}

static void encode(lua_State *L, int index, int depth, bool options) {
  switch (lua_type(L, index)) {
    case LUA_TNIL:
    case LUA_TNONE:
      put_byte(L, TAG_NIL);
      return;
    case LUA_TBOOLEAN:
      put_byte(L, lua_toboolean(L, index) ? TAG_TRUE : TAG_FALSE);
      return;
    case LUA_TNUMBER:
      put_number(L, index);
      return;
    case LUA_TSTRING:
      put_byte(L, TAG_TEXT);
      put_text(L, index);
      return;
    case LUA_TTABLE:
      encode_table(L, index, depth, options);
      return;
    case LUA_TLIGHTUSERDATA:
      if (lua_touserdata(L, index) == NULL) {  // json.null
        put_byte(L, TAG_NIL);
        return;
      }
      // fall through
    default:
      al_raise(L, "a %s cannot be given to the host", luaL_typename(L, index));
  }
}

void al_encode_begin(lua_State *L, size_t call) {
  al_run(L)->output.count = 0;
  put_count(L, call);
}

/// Appends the value at `index`. With `options`, the member `json` of a table goes as JSON text.
void al_encode(lua_State *L, int index, bool options) { encode(L, index, 0, options); }

// MARK: Decoding

typedef struct reader {
  lua_State *L;
  const uint8_t *at;
  const uint8_t *end;
} reader;

_Noreturn static void malformed(reader *from) {
  al_raise_at(from->L, "", 0, "the daemon sent a malformed answer");
}

static uint8_t take_byte(reader *from) {
  if (from->at == from->end) malformed(from);
  return *from->at++;
}

static uint64_t take_count(reader *from) {
  uint64_t value = 0;
  for (int shift = 0; shift < 64; shift += 7) {
    uint8_t group = take_byte(from);
    value |= (uint64_t)(group & 0x7f) << shift;
    if (group < 0x80) return value;
  }
  malformed(from);
}

static void push_text(reader *from) {
  uint64_t count = take_count(from);
  if (count > (uint64_t)(from->end - from->at)) malformed(from);
  lua_pushlstring(from->L, (const char *)from->at, (size_t)count);
  from->at += count;
}

static void push_float(reader *from) {
  uint64_t bits = 0;
  for (int at = 0; at < 8; at += 1) bits |= (uint64_t)take_byte(from) << (8 * at);
  double value;
  memcpy(&value, &bits, sizeof value);
  lua_pushnumber(from->L, value);
}

static int read_json(lua_State *L) {
  size_t count;
  const char *text = lua_tolstring(L, lua_upvalueindex(1), &count);
  return al_give_way(L, al_json_parse(L, text, count));
}

static void decode(reader *from, int depth);

static void decode_list(reader *from, int depth) {
  uint64_t count = take_count(from);
  if (count > (uint64_t)(from->end - from->at)) malformed(from);  // an element takes a byte
  lua_createtable(from->L, count < 64 ? (int)count : 64, 0);
  for (uint64_t at = 1; at <= count; at += 1) {
    decode(from, depth + 1);
    lua_rawseti(from->L, -2, (lua_Integer)at);
  }
}

static void decode_map(reader *from, int depth) {
  uint64_t count = take_count(from);
  if (count > (uint64_t)(from->end - from->at)) malformed(from);
  lua_createtable(from->L, 0, count < 64 ? (int)count : 64);
  for (uint64_t at = 0; at < count; at += 1) {
    push_text(from);
    decode(from, depth + 1);
    lua_rawset(from->L, -3);
  }
}

static void decode(reader *from, int depth) {
  lua_State *L = from->L;
  if (depth > AL_MAX_DEPTH) malformed(from);
  luaL_checkstack(L, 6, "value nested too deep");
  al_charge(L, 1);
  uint8_t tag = take_byte(from);
  switch (tag) {
    case TAG_NIL: lua_pushnil(L); return;
    case TAG_FALSE: lua_pushboolean(L, 0); return;
    case TAG_TRUE: lua_pushboolean(L, 1); return;
    case TAG_INTEGER: {
      uint64_t zigzag = take_count(from);
      lua_pushinteger(L, (lua_Integer)((zigzag >> 1) ^ (~(zigzag & 1) + 1)));
      return;
    }
    case TAG_FLOAT: push_float(from); return;
    case TAG_TEXT: push_text(from); return;
    case TAG_LIST: decode_list(from, depth); return;
    case TAG_MAP: decode_map(from, depth); return;
    case TAG_JSON: {
      push_text(from);
      size_t count;
      const char *text = lua_tolstring(L, -1, &count);
      if (al_json_parse(L, text, count) != 1) malformed(from);
      lua_replace(L, -2);
      return;
    }
    case TAG_RESPONSE:
      decode(from, depth + 1);
      if (!lua_istable(L, -1) || lua_getfield(L, -1, "body") != LUA_TSTRING) malformed(from);
      lua_pushcclosure(L, read_json, 1);
      lua_setfield(L, -2, "json");
      return;
    case TAG_READ_ONLY:
      decode(from, depth + 1);
      if (!lua_istable(L, -1)) malformed(from);
      al_make_read_only(L);
      return;
    default:
      malformed(from);
  }
}

int al_decode_values(lua_State *L, const uint8_t *bytes, size_t count) {
  reader from = {L, bytes, bytes + count};
  uint64_t values = take_count(&from);
  if (values > 16) malformed(&from);
  for (uint64_t at = 0; at < values; at += 1) decode(&from, 0);
  if (from.at != from.end) malformed(&from);
  return (int)values;
}
