/// Errors: raising them at the script's own line, and recording the one that ended the run.
#include "internal.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { AL_TRACEBACK_LEVELS = 16 };

/// Pushes "file:line: " of the nearest frame that is Lua, or "".
static void push_place(lua_State *L) {
  lua_Debug frame;
  for (int level = 0; lua_getstack(L, level, &frame); level += 1) {
    lua_getinfo(L, "Sl", &frame);
    if (frame.currentline > 0) {
      lua_pushfstring(L, "%s:%d: ", frame.short_src, frame.currentline);
      return;
    }
  }
  lua_pushliteral(L, "");
}

_Noreturn void al_raise(lua_State *L, const char *format, ...) {
  luaL_checkstack(L, 4, NULL);
  char message[512];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(message, sizeof message, format, arguments);
  va_end(arguments);
  push_place(L);
  lua_pushstring(L, message);
  lua_concat(L, 2);
  lua_error(L);
  abort();
}

static al_fault *new_fault(atlas_lua_run *run) {
  if (run->fault == NULL) run->fault = calloc(1, sizeof *run->fault);
  return run->fault;
}

_Noreturn void al_raise_at(lua_State *L, const char *file, int line, const char *format, ...) {
  al_fault *fault = new_fault(al_run(L));
  if (fault != NULL) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(fault->message, sizeof fault->message, format, arguments);
    va_end(arguments);
    snprintf(fault->file, sizeof fault->file, "%s", file);
    fault->line = line;
  }
  lua_pushliteral(L, "");
  lua_error(L);
  abort();
}

// MARK: Recording

/// "in function 'name'", "in a host call", "in the file".
static const char *describe_frame(const lua_Debug *frame, char *text, size_t size) {
  if (strcmp(frame->what, "main") == 0) {
    snprintf(text, size, "in the file");
  } else if (frame->name != NULL) {
    snprintf(text, size, "in '%.60s'", frame->name);
  } else if (strcmp(frame->what, "C") == 0) {
    snprintf(text, size, "in a library function");
  } else {
    snprintf(text, size, "in the function at line %d", frame->linedefined);
  }
  return text;
}

static void record_traceback(lua_State *L, al_fault *fault) {
  size_t count = 0;
  lua_Debug frame;
  int written = 0;
  for (int level = 0; lua_getstack(L, level, &frame); level += 1) {
    lua_getinfo(L, "Slnt", &frame);
    if (frame.currentline <= 0) continue;  // C functions have no place of their own
    char text[96];
    int length = snprintf(fault->traceback + count, sizeof fault->traceback - count,
                          "%s%s:%d: %s", count ? "\n" : "", frame.short_src, frame.currentline,
                          describe_frame(&frame, text, sizeof text));
    if (length < 0 || (size_t)length >= sizeof fault->traceback - count) {
      fault->traceback[count] = 0;
      return;
    }
    count += (size_t)length;
    written += 1;
    if (written == AL_TRACEBACK_LEVELS) {
      snprintf(fault->traceback + count, sizeof fault->traceback - count, "\n...");
      return;
    }
  }
}

static void record_nearest(lua_State *L, al_fault *fault) {
  lua_Debug frame;
  for (int level = 0; lua_getstack(L, level, &frame); level += 1) {
    lua_getinfo(L, "Sl", &frame);
    if (frame.currentline <= 0) continue;
    snprintf(fault->file, sizeof fault->file, "%s", frame.short_src);
    fault->line = frame.currentline;
    return;
  }
}

void al_record_place(atlas_lua_run *run) {
  if (run->fault != NULL) return;
  al_fault *fault = new_fault(run);
  if (fault == NULL) return;
  record_nearest(run->co, fault);
  record_traceback(run->co, fault);
}

/// Splits "file.lua:line: message", the form in which Lua reports errors.
static size_t split_place(const char *message, al_fault *fault) {
  const char *colon = strstr(message, ".lua:");
  if (colon == NULL) return 0;
  colon += strlen(".lua");
  if ((size_t)(colon - message) >= sizeof fault->file || !isdigit((unsigned char)colon[1])) {
    return 0;
  }
  char *end;
  long line = strtol(colon + 1, &end, 10);
  if (line <= 0 || line > 1000000 || end[0] != ':' || end[1] != ' ') return 0;
  if (strcspn(message, " \n") < (size_t)(colon - message)) return 0;
  memcpy(fault->file, message, (size_t)(colon - message));
  fault->file[colon - message] = 0;
  fault->line = (int)line;
  return (size_t)(end + 2 - message);
}

static void keep_message(al_fault *fault, const char *message, size_t count) {
  if (count >= sizeof fault->message) count = sizeof fault->message - 1;
  memcpy(fault->message, message, count);
  fault->message[count] = 0;
}

void al_record_message(atlas_lua_run *run, const char *message, size_t count) {
  al_fault *fault = new_fault(run);
  if (fault == NULL) return;
  size_t place = split_place(message, fault);
  keep_message(fault, message + place, count - place);
}

/// Keeps `code` of an error table: a failure that a host call returned and the script raised.
static void record_code(lua_State *L, al_fault *fault, int index) {
  lua_pushliteral(L, "code");
  if (lua_rawget(L, index) == LUA_TSTRING) {
    snprintf(fault->code, sizeof fault->code, "%s", lua_tostring(L, -1));
  }
  lua_pop(L, 1);
}

static void record_value(lua_State *L, atlas_lua_run *run, int index) {
  size_t count;
  if (lua_type(L, index) == LUA_TSTRING) {
    const char *message = lua_tolstring(L, index, &count);
    al_record_message(run, message, count);
    return;
  }
  if (lua_type(L, index) == LUA_TTABLE) {
    // The shape of our own errors. Never asks __tostring, which could do anything.
    record_code(L, run->fault, index);
    lua_pushliteral(L, "message");
    if (lua_rawget(L, index) != LUA_TSTRING) {
      lua_pop(L, 1);
      lua_pushliteral(L, "the error value is a table without a text `message`");
    }
  } else {
    lua_pushfstring(L, "the error value is a %s", luaL_typename(L, index));
  }
  const char *message = lua_tolstring(L, -1, &count);
  keep_message(run->fault, message, count);
  lua_pop(L, 1);
}

int al_record_error(lua_State *L) {
  atlas_lua_run *run = al_run(L);
  if (run->killed || al_is_ending(L, 1)) return 1;
  if (run->fault == NULL) {
    al_fault *fault = new_fault(run);
    if (fault != NULL) {
      record_nearest(L, fault);
      record_value(L, run, 1);
    }
  }
  if (run->fault != NULL) record_traceback(L, run->fault);
  return 1;
}

// MARK: Leaving the run

static void output_text(al_bytes *output, const char *text) {
  size_t count = strlen(text);
  uint8_t head[3] = {0x05, (uint8_t)(count | 0x80), (uint8_t)(count >> 7)};
  al_bytes_append(output, head, sizeof head);
  al_bytes_append(output, text, count);
}

/// [message, file, line, traceback, code] in the form of codec.c.
void al_output_fault(atlas_lua_run *run) {
  static const al_fault unknown = {0};
  const al_fault *fault = run->fault ? run->fault : &unknown;
  run->output.count = 0;
  uint8_t head[] = {0x06, 5};
  al_bytes_append(&run->output, head, sizeof head);
  output_text(&run->output, fault->message);
  output_text(&run->output, fault->file);
  uint64_t line = (uint64_t)fault->line * 2;  // zigzag
  uint8_t number[] = {0x03, (uint8_t)(line | 0x80), (uint8_t)((line >> 7) | 0x80),
                      (uint8_t)((line >> 14) & 0x7f)};
  al_bytes_append(&run->output, number, sizeof number);
  output_text(&run->output, fault->traceback);
  output_text(&run->output, fault->code);
}
