/// The boundary: answers that are not well formed, allocations that are refused, cancelling.
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "harness.h"

static const uint8_t start_hook[] = {2, 0x05, 4, 'h', 'o', 'o', 'k', 0x00};

static atlas_lua_run *open_run(const char *body, const atlas_lua_limits *limits) {
  char source[4096];
  snprintf(source, sizeof source, "return {api = 1, hook = function(run) %s\nend}", body);
  atlas_lua_limits defaults = default_limits();
  atlas_lua_run *run = atlas_lua_new(limits ? limits : &defaults, test_calls, test_call_count);
  if (run == NULL) return NULL;
  atlas_lua_load(run, "hook.lua", source, strlen(source));
  return run;
}

/// Random bytes as answers: whatever they are, the run ends in one of the documented ways.
static void test_random_answers(void) {
  unsigned state = 7;
  for (int round = 0; round < 20000; round += 1) {
    atlas_lua_run *run = open_run("while true do echo(1) end", NULL);
    atlas_lua_step step = atlas_lua_resume(run, start_hook, sizeof start_hook);
    CHECK(step == ATLAS_LUA_HOST_CALL);
    for (int answers = 0; answers < 4 && step == ATLAS_LUA_HOST_CALL; answers += 1) {
      uint8_t bytes[24];
      size_t count = (state >> 16) % sizeof bytes;
      for (size_t at = 0; at < count; at += 1) {
        state = state * 1103515245 + 12345;
        bytes[at] = (uint8_t)((state >> 16) % (at < 2 ? 3 : at % 2 ? 12 : 256));
      }
      state = state * 1103515245 + 12345;
      step = atlas_lua_resume(run, bytes, count);
    }
    CHECK(step == ATLAS_LUA_HOST_CALL || step == ATLAS_LUA_FAILED || step == ATLAS_LUA_ENDED);
    atlas_lua_close(run);
  }
}

static void test_order_of_calls(void) {
  atlas_lua_limits limits = default_limits();
  atlas_lua_run *run = atlas_lua_new(&limits, test_calls, test_call_count);
  CHECK(atlas_lua_resume(run, start_hook, sizeof start_hook) == ATLAS_LUA_BROKEN);
  const char source[] = "return {api = 1, hook = function() finish() end}";
  CHECK(atlas_lua_dump(run).count == 0);
  CHECK(atlas_lua_load(run, "a", source, sizeof source - 1) == ATLAS_LUA_LOADED);
  CHECK(atlas_lua_load(run, "a", source, sizeof source - 1) == ATLAS_LUA_BROKEN);
  CHECK(atlas_lua_dump(run).count > 0);
  CHECK(atlas_lua_resume(run, start_hook, sizeof start_hook) == ATLAS_LUA_HOST_CALL);
  CHECK(atlas_lua_resume(run, (const uint8_t *)"\x02", 1) == ATLAS_LUA_ENDED);
  CHECK(atlas_lua_resume(run, (const uint8_t *)"\x02", 1) == ATLAS_LUA_BROKEN);
  atlas_lua_close(run);
  run = open_run("while true do end", NULL);
  atlas_lua_cancel(run);
  CHECK(atlas_lua_resume(run, start_hook, sizeof start_hook) == ATLAS_LUA_KILLED);
  CHECK(atlas_lua_measure(run).cause == ATLAS_LUA_CANCELLED);
  CHECK(atlas_lua_resume(run, start_hook, sizeof start_hook) == ATLAS_LUA_BROKEN);
  atlas_lua_close(run);
  run = open_run("echo(1)", NULL);  // closed while it waits
  CHECK(atlas_lua_resume(run, start_hook, sizeof start_hook) == ATLAS_LUA_HOST_CALL);
  atlas_lua_close(run);
  atlas_lua_close(NULL);
}

static const char worker[] =
    "local C = {} C.__index = C local keep = {} "
    "for i = 1, 20 do keep[i] = setmetatable({n = i, s = ('x'):rep(i * 20)}, C) end "
    "local good, e = pcall(function() local t <close> = setmetatable({}, {__close = function() "
    "keep[#keep + 1] = json.encode(keep[1]) end}) local s = '' for i = 1, 20 do s = s .. "
    "(('%5d'):format(i)):gsub('%d', function(d) return d .. d end) end table.sort(keep, "
    "function(a, b) return a.n > b.n end) echo{a = s, b = {1, 2, 3}} error(s) end) "
    "xpcall(error, function(m) return tostring(m) .. json.encode(json.decode('[1,{\"a\":[2]}]')) "
    "end, 'x') for w in e:gmatch('%d+') do keep[w] = {w} end local m = require 'lib.x' finish()";

static atlas_lua_step work(const atlas_lua_limits *limits, atlas_lua_usage *usage) {
  static outcome out;
  static const char *const modules[] = {"lib.x", "return {f = function() return 1 end}", NULL};
  char source[2048];
  snprintf(source, sizeof source, "return {api = 1, hook = function(run) %s\nend}", worker);
  run_source(&out, "hook", source, modules, limits);
  *usage = out.usage;
  return out.step;
}

/// Kills a script of some variety at every place where it asks for memory, granting it or not.
static void test_memory_limits(size_t overdraft) {
  atlas_lua_limits limits = default_limits();
  atlas_lua_usage usage;
  limits.overdraft = overdraft;
  CHECK(work(&limits, &usage) == ATLAS_LUA_ENDED);
  size_t enough = usage.peak_memory;
  for (limits.memory = 4096; limits.memory < enough; limits.memory += 24) {
    atlas_lua_step step = work(&limits, &usage);
    CHECK(step == ATLAS_LUA_KILLED || step == ATLAS_LUA_BROKEN || step == ATLAS_LUA_ENDED);
  }
  limits.memory = default_limits().memory;
  for (limits.block = 256; limits.block < 16384; limits.block += 16) {
    atlas_lua_step step = work(&limits, &usage);
    CHECK(step == ATLAS_LUA_KILLED || step == ATLAS_LUA_BROKEN || step == ATLAS_LUA_ENDED ||
          step == ATLAS_LUA_FAILED);
  }
}

/// Stops the same script after every number of instructions.
static void test_every_instruction_limit(void) {
  atlas_lua_limits limits = default_limits();
  atlas_lua_usage usage;
  limits.interval = 1;
  CHECK(work(&limits, &usage) == ATLAS_LUA_ENDED);
  uint64_t enough = usage.instructions;
  for (limits.instructions = 0; limits.instructions < enough; limits.instructions += 3) {
    CHECK(work(&limits, &usage) == ATLAS_LUA_KILLED);
    CHECK(usage.cause == ATLAS_LUA_INSTRUCTIONS);
  }
}

// MARK: Cancelling

typedef struct cancelling {
  atlas_lua_run *run;
  struct timespec at;
} cancelling;

static void *cancel_soon(void *data) {
  cancelling *it = data;
  struct timespec pause = {.tv_nsec = 20000000};
  nanosleep(&pause, NULL);
  clock_gettime(CLOCK_MONOTONIC, &it->at);
  atlas_lua_cancel(it->run);
  return NULL;
}

static void test_cancel(void) {
  static const char *const loops[] = {
      "while true do end",
      "while true do pcall(function() while true do end end) end",
      "table.sort({1, 2}, function() while true do end end)",
      "return (('a'):rep(100)):find(('a*'):rep(50) .. 'b')",
  };
  for (size_t at = 0; at < sizeof loops / sizeof *loops; at += 1) {
    atlas_lua_limits limits = default_limits();
    limits.slice_ns = limits.cpu_ns = 30000000000u;
    limits.instructions = UINT64_MAX / 2;
    cancelling it = {.run = open_run(loops[at], &limits)};
    pthread_t thread;
    pthread_create(&thread, NULL, cancel_soon, &it);
    atlas_lua_step step = atlas_lua_resume(it.run, start_hook, sizeof start_hook);
    while (step == ATLAS_LUA_QUANTUM) step = atlas_lua_resume(it.run, NULL, 0);
    pthread_join(thread, NULL);
    CHECK(step == ATLAS_LUA_KILLED && atlas_lua_measure(it.run).cause == ATLAS_LUA_CANCELLED);
    atlas_lua_close(it.run);
  }
}

void test_calls_and_codec(void) {
  test_order_of_calls();
  test_random_answers();
  test_memory_limits(default_limits().overdraft);
  test_memory_limits(0);
  test_every_instruction_limit();
  test_cancel();
}
