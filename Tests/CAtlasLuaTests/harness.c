#define _GNU_SOURCE
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

int failures;

void check_failed(const char *file, int line, const char *what) {
  fprintf(stderr, "%s:%d: not true: %s\n", file, line, what);
  failures += 1;
}

enum { CALL_FINISH, CALL_REPORT, CALL_ECHO, CALL_FAIL, CALL_REQUIRE, CALL_WAIT, CALL_GET, CALL_SET,
       CALL_MISUSE, CALL_FETCH };

const atlas_lua_call test_calls[] = {
    {"finish", ""},   {"report", "v"},      {"echo", "v"},     {"fail", "sT"},   {"require", "s"},
    {"wait_until", ""}, {"http.get", "u"},  {"kv.set", "sj"},  {"misuse", "S"},  {"fetch", "S"},
};
const size_t test_call_count = sizeof test_calls / sizeof *test_calls;

atlas_lua_limits default_limits(void) {
  return (atlas_lua_limits){
      .instructions = 500000000,
      .cpu_ns = 150000000,
      .slice_ns = 40000000,
      .quantum_ns = 5000000,
      .memory = 8 << 20,
      .block = 1280 << 10,
      .overdraft = 2560 << 10,
      .interval = 1000,
      .seed = 42,
  };
}

const char *step_name(atlas_lua_step step) {
  static const char *const names[] = {"loaded", "done",    "ended",  "undefined", "host call",
                                      "quantum", "failed", "killed", "broken"};
  return names[step];
}

const char *cause_name(atlas_lua_cause cause) {
  static const char *const names[] = {"",      "cancelled", "instructions", "cpu",
                                      "slice", "memory",    "block"};
  return names[cause];
}

// MARK: Reading what comes out

static uint64_t read_count(const uint8_t **at) {
  uint64_t value = 0;
  for (int shift = 0;; shift += 7) {
    uint8_t group = *(*at)++;
    value |= (uint64_t)(group & 0x7f) << shift;
    if (group < 0x80) return value;
  }
}

static void read_text(const uint8_t **at, char *into, size_t size) {
  *at += 1;  // the tag
  size_t count = (size_t)read_count(at);
  size_t kept = count < size ? count : size - 1;
  memcpy(into, *at, kept);
  into[kept] = 0;
  *at += count;
}

static void read_fault(outcome *out, atlas_lua_bytes bytes) {
  const uint8_t *at = bytes.start + 2;
  read_text(&at, out->message, sizeof out->message);
  read_text(&at, out->file, sizeof out->file);
  at += 1;
  out->line = (long)(read_count(&at) >> 1);
  read_text(&at, out->traceback, sizeof out->traceback);
}

static void note_report(outcome *out, const uint8_t *value, const uint8_t *end) {
  static char text[1 << 16];
  const uint8_t *at = value;
  if (*value == 0x05) {
    read_text(&at, text, sizeof text);
  } else {
    size_t count = 0;
    for (at = value; at < end && count + 3 < sizeof text; at += 1) {
      count += (size_t)sprintf(text + count, "%02x", *at);
    }
    text[count] = 0;
  }
  int written = snprintf(out->report + out->report_count, sizeof out->report - out->report_count,
                         "%s%s", out->report_count ? "\n" : "", text);
  out->report_count += (size_t)written;
  if (out->report_count >= sizeof out->report) out->report_count = sizeof out->report - 1;
}

// MARK: The host

typedef struct answer {
  uint8_t *bytes;
  size_t count;
} answer;

static void answer_with(answer *to, const void *bytes, size_t count) {
  to->bytes = realloc(to->bytes, count + 1);
  memcpy(to->bytes, bytes, count);
  to->count = count;
}

#define ANSWER(to, literal) answer_with(to, literal, sizeof literal - 1)

static size_t put_count(uint8_t *at, size_t value) {
  size_t count = 0;
  for (; value >= 0x80; value >>= 7) at[count++] = (uint8_t)(value | 0x80);
  at[count++] = (uint8_t)value;
  return count;
}

static size_t put_text(uint8_t *at, uint8_t tag, const char *text, size_t count) {
  at[0] = tag;
  size_t head = 1 + put_count(at + 1, count);
  memcpy(at + head, text, count);
  return head + count;
}

static void answer_module(answer *to, const uint8_t *argument, const char *const *modules) {
  char name[128];
  read_text(&argument, name, sizeof name);
  for (; modules != NULL && *modules != NULL; modules += 2) {
    if (strcmp(modules[0], name) != 0) continue;
    size_t size = strlen(modules[1]);
    uint8_t *bytes = malloc(size + 256);
    size_t count = 0;
    bytes[count++] = 0;
    bytes[count++] = 2;
    count += put_text(bytes + count, 0x05, modules[1], size);
    char path[160];
    snprintf(path, sizeof path, "%s.lua", name);
    count += put_text(bytes + count, 0x05, path, strlen(path));
    answer_with(to, bytes, count);
    free(bytes);
    return;
  }
  ANSWER(to, "\x01there is no such module");
}

/// Answers the first pause with the start, two more with true, the fourth with an error.
static void answer_wait(outcome *out, answer *to) {
  static unsigned pauses;
  if (out->calls == 1) pauses = 0;
  pauses += 1;
  if (pauses == 1) {
    ANSWER(to, "\x00\x01\x03\x02");
  } else if (pauses < 4) {
    ANSWER(to, "\x00\x01\x02");
  } else {
    ANSWER(to, "\x00\x02\x00\x07\x01\x04" "code\x05\x07timeout");
  }
}

static void answer_call(outcome *out, answer *to, atlas_lua_bytes request,
                        const char *const *modules) {
  const uint8_t *at = request.start;
  const uint8_t *end = at + request.count;
  uint64_t call = read_count(&at);
  uint64_t arguments = read_count(&at);
  ANSWER(to, "\x00\x00");
  switch (call) {
    case CALL_FINISH:
    case CALL_FAIL:
      if (call == CALL_FAIL) note_report(out, at, end);
      ANSWER(to, "\x02");
      break;
    case CALL_REPORT:
      note_report(out, at, end);
      break;
    case CALL_REQUIRE:
      answer_module(to, at, modules);
      break;
    case CALL_WAIT:
      answer_wait(out, to);
      break;
    case CALL_ECHO:
    case CALL_SET: {
      uint8_t *bytes = malloc(request.count + 2);
      bytes[0] = 0;
      bytes[1] = (uint8_t)arguments;
      memcpy(bytes + 2, at, (size_t)(end - at));
      answer_with(to, bytes, (size_t)(end - at) + 2);
      free(bytes);
      break;
    }
    case CALL_MISUSE:
      ANSWER(to, "\x01" "misuse: not like this");
      break;
    case CALL_GET:
    case CALL_FETCH:
      // {status = 200, body = "[1,2]"} and a reader of it
      ANSWER(to, "\x00\x01\x09\x07\x02\x06status\x03\x90\x03\x04" "body\x05\x05[1,2]");
      break;
  }
}

// MARK: Driving

static const uint8_t start_nothing[] = {2, 0x00, 0x00};
static const uint8_t start_hook[] = {
    2,    0x05, 4,    'h', 'o', 'o', 'k', 0x0a, 0x07, 2,    3,   'k', 'e', 'y', 0x05, 2,
    'k',  '1',  5,    'r', 'o', 'l', 'e', 's',  0x0a, 0x06, 2,   0x05, 2,  'D', 'C',  0x05,
    3,    'S',  'Q',  'L',
};

static double now_ms(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec * 1e3 + (double)time.tv_nsec / 1e6;
}

static void drive(outcome *out, atlas_lua_run *run, const char *name,
                  const char *const *modules) {
  answer reply = {0};
  if (name == NULL) {
    answer_with(&reply, start_nothing, sizeof start_nothing);
  } else {
    answer_with(&reply, start_hook, sizeof start_hook);
  }
  for (;;) {
    out->step = atlas_lua_resume(run, reply.bytes, reply.count);
    if (out->step == ATLAS_LUA_QUANTUM) {
      out->quanta += 1;
    } else if (out->step == ATLAS_LUA_HOST_CALL) {
      out->calls += 1;
      answer_call(out, &reply, atlas_lua_output(run), modules);
    } else {
      break;
    }
  }
  free(reply.bytes);
}

void run_source(outcome *out, const char *name, const char *source, const char *const *modules,
                const atlas_lua_limits *limits) {
  memset(out, 0, sizeof *out);
  atlas_lua_limits defaults = default_limits();
  atlas_lua_run *run = atlas_lua_new(limits ? limits : &defaults, test_calls, test_call_count);
  if (run == NULL) {
    out->step = ATLAS_LUA_BROKEN;
    return;
  }
  out->step = atlas_lua_load(run, "hook.lua", source, strlen(source));
  if (out->step == ATLAS_LUA_LOADED) drive(out, run, name, modules);
  if (out->step == ATLAS_LUA_FAILED || out->step == ATLAS_LUA_KILLED ||
      out->step == ATLAS_LUA_BROKEN) {
    read_fault(out, atlas_lua_output(run));
  }
  if (out->step == ATLAS_LUA_DONE) {
    atlas_lua_bytes bytes = atlas_lua_output(run);
    note_report(out, bytes.start, bytes.start + bytes.count);
  }
  out->usage = atlas_lua_measure(run);
  double before = now_ms();
  atlas_lua_close(run);
  out->close_ms = now_ms() - before;
}

void run_body(outcome *out, const char *body, const atlas_lua_limits *limits) {
  static const char frame[] =
      "local hook = function(run) %s\nend\nreturn {api = 1, hook = hook}";
  char *source;
  if (asprintf(&source, frame, body) < 0) abort();
  run_source(out, "hook", source, NULL, limits);
  free(source);
}
