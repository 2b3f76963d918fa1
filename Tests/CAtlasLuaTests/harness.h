/// Drives a run the way the daemon does, with a host that answers a handful of calls.
#ifndef ATLAS_LUA_HARNESS_H
#define ATLAS_LUA_HARNESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "CAtlasLua.h"

/// How a script ended, and what it cost.
typedef struct outcome {
  atlas_lua_step step;
  atlas_lua_usage usage;
  unsigned quanta;         // times it gave way
  unsigned calls;          // host calls it made
  double close_ms;
  char report[1 << 16];    // what it gave to report(), joined by newlines
  size_t report_count;
  char message[1100];      // of the fault
  char file[64];
  long line;
  char traceback[2200];
} outcome;

/// The limits of the daemon.
atlas_lua_limits default_limits(void);

/// Runs `source`, a whole hook file, and calls its function `name` (NULL: only describes the file).
/// Modules that it requires are looked up in `modules`, pairs of name and source ended by NULL.
void run_source(outcome *out, const char *name, const char *source, const char *const *modules,
                const atlas_lua_limits *limits);

/// Runs statements as the body of the hook function.
void run_body(outcome *out, const char *body, const atlas_lua_limits *limits);

const char *step_name(atlas_lua_step step);
const char *cause_name(atlas_lua_cause cause);

extern const atlas_lua_call test_calls[];
extern const size_t test_call_count;

extern int failures;
void check_failed(const char *file, int line, const char *what);
#define CHECK(condition) \
  ((condition) ? (void)0 : check_failed(__FILE__, __LINE__, #condition))

void test_hostile(bool measure);
void test_language(void);
void test_calls_and_codec(void);
void test_against_stock(void);

#endif
