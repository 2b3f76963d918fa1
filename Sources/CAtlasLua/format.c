/// `string.format`: the directives of Lua but `%p`, which shows addresses.
#include "internal.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/// One directive, "%-08.3" and so on, without its letter.
typedef struct directive {
  char text[32];
  size_t count;
} directive;

/// Reads flags, up to two digits of width and up to two of precision; leaves `*at` on the letter.
static directive read_directive(lua_State *L, const char **at) {
  directive result = {.text = "%", .count = 1};
  const char *from = *at;
  const char *end = from;
  while (*end != 0 && strchr("-+ #0", *end) != NULL) end += 1;
  if (end - from > 5) luaL_error(L, "invalid format (repeated flags)");
  for (int digits = 0; digits < 2 && isdigit((unsigned char)*end); digits += 1) end += 1;
  if (*end == '.') {
    end += 1;
    for (int digits = 0; digits < 2 && isdigit((unsigned char)*end); digits += 1) end += 1;
  }
  if (isdigit((unsigned char)*end)) luaL_error(L, "invalid format (width or precision too long)");
  memcpy(result.text + 1, from, (size_t)(end - from));
  result.count += (size_t)(end - from);
  *at = end;
  return result;
}

static void append_suffix(directive *spec, const char *suffix) {
  strcpy(spec->text + spec->count, suffix);  // read_directive leaves room for more than three
}

static void format_integer(al_buffer *buffer, int argument, directive *spec, char letter) {
  char suffix[4] = {'l', 'l', letter, 0};
  char text[160];
  lua_Integer value = luaL_checkinteger(buffer->L, argument);
  append_suffix(spec, suffix);
  int count = snprintf(text, sizeof text, spec->text, (long long)value);
  al_buffer_append(buffer, text, (size_t)count);
}

static void format_float(al_buffer *buffer, int argument, directive *spec, char letter) {
  char suffix[2] = {letter, 0};
  char text[512];  // 309 digits before the point, 99 behind it
  double value = luaL_checknumber(buffer->L, argument);
  append_suffix(spec, suffix);
  int count = snprintf(text, sizeof text, spec->text, value);
  al_buffer_append(buffer, text, (size_t)count);
}

static void format_character(al_buffer *buffer, int argument, directive *spec) {
  char text[128];
  int value = (int)luaL_checkinteger(buffer->L, argument);
  append_suffix(spec, "c");
  int count = snprintf(text, sizeof text, spec->text, value);
  al_buffer_append(buffer, text, (size_t)count);
}

static void format_text(al_buffer *buffer, int argument, directive *spec) {
  lua_State *L = buffer->L;
  size_t count;
  luaL_checkany(L, argument);
  al_push_text(L, argument);
  const char *value = lua_tolstring(L, -1, &count);
  if (spec->count == 1 || (count >= 100 && strchr(spec->text, '.') == NULL)) {
    al_buffer_value(buffer);
    return;
  }
  luaL_argcheck(L, strlen(value) == count, argument, "string contains zeros");
  char text[128];  // 99 characters at most, by width or by precision
  append_suffix(spec, "s");
  int written = snprintf(text, sizeof text, spec->text, value);
  al_buffer_append(buffer, text, (size_t)written);
  lua_pop(L, 1);
}

static void quote_text(al_buffer *buffer, const char *text, size_t count) {
  al_buffer_byte(buffer, '"');
  for (size_t at = 0; at < count; at += 1) {
    unsigned char byte = (unsigned char)text[at];
    if (byte == '"' || byte == '\\' || byte == '\n') {
      al_buffer_byte(buffer, '\\');
      al_buffer_byte(buffer, (char)byte);
    } else if (iscntrl(byte)) {
      char code[8];
      bool digit_follows = at + 1 < count && isdigit((unsigned char)text[at + 1]);
      int written = snprintf(code, sizeof code, digit_follows ? "\\%03d" : "\\%d", byte);
      al_buffer_append(buffer, code, (size_t)written);
    } else {
      al_buffer_byte(buffer, (char)byte);
    }
  }
  al_buffer_byte(buffer, '"');
}

static void format_quoted(al_buffer *buffer, int argument, const directive *spec) {
  lua_State *L = buffer->L;
  size_t count;
  if (spec->count != 1) luaL_error(L, "specifier '%%q' cannot have modifiers");
  if (lua_type(L, argument) == LUA_TSTRING) {
    const char *text = lua_tolstring(L, argument, &count);
    al_charge(L, count / 8);
    quote_text(buffer, text, count);
    return;
  }
  int type = lua_type(L, argument);
  luaL_argcheck(L, type == LUA_TNIL || type == LUA_TBOOLEAN || type == LUA_TNUMBER, argument,
                "value has no literal form");
  if (type == LUA_TNUMBER && !lua_isinteger(L, argument)) {
    char text[64];
    double value = lua_tonumber(L, argument);
    int written = isnan(value)   ? snprintf(text, sizeof text, "(0/0)")
                  : isinf(value) ? snprintf(text, sizeof text, value < 0 ? "-1e9999" : "1e9999")
                                 : snprintf(text, sizeof text, "%a", value);
    al_buffer_append(buffer, text, (size_t)written);
    return;
  }
  if (type == LUA_TNIL) {
    al_buffer_append(buffer, "nil", 3);
    return;
  }
  al_push_text(L, argument);
  al_buffer_value(buffer);
}

static void format_argument(al_buffer *buffer, int argument, directive *spec, char letter) {
  switch (letter) {
    case 'd': case 'i': case 'o': case 'x': case 'X':
      format_integer(buffer, argument, spec, letter);
      return;
    case 'a': case 'A': case 'e': case 'E': case 'f': case 'F': case 'g': case 'G':
      format_float(buffer, argument, spec, letter);
      return;
    case 'c':
      format_character(buffer, argument, spec);
      return;
    case 's':
      format_text(buffer, argument, spec);
      return;
    case 'q':
      format_quoted(buffer, argument, spec);
      return;
    default:
      luaL_error(buffer->L, "invalid conversion '%s%c' to 'format'", spec->text, letter);
  }
}

int al_string_format(lua_State *L) {
  size_t count;
  const char *at = luaL_checklstring(L, 1, &count);
  const char *end = at + count;
  int argument = 1;
  int arguments = lua_gettop(L);
  al_buffer buffer;
  al_buffer_init(&buffer, L);
  while (at < end) {
    al_charge(L, 1);
    if (*at != '%') {
      al_buffer_byte(&buffer, *at++);
      continue;
    }
    at += 1;
    if (*at == '%') {
      al_buffer_byte(&buffer, *at++);
      continue;
    }
    argument += 1;
    if (argument > arguments) luaL_argerror(L, argument, "no value");
    directive spec = read_directive(L, &at);
    format_argument(&buffer, argument, &spec, *at++);
  }
  al_buffer_push(&buffer);
  return al_give_way(L, 1);
}
