/// Matching one pattern at one position.
///
/// A backtracking matcher over the pattern's text: each item either consumes a byte and goes on in
/// the loop, or recurses to try what follows. Recursion is limited by AL_MAX_MATCH_DEPTH, time by
/// `al_charge`; nothing else bounds a pattern such as ("a*"):rep(20) .. "b".
#include "match.h"

#include <ctype.h>
#include <string.h>

static const char *match_here(al_matcher *m, const char *s, const char *p);

// MARK: Single items

/// The end of the item at `p`: one byte, an escape, or a set.
static const char *item_end(al_matcher *m, const char *p) {
  char first = *p++;
  if (first == '%') {
    if (p == m->pattern_end) luaL_error(m->L, "malformed pattern (ends with '%%')");
    return p + 1;
  }
  if (first != '[') return p;
  if (p < m->pattern_end && *p == '^') p += 1;
  do {  // a ']' in first place stands for itself
    if (p == m->pattern_end) luaL_error(m->L, "malformed pattern (missing ']')");
    char byte = *p++;
    if (byte == '%') {
      if (p == m->pattern_end) luaL_error(m->L, "malformed pattern (missing ']')");
      p += 1;
    }
  } while (p == m->pattern_end || *p != ']');
  return p + 1;
}

static bool in_class(int byte, int letter) {
  bool found;
  switch (tolower(letter)) {
    case 'a': found = isalpha(byte); break;
    case 'c': found = iscntrl(byte); break;
    case 'd': found = isdigit(byte); break;
    case 'g': found = isgraph(byte); break;
    case 'l': found = islower(byte); break;
    case 'p': found = ispunct(byte); break;
    case 's': found = isspace(byte); break;
    case 'u': found = isupper(byte); break;
    case 'w': found = isalnum(byte); break;
    case 'x': found = isxdigit(byte); break;
    default: return letter == byte;
  }
  return isupper(letter) ? !found : found;
}

/// `p` is at '[', `end` behind the matching ']'.
static bool in_set(int byte, const char *p, const char *end) {
  bool negated = p[1] == '^';
  const unsigned char *at = (const unsigned char *)p + (negated ? 2 : 1);
  const unsigned char *last = (const unsigned char *)end - 1;
  while (at < last) {
    if (*at == '%') {
      if (in_class(byte, at[1])) return !negated;
      at += 2;
    } else if (at + 2 < last && at[1] == '-') {
      if (at[0] <= byte && byte <= at[2]) return !negated;
      at += 3;
    } else {
      if (*at == byte) return !negated;
      at += 1;
    }
  }
  return negated;
}

static bool item_matches(al_matcher *m, const char *s, const char *p, const char *end) {
  if (s >= m->subject_end) return false;
  al_charge(m->L, 1);
  int byte = (unsigned char)*s;
  switch (*p) {
    case '.': return true;
    case '%': return in_class(byte, (unsigned char)p[1]);
    case '[': al_charge(m->L, (size_t)(end - p) / 4); return in_set(byte, p, end);
    default: return (unsigned char)*p == byte;
  }
}

// MARK: Repetition

static const char *match_most(al_matcher *m, const char *s, const char *p, const char *end) {
  ptrdiff_t count = 0;
  while (item_matches(m, s + count, p, end)) count += 1;
  for (; count >= 0; count -= 1) {
    const char *result = match_here(m, s + count, end + 1);
    if (result != NULL) return result;
  }
  return NULL;
}

static const char *match_least(al_matcher *m, const char *s, const char *p, const char *end) {
  for (;;) {
    const char *result = match_here(m, s, end + 1);
    if (result != NULL) return result;
    if (!item_matches(m, s, p, end)) return NULL;
    s += 1;
  }
}

// MARK: Captures

static const char *open_capture(al_matcher *m, const char *s, const char *p, ptrdiff_t mark) {
  if (m->captures >= AL_MAX_CAPTURES) luaL_error(m->L, "too many captures");
  m->capture[m->captures] = (al_capture){s, mark};
  m->captures += 1;
  const char *result = match_here(m, s, p);
  if (result == NULL) m->captures -= 1;
  return result;
}

static const char *close_capture(al_matcher *m, const char *s, const char *p) {
  int index = m->captures - 1;
  while (index >= 0 && m->capture[index].count != AL_CAPTURE_OPEN) index -= 1;
  if (index < 0) luaL_error(m->L, "invalid pattern capture");
  m->capture[index].count = s - m->capture[index].start;
  const char *result = match_here(m, s, p);
  if (result == NULL) m->capture[index].count = AL_CAPTURE_OPEN;
  return result;
}

/// Matches again what capture `digit` matched.
static const char *match_again(al_matcher *m, const char *s, char digit) {
  int index = digit - '1';
  if (index < 0 || index >= m->captures || m->capture[index].count == AL_CAPTURE_OPEN) {
    luaL_error(m->L, "invalid capture index %%%d", index + 1);
  }
  ptrdiff_t count = m->capture[index].count;
  if (count == AL_CAPTURE_POSITION) return NULL;
  al_charge(m->L, 1 + (size_t)count / 16);
  if (m->subject_end - s < count) return NULL;
  if (memcmp(m->capture[index].start, s, (size_t)count) != 0) return NULL;
  return s + count;
}

// MARK: %b and %f

static const char *match_balanced(al_matcher *m, const char *s, const char *p) {
  if (m->pattern_end - p < 2) luaL_error(m->L, "malformed pattern (missing arguments to '%%b')");
  if (s >= m->subject_end || *s != p[0]) return NULL;
  int open = 1;
  for (s += 1; s < m->subject_end; s += 1) {
    al_charge(m->L, 1);
    if (*s == p[1]) {
      open -= 1;
      if (open == 0) return s + 1;
    } else if (*s == p[0]) {
      open += 1;
    }
  }
  return NULL;
}

/// Whether a set begins to match here: it does not match the byte before, and matches this one.
static bool at_frontier(al_matcher *m, const char *s, const char *p, const char *end) {
  int before = s == m->subject ? 0 : (unsigned char)s[-1];
  int after = s == m->subject_end ? 0 : (unsigned char)*s;
  return !in_set(before, p, end) && in_set(after, p, end);
}

// MARK: The loop

/// One escape that is more than a class. Returns false when it is only a class; else `*s` and `*p`
/// stand behind it, or `*s` is NULL because it does not match.
static bool match_escape(al_matcher *m, const char **s, const char **p) {
  if (*p + 1 == m->pattern_end) return false;
  char letter = (*p)[1];
  if (letter == 'b') {
    *s = match_balanced(m, *s, *p + 2);
    *p += 4;
  } else if (letter == 'f') {
    const char *set = *p + 2;
    if (set >= m->pattern_end || *set != '[') {
      luaL_error(m->L, "missing '[' after '%%f' in pattern");
    }
    const char *end = item_end(m, set);
    if (!at_frontier(m, *s, set, end)) *s = NULL;
    *p = end;
  } else if (isdigit((unsigned char)letter)) {
    *s = match_again(m, *s, letter);
    *p += 2;
  } else {
    return false;
  }
  return true;
}

static const char *match_loop(al_matcher *m, const char *s, const char *p) {
  while (p < m->pattern_end) {
    al_charge(m->L, 1);
    if (*p == '(') {
      bool position = p + 1 < m->pattern_end && p[1] == ')';
      return position ? open_capture(m, s, p + 2, AL_CAPTURE_POSITION)
                      : open_capture(m, s, p + 1, AL_CAPTURE_OPEN);
    }
    if (*p == ')') return close_capture(m, s, p + 1);
    if (*p == '$' && p + 1 == m->pattern_end) return s == m->subject_end ? s : NULL;
    if (*p == '%' && match_escape(m, &s, &p)) {
      if (s == NULL) return NULL;
      continue;
    }
    const char *end = item_end(m, p);
    char suffix = end < m->pattern_end ? *end : 0;
    if (suffix == '*') return match_most(m, s, p, end);
    if (suffix == '-') return match_least(m, s, p, end);
    bool matches = item_matches(m, s, p, end);
    if (suffix == '+') return matches ? match_most(m, s + 1, p, end) : NULL;
    if (suffix == '?') {
      if (matches) {
        const char *result = match_here(m, s + 1, end + 1);
        if (result != NULL) return result;
      }
      p = end + 1;
      continue;
    }
    if (!matches) return NULL;
    s += 1;
    p = end;
  }
  return s;
}

static const char *match_here(al_matcher *m, const char *s, const char *p) {
  if (m->depth == AL_MAX_MATCH_DEPTH) luaL_error(m->L, "pattern too complex");
  m->depth += 1;
  const char *result = match_loop(m, s, p);
  m->depth -= 1;
  return result;
}

// MARK: For the functions

const char *al_match(al_matcher *m, const char *subject, const char *pattern) {
  return match_here(m, subject, pattern);
}

void al_match_reset(al_matcher *m) {
  m->depth = 0;
  m->captures = 0;
}

void al_push_capture(al_matcher *m, int index, const char *start, const char *end) {
  if (index >= m->captures) {
    if (index != 0) luaL_error(m->L, "invalid capture index %%%d", index + 1);
    lua_pushlstring(m->L, start, (size_t)(end - start));
    return;
  }
  al_capture capture = m->capture[index];
  if (capture.count == AL_CAPTURE_OPEN) luaL_error(m->L, "unfinished capture");
  if (capture.count == AL_CAPTURE_POSITION) {
    lua_pushinteger(m->L, capture.start - m->subject + 1);
  } else {
    lua_pushlstring(m->L, capture.start, (size_t)capture.count);
  }
}

int al_push_captures(al_matcher *m, const char *start, const char *end) {
  int count = m->captures == 0 ? 1 : m->captures;
  luaL_checkstack(m->L, count, "too many captures");
  for (int index = 0; index < count; index += 1) al_push_capture(m, index, start, end);
  return count;
}
