/// `string.find`, `match`, `gmatch` and `gsub`.
#define _GNU_SOURCE  // memmem
#include "match.h"

#include <ctype.h>
#include <string.h>

static al_matcher new_matcher(lua_State *L, const char *subject, size_t count,
                              const char *pattern_end) {
  al_matcher matcher;
  matcher.L = L;
  matcher.subject = subject;
  matcher.subject_end = subject + count;
  matcher.pattern_end = pattern_end;
  al_match_reset(&matcher);
  return matcher;
}

/// Where to start, from 0; more than `count` means "cannot match".
static size_t start_offset(lua_State *L, int argument, size_t count) {
  lua_Integer position = luaL_optinteger(L, argument, 1);
  if (position > 0) return (size_t)position - 1;
  if (position == 0 || position < -(lua_Integer)count) return 0;
  return count - (size_t)-position;
}

static bool is_plain(const char *pattern, size_t count) {
  for (size_t at = 0; at < count; at += 1) {
    if (pattern[at] != 0 && strchr("^$*+?.([%-", pattern[at]) != NULL) return false;
  }
  return true;
}

static int no_match(lua_State *L) {
  luaL_pushfail(L);
  return al_give_way(L, 1);
}

static int find_plain(lua_State *L, const char *subject, size_t count, size_t offset,
                      const char *pattern, size_t pattern_count) {
  al_charge(L, (count - offset) / 8 + pattern_count / 8);
  const char *found = pattern_count == 0 ? subject + offset
                                         : memmem(subject + offset, count - offset, pattern,
                                                  pattern_count);
  if (found == NULL) return no_match(L);
  lua_pushinteger(L, found - subject + 1);
  lua_pushinteger(L, found - subject + (lua_Integer)pattern_count);
  return 2;
}

static int find_or_match(lua_State *L, bool find) {
  size_t count, pattern_count;
  const char *subject = luaL_checklstring(L, 1, &count);
  const char *pattern = luaL_checklstring(L, 2, &pattern_count);
  size_t offset = start_offset(L, 3, count);
  if (offset > count) return no_match(L);
  if (find && (lua_toboolean(L, 4) || is_plain(pattern, pattern_count))) {
    return find_plain(L, subject, count, offset, pattern, pattern_count);
  }
  bool anchored = pattern_count > 0 && *pattern == '^';
  al_matcher matcher = new_matcher(L, subject, count, pattern + pattern_count);
  const char *start = subject + offset;
  do {
    al_match_reset(&matcher);
    const char *end = al_match(&matcher, start, pattern + (anchored ? 1 : 0));
    if (end != NULL) {
      if (!find) return al_push_captures(&matcher, start, end);
      lua_pushinteger(L, start - subject + 1);
      lua_pushinteger(L, end - subject);
      return 2 + (matcher.captures == 0 ? 0 : al_push_captures(&matcher, start, end));
    }
  } while (start++ < matcher.subject_end && !anchored);
  return no_match(L);
}

int al_string_find(lua_State *L) { return find_or_match(L, true); }

int al_string_match(lua_State *L) { return find_or_match(L, false); }

// MARK: gmatch

/// Upvalues: 1 the text, 2 the pattern, 3 the next offset, 4 the offset where the last match ended.
/// Nothing points into memory that a later call could find gone.
static int gmatch_next(lua_State *L) {
  size_t count, pattern_count;
  const char *subject = lua_tolstring(L, lua_upvalueindex(1), &count);
  const char *pattern = lua_tolstring(L, lua_upvalueindex(2), &pattern_count);
  size_t offset = (size_t)lua_tointeger(L, lua_upvalueindex(3));
  lua_Integer last = lua_tointeger(L, lua_upvalueindex(4));
  al_matcher matcher = new_matcher(L, subject, count, pattern + pattern_count);
  for (; offset <= count; offset += 1) {
    al_match_reset(&matcher);
    const char *end = al_match(&matcher, subject + offset, pattern);
    if (end == NULL || end - subject == last) continue;
    lua_pushinteger(L, end - subject);
    lua_copy(L, -1, lua_upvalueindex(3));
    lua_replace(L, lua_upvalueindex(4));
    return al_push_captures(&matcher, subject + offset, end);
  }
  lua_pushinteger(L, (lua_Integer)count + 1);
  lua_replace(L, lua_upvalueindex(3));
  return 0;
}

int al_string_gmatch(lua_State *L) {
  size_t count;
  luaL_checklstring(L, 1, &count);
  luaL_checkstring(L, 2);
  size_t offset = start_offset(L, 3, count);
  lua_settop(L, 2);
  lua_pushinteger(L, (lua_Integer)(offset > count ? count + 1 : offset));
  lua_pushinteger(L, -1);
  lua_pushcclosure(L, gmatch_next, 4);
  return 1;
}

// MARK: gsub

typedef struct substitution {
  al_matcher matcher;
  al_buffer buffer;
  int kind;  // the type of the replacement, argument 3
} substitution;

static void append_template(substitution *sub, const char *start, const char *end) {
  lua_State *L = sub->matcher.L;
  size_t count;
  const char *text = lua_tolstring(L, 3, &count);
  const char *text_end = text + count;
  for (; text < text_end; text += 1) {
    al_charge(L, 1);
    if (*text != '%') {
      al_buffer_byte(&sub->buffer, *text);
      continue;
    }
    text += 1;
    if (text == text_end) luaL_error(L, "invalid use of '%%' in replacement string");
    if (*text == '%') {
      al_buffer_byte(&sub->buffer, '%');
    } else if (*text == '0') {
      al_buffer_append(&sub->buffer, start, (size_t)(end - start));
    } else if (isdigit((unsigned char)*text)) {
      al_push_capture(&sub->matcher, *text - '1', start, end);
      al_buffer_value(&sub->buffer);
    } else {
      luaL_error(L, "invalid use of '%%' in replacement string");
    }
  }
}

static void append_replacement(substitution *sub, const char *start, const char *end) {
  lua_State *L = sub->matcher.L;
  if (sub->kind == LUA_TFUNCTION) {
    lua_pushvalue(L, 3);
    lua_call(L, al_push_captures(&sub->matcher, start, end), 1);
  } else if (sub->kind == LUA_TTABLE) {
    al_push_capture(&sub->matcher, 0, start, end);
    lua_gettable(L, 3);
  } else {
    append_template(sub, start, end);
    return;
  }
  if (!lua_toboolean(L, -1)) {
    lua_pop(L, 1);
    al_buffer_append(&sub->buffer, start, (size_t)(end - start));
    return;
  }
  if (!lua_isstring(L, -1)) {
    luaL_error(L, "invalid replacement value (a %s)", luaL_typename(L, -1));
  }
  al_buffer_value(&sub->buffer);
}

/// Replaces up to `limit` matches; returns how many.
static lua_Integer substitute(substitution *sub, const char *pattern, bool anchored,
                              lua_Integer limit) {
  al_matcher *matcher = &sub->matcher;
  const char *at = matcher->subject;
  const char *last = NULL;
  lua_Integer replaced = 0;
  while (replaced < limit) {
    al_match_reset(matcher);
    const char *end = al_match(matcher, at, pattern);
    if (end != NULL && end != last) {
      replaced += 1;
      append_replacement(sub, at, end);
      at = last = end;
    } else if (at < matcher->subject_end) {
      al_buffer_byte(&sub->buffer, *at++);
    } else {
      break;
    }
    if (anchored) break;
  }
  al_buffer_append(&sub->buffer, at, (size_t)(matcher->subject_end - at));
  return replaced;
}

int al_string_gsub(lua_State *L) {
  size_t count, pattern_count;
  const char *subject = luaL_checklstring(L, 1, &count);
  const char *pattern = luaL_checklstring(L, 2, &pattern_count);
  substitution sub;
  sub.kind = lua_type(L, 3);
  luaL_argexpected(L,
                   sub.kind == LUA_TNUMBER || sub.kind == LUA_TSTRING ||
                       sub.kind == LUA_TFUNCTION || sub.kind == LUA_TTABLE,
                   3, "string/function/table");
  lua_Integer limit = luaL_optinteger(L, 4, (lua_Integer)count + 1);
  lua_settop(L, 3);
  bool anchored = pattern_count > 0 && *pattern == '^';
  sub.matcher = new_matcher(L, subject, count, pattern + pattern_count);
  al_buffer_init(&sub.buffer, L);
  lua_Integer replaced = substitute(&sub, pattern + (anchored ? 1 : 0), anchored, limit);
  al_buffer_push(&sub.buffer);
  lua_pushinteger(L, replaced);
  return al_give_way(L, 2);
}
