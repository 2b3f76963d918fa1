/// JSON text (RFC 8259) as values. `null` becomes nil: an absent member, a hole in an array.
#include "internal.h"

#include <string.h>

typedef struct json_reader {
  lua_State *L;
  const char *start;
  const char *at;
  const char *end;
  const char *problem;  // set once; everything returns false from there on
} json_reader;

static bool parse(json_reader *json, int depth);

static bool wrong(json_reader *json, const char *problem) {
  if (json->problem == NULL) json->problem = problem;
  return false;
}

static void skip_blanks(json_reader *json) {
  while (json->at < json->end && (*json->at == ' ' || *json->at == '\n' || *json->at == '\t' ||
                                  *json->at == '\r')) {
    json->at += 1;
  }
}

static bool take(json_reader *json, char byte) {
  if (json->at == json->end || *json->at != byte) return false;
  json->at += 1;
  return true;
}

static bool take_word(json_reader *json, const char *word) {
  size_t count = strlen(word);
  if ((size_t)(json->end - json->at) < count || memcmp(json->at, word, count) != 0) {
    return wrong(json, "a value was expected");
  }
  json->at += count;
  return true;
}

// MARK: Numbers

static size_t take_digits(json_reader *json) {
  const char *from = json->at;
  while (json->at < json->end && *json->at >= '0' && *json->at <= '9') json->at += 1;
  return (size_t)(json->at - from);
}

static bool parse_number(json_reader *json) {
  const char *from = json->at;
  take(json, '-');
  const char *digits = json->at;
  size_t count = take_digits(json);
  if (count == 0) return wrong(json, "a value was expected");
  if (count > 1 && *digits == '0') return wrong(json, "a number has a leading zero");
  if (take(json, '.') && take_digits(json) == 0) return wrong(json, "digits were expected");
  if (take(json, 'e') || take(json, 'E')) {
    if (!take(json, '+')) take(json, '-');
    if (take_digits(json) == 0) return wrong(json, "digits were expected");
  }
  char text[128];
  size_t length = (size_t)(json->at - from);
  if (length >= sizeof text) return wrong(json, "a number is too long");
  memcpy(text, from, length);
  text[length] = 0;
  if (lua_stringtonumber(json->L, text) == 0) return wrong(json, "a number cannot be read");
  return true;
}

// MARK: Texts

static bool parse_hex(json_reader *json, unsigned *code) {
  *code = 0;
  for (int digit = 0; digit < 4; digit += 1) {
    if (json->at == json->end) return wrong(json, "four hexadecimal digits were expected");
    char byte = *json->at++;
    unsigned value = byte >= '0' && byte <= '9'   ? (unsigned)(byte - '0')
                     : byte >= 'a' && byte <= 'f' ? (unsigned)(byte - 'a' + 10)
                     : byte >= 'A' && byte <= 'F' ? (unsigned)(byte - 'A' + 10)
                                                  : 16;
    if (value == 16) return wrong(json, "four hexadecimal digits were expected");
    *code = *code * 16 + value;
  }
  return true;
}

static void append_scalar(al_buffer *buffer, unsigned code) {
  if (code < 0x80) {
    al_buffer_byte(buffer, (char)code);
  } else if (code < 0x800) {
    al_buffer_byte(buffer, (char)(0xc0 | code >> 6));
    al_buffer_byte(buffer, (char)(0x80 | (code & 0x3f)));
  } else if (code < 0x10000) {
    al_buffer_byte(buffer, (char)(0xe0 | code >> 12));
    al_buffer_byte(buffer, (char)(0x80 | (code >> 6 & 0x3f)));
    al_buffer_byte(buffer, (char)(0x80 | (code & 0x3f)));
  } else {
    al_buffer_byte(buffer, (char)(0xf0 | code >> 18));
    al_buffer_byte(buffer, (char)(0x80 | (code >> 12 & 0x3f)));
    al_buffer_byte(buffer, (char)(0x80 | (code >> 6 & 0x3f)));
    al_buffer_byte(buffer, (char)(0x80 | (code & 0x3f)));
  }
}

/// After "\u". Half of a surrogate pair alone becomes U+FFFD, as no text can hold it.
static bool parse_unicode(json_reader *json, al_buffer *buffer) {
  unsigned code, low;
  if (!parse_hex(json, &code)) return false;
  if (code >= 0xd800 && code < 0xdc00 && json->end - json->at >= 2 && json->at[0] == '\\' &&
      json->at[1] == 'u') {
    json->at += 2;
    if (!parse_hex(json, &low)) return false;
    if (low >= 0xdc00 && low < 0xe000) {
      append_scalar(buffer, 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00));
      return true;
    }
    append_scalar(buffer, 0xfffd);
    code = low;
  }
  append_scalar(buffer, code >= 0xd800 && code < 0xe000 ? 0xfffd : code);
  return true;
}

static bool parse_escape(json_reader *json, al_buffer *buffer) {
  static const char letters[] = "\"\\/bfnrt";
  static const char plain[] = "\"\\/\b\f\n\r\t";
  if (json->at == json->end) return wrong(json, "a text does not end");
  char letter = *json->at++;
  if (letter == 'u') return parse_unicode(json, buffer);
  const char *found = letter ? strchr(letters, letter) : NULL;
  if (found == NULL) return wrong(json, "an escape is unknown");
  al_buffer_byte(buffer, plain[found - letters]);
  return true;
}

/// The run of bytes that need no decoding.
static const char *plain_end(const json_reader *json) {
  const char *at = json->at;
  while (at < json->end && *at != '"' && *at != '\\' && (unsigned char)*at >= 0x20) at += 1;
  return at;
}

/// Behind the opening quote; pushes the text.
static bool parse_text(json_reader *json) {
  const char *from = json->at;
  json->at = plain_end(json);
  al_charge(json->L, 1 + (size_t)(json->at - from) / 8);
  if (json->at < json->end && *json->at == '"') {
    lua_pushlstring(json->L, from, (size_t)(json->at - from));
    json->at += 1;
    return true;
  }
  al_buffer buffer;
  al_buffer_init(&buffer, json->L);
  al_buffer_append(&buffer, from, (size_t)(json->at - from));
  while (!take(json, '"')) {
    if (json->at == json->end) return wrong(json, "a text does not end");
    if ((unsigned char)*json->at < 0x20) return wrong(json, "a text has a control character");
    if (take(json, '\\')) {
      if (!parse_escape(json, &buffer)) return false;
    }
    const char *rest = json->at;
    json->at = plain_end(json);
    al_charge(json->L, 1 + (size_t)(json->at - rest) / 8);
    al_buffer_append(&buffer, rest, (size_t)(json->at - rest));
  }
  al_buffer_push(&buffer);
  lua_replace(json->L, buffer.slot);
  return true;
}

// MARK: Arrays and objects

static bool parse_array(json_reader *json, int depth) {
  lua_newtable(json->L);
  al_mark_array(json->L, -1);
  skip_blanks(json);
  if (take(json, ']')) return true;
  for (lua_Integer at = 1;; at += 1) {
    if (!parse(json, depth + 1)) return false;
    lua_rawseti(json->L, -2, at);
    skip_blanks(json);
    if (take(json, ']')) return true;
    if (!take(json, ',')) return wrong(json, "',' or ']' was expected");
  }
}

static bool parse_object(json_reader *json, int depth) {
  lua_newtable(json->L);
  skip_blanks(json);
  if (take(json, '}')) return true;
  for (;;) {
    skip_blanks(json);
    if (!take(json, '"')) return wrong(json, "a member's name was expected");
    if (!parse_text(json)) return false;
    skip_blanks(json);
    if (!take(json, ':')) return wrong(json, "':' was expected");
    if (!parse(json, depth + 1)) return false;
    lua_rawset(json->L, -3);
    skip_blanks(json);
    if (take(json, '}')) return true;
    if (!take(json, ',')) return wrong(json, "',' or '}' was expected");
  }
}

static bool parse(json_reader *json, int depth) {
  if (depth > AL_MAX_JSON_DEPTH) return wrong(json, "it is nested too deep");
  luaL_checkstack(json->L, 6, "value nested too deep");
  al_charge(json->L, 1);
  skip_blanks(json);
  if (json->at == json->end) return wrong(json, "a value was expected");
  switch (*json->at) {
    case '{': json->at += 1; return parse_object(json, depth);
    case '[': json->at += 1; return parse_array(json, depth);
    case '"': json->at += 1; return parse_text(json);
    case 't': lua_pushboolean(json->L, 1); return take_word(json, "true");
    case 'f': lua_pushboolean(json->L, 0); return take_word(json, "false");
    case 'n': lua_pushnil(json->L); return take_word(json, "null");
    default: return parse_number(json);
  }
}

void al_push_error(lua_State *L, const char *code, const char *message, bool retryable) {
  lua_createtable(L, 0, 3);
  lua_pushstring(L, code);
  lua_setfield(L, -2, "code");
  lua_pushstring(L, message);
  lua_setfield(L, -2, "message");
  lua_pushboolean(L, retryable);
  lua_setfield(L, -2, "retryable");
}

int al_json_parse(lua_State *L, const char *text, size_t count) {
  int top = lua_gettop(L);
  json_reader json = {L, text, text, text + count, NULL};
  bool good = parse(&json, 0);
  if (good) {
    skip_blanks(&json);
    good = json.at == json.end || wrong(&json, "text follows the value");
  }
  if (good) return 1;
  lua_settop(L, top);
  lua_pushnil(L);
  lua_pushfstring(L, "not JSON: %s at byte %I", json.problem,
                  (LUAI_UACINT)(json.at - json.start + 1));
  al_push_error(L, "json", lua_tostring(L, -1), false);
  lua_replace(L, -2);
  return 2;
}

// MARK: The library

static int json_decode(lua_State *L) {
  size_t count;
  const char *text = luaL_checklstring(L, 1, &count);
  lua_settop(L, 1);
  return al_give_way(L, al_json_parse(L, text, count));
}

static int json_encode(lua_State *L) {
  luaL_checkany(L, 1);
  lua_settop(L, 1);
  al_json_push(L, 1);
  return al_give_way(L, 1);
}

/// json.array(table): marks it, so that it is encoded as an array even when it is empty.
static int json_array(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  if (lua_getmetatable(L, 1)) luaL_error(L, "json.array takes a table without a metatable");
  al_mark_array(L, 1);
  lua_settop(L, 1);
  return 1;
}

const luaL_Reg al_json_functions[] = {
    {"array", json_array}, {"decode", json_decode}, {"encode", json_encode}, {NULL, NULL},
};
