/// The life of a run: open, load, resume, close. Everything that can raise is called from a C
/// function under `lua_pcall` or `lua_resume`.
#define _GNU_SOURCE  // pthread_setname_np
#include "internal.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/// A defect of ours: something raised outside every protected call.
static int panic(lua_State *L) {
  (void)L;
  abort();
}

/// lua_newstate calls the allocator before the run knows its state; the run is all it needs.
atlas_lua_run *atlas_lua_new(const atlas_lua_limits *limits, const atlas_lua_call *calls,
                             size_t call_count) {
  atlas_lua_run *run = calloc(1, sizeof *run);
  if (run == NULL) return NULL;
  run->limits = *limits;
  run->calls = calls;
  run->call_count = call_count;
  if (run->limits.interval < 1) run->limits.interval = 1;
  run->interval = run->limits.interval;
  run->steps_left = 1024;
  atomic_init(&run->cancelled, false);
  al_begin_slice(run);
  run->main = lua_newstate(al_allocate, run);
  if (run->main != NULL) {
    *(atlas_lua_run **)lua_getextraspace(run->main) = run;
    lua_atpanic(run->main, panic);
    lua_pushcfunction(run->main, al_open_sandbox);
    if (lua_pcall(run->main, 0, 1, 0) == LUA_OK) run->co = lua_tothread(run->main, -1);
  }
  al_end_slice(run);
  if (run->co == NULL || run->killed) {
    atlas_lua_close(run);
    return NULL;
  }
  return run;
}

void atlas_lua_close(atlas_lua_run *run) {
  if (run == NULL) return;
  run->co = NULL;  // the allocator must not arm a hook while the state goes away
  if (run->main != NULL) lua_close(run->main);
  al_pool_close(&run->pool);
  al_bytes_free(&run->output);
  free(run->fault);
  free(run);
}

void atlas_lua_name_thread(void) { pthread_setname_np(pthread_self(), "atlas-lua"); }

void atlas_lua_cancel(atlas_lua_run *run) {
  atomic_store_explicit(&run->cancelled, true, memory_order_relaxed);
}

atlas_lua_bytes atlas_lua_output(const atlas_lua_run *run) {
  return (atlas_lua_bytes){run->output.start, run->output.count};
}

atlas_lua_usage atlas_lua_measure(const atlas_lua_run *run) {
  return (atlas_lua_usage){
      .instructions = run->instructions,
      .cpu_ns = run->cpu_ns,
      .longest_slice_ns = run->longest_slice_ns,
      .memory = run->used,
      .peak_memory = run->peak,
      .cause = run->killed,
  };
}

static atlas_lua_step fail(atlas_lua_run *run, atlas_lua_step step) {
  al_output_fault(run);
  run->result = step;
  return step;
}

// MARK: Load

typedef struct load_arguments {
  const char *name;
  const char *source;
  size_t count;
} load_arguments;

static int load_chunk(lua_State *L) {
  const load_arguments *arguments = lua_touserdata(L, 1);
  al_compile(L, arguments->source, arguments->count, arguments->name);
  lua_pushcfunction(L, al_entry);
  lua_insert(L, -2);
  return 2;
}

atlas_lua_step atlas_lua_load(atlas_lua_run *run, const char *name, const char *source,
                              size_t count) {
  if (run->started || lua_gettop(run->co) != 0) return ATLAS_LUA_BROKEN;
  load_arguments arguments = {name, source, count};
  al_begin_slice(run);
  lua_pushcfunction(run->co, load_chunk);
  lua_pushlightuserdata(run->co, &arguments);
  int status = lua_pcall(run->co, 1, 2, 0);
  al_end_slice(run);
  if (run->killed) return fail(run, ATLAS_LUA_KILLED);
  if (status == LUA_OK) return ATLAS_LUA_LOADED;
  size_t length = 0;
  const char *message = lua_tolstring(run->co, -1, &length);
  al_record_message(run, message ? message : "", length);
  return fail(run, ATLAS_LUA_FAILED);
}

static int write_dump(lua_State *L, const void *from, size_t count, void *data) {
  (void)L;
  al_bytes *output = data;
  if (output->count + count > AL_MAX_MESSAGE) return 1;
  return al_bytes_append(output, from, count) ? 0 : 1;
}

static int dump_chunk(lua_State *L) {
  atlas_lua_run *run = al_run(L);
  run->output.count = 0;
  if (lua_dump(L, write_dump, &run->output, 0) != 0) run->output.count = 0;
  return 0;
}

atlas_lua_bytes atlas_lua_dump(atlas_lua_run *run) {
  run->output.count = 0;
  if (!run->started && lua_gettop(run->co) == 2) {
    lua_pushcfunction(run->co, dump_chunk);
    lua_pushvalue(run->co, 2);
    if (lua_pcall(run->co, 1, 0, 0) != LUA_OK) {
      lua_pop(run->co, 1);
      run->output.count = 0;
    }
  }
  return atlas_lua_output(run);
}

// MARK: Resume

static bool may_resume(const atlas_lua_run *run) {
  if (run->killed || run->running) return false;
  if (!run->started) return lua_gettop(run->co) == 2;
  return run->waiting || run->gave_way;
}

static atlas_lua_step finish_slice(atlas_lua_run *run, int status) {
  if (run->killed) return fail(run, ATLAS_LUA_KILLED);
  if (status == LUA_YIELD) {
    if (run->gave_way) return ATLAS_LUA_QUANTUM;
    run->waiting = true;
    return ATLAS_LUA_HOST_CALL;
  }
  if (status == LUA_OK && run->result == ATLAS_LUA_FAILED) return fail(run, run->result);
  if (status == LUA_OK) return run->result;
  return fail(run, ATLAS_LUA_BROKEN);  // al_entry catches every error
}

atlas_lua_step atlas_lua_resume(atlas_lua_run *run, const uint8_t *reply, size_t count) {
  if (!may_resume(run)) return ATLAS_LUA_BROKEN;
  int arguments = run->started ? 0 : 1;  // the chunk, for al_entry
  if (!run->gave_way) {
    run->reply = reply;
    run->reply_count = count;
  }
  if (run->started && run->output.capacity > 4096) al_bytes_free(&run->output);
  // A script that calls the host more often than the hook fires is measured here.
  if (atomic_load_explicit(&run->cancelled, memory_order_relaxed)) {
    al_kill(run, ATLAS_LUA_CANCELLED);
  } else if (run->cpu_ns > run->limits.cpu_ns) {
    al_kill(run, ATLAS_LUA_CPU);
  }
  if (run->killed) return fail(run, ATLAS_LUA_KILLED);
  if (!run->started) lua_sethook(run->co, al_hook, LUA_MASKCOUNT, run->interval);
  run->started = true;
  run->waiting = false;
  run->gave_way = false;
  run->running = true;
  al_begin_slice(run);
  int results;
  int status = lua_resume(run->co, NULL, arguments, &results);
  al_end_slice(run);
  run->running = false;
  run->reply = NULL;
  run->reply_count = 0;
  return finish_slice(run, status);
}
