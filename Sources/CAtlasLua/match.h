/// The pattern matcher. Lua's patterns, with a budget of steps and no state that outlives a call.
#ifndef ATLAS_LUA_MATCH_H
#define ATLAS_LUA_MATCH_H

#include "internal.h"

enum {
  AL_MAX_CAPTURES = 32,
  AL_MAX_MATCH_DEPTH = 200,
  AL_CAPTURE_OPEN = -1,
  AL_CAPTURE_POSITION = -2,
};

typedef struct al_capture {
  const char *start;
  ptrdiff_t count;  // or one of the two marks above
} al_capture;

typedef struct al_matcher {
  lua_State *L;
  const char *subject;
  const char *subject_end;
  const char *pattern_end;
  int depth;
  int captures;
  al_capture capture[AL_MAX_CAPTURES];
} al_matcher;

/// Where the match that begins at `subject` ends, or NULL.
const char *al_match(al_matcher *matcher, const char *subject, const char *pattern);
/// Begins anew at another position.
void al_match_reset(al_matcher *matcher);
/// Pushes capture `index` (from 0); the whole match when there is none and `index` is 0.
void al_push_capture(al_matcher *matcher, int index, const char *start, const char *end);
/// Pushes all captures, or the whole match; returns how many.
int al_push_captures(al_matcher *matcher, const char *start, const char *end);

#endif
