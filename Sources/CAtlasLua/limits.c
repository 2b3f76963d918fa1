/// The limits of a run, and how a script that does not want to stop is stopped.
///
/// Three things look at the limits: the count hook (every `interval` VM instructions), the library
/// functions of this target (every AL_STEPS steps), and the allocator.
///
/// A hook that raises an error is not enough: `pcall`, a looping `xpcall` handler and `__close` all
/// survive it. So a killed script is left by a yield that nobody resumes. Where it cannot yield
/// (below a metamethod or a callback of a C function) an error is raised, the hook re-armed for
/// every single instruction, and our own `pcall` and `xpcall` raise again.
///
/// One VM instruction may touch a whole block of memory: compare two strings, hash one, rehash a
/// table. So the hook's interval shrinks as the largest live block grows, which keeps their
/// product, and with it the time between two looks at the clock, about constant.
#include "internal.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
  AL_STEPS = 1024,
  /// Bytes that the instructions between two hooks may touch, if each touches the largest block.
  AL_TOUCHED = 4 * 1024 * 1024,
  /// Bytes allocated between two looks at the limits.
  AL_FRESH = 1024 * 1024,
  /// The CPU clock of a thread costs ten times the monotonic clock, and cannot run ahead of it.
  AL_LOOK_NS = 200 * 1000,
};

static uint64_t clock_ns(clockid_t clock) {
  struct timespec time;
  clock_gettime(clock, &time);
  return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

void al_begin_slice(atlas_lua_run *run) {
  run->slice_began = clock_ns(CLOCK_THREAD_CPUTIME_ID);
  run->looked_at = clock_ns(CLOCK_MONOTONIC);
  run->slice_ns = 0;
}

void al_end_slice(atlas_lua_run *run) {
  run->slice_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID) - run->slice_began;
  run->cpu_ns += run->slice_ns;
  if (run->slice_ns > run->longest_slice_ns) run->longest_slice_ns = run->slice_ns;
  run->slice_ns = 0;
}

// MARK: Memory

static int large_bucket(size_t size) {
  int bucket = 0;
  for (size /= AL_LARGE_BLOCK; size > 1 && bucket < AL_LARGE_BUCKETS - 1; size /= 2) bucket += 1;
  return bucket;
}

static int interval_for_blocks(const atlas_lua_run *run) {
  for (int bucket = AL_LARGE_BUCKETS - 1; bucket >= 0; bucket -= 1) {
    if (run->large[bucket] == 0) continue;
    size_t touched = (size_t)AL_TOUCHED / ((size_t)AL_LARGE_BLOCK << (bucket + 1));
    if (touched < 1) return 1;
    return touched > (size_t)run->limits.interval ? run->limits.interval : (int)touched;
  }
  return run->limits.interval;
}

/// Re-arms the hook. The instructions of the interval that is cut short count in full.
static void arm(atlas_lua_run *run, int interval) {
  if (run->co == NULL) return;
  run->instructions += (uint64_t)run->interval;
  run->interval = interval;
  lua_sethook(run->co, al_hook, LUA_MASKCOUNT, interval);
}

/// Crossing a memory limit kills the run, but the memory is granted, within the overdraft: the run
/// stops at its next instruction anyhow. A refusal makes Lua collect garbage in the middle of
/// whatever it was doing, and that is the part of 5.4.4 with known memory errors (weak tables; a
/// function that was just compiled, when the stack has to grow for it).
static bool may_grow(atlas_lua_run *run, size_t size, size_t growth) {
  const atlas_lua_limits *limits = &run->limits;
  if (size > limits->block) al_kill(run, ATLAS_LUA_BLOCK);
  if (run->used + growth > limits->memory) al_kill(run, ATLAS_LUA_MEMORY);
  if (!run->killed) return true;
  return size <= limits->block + limits->overdraft &&
         run->used + growth <= limits->memory + limits->overdraft;
}

static void account(atlas_lua_run *run, size_t old_size, size_t new_size) {
  run->used += new_size;
  run->used -= old_size;
  if (run->used > run->peak) run->peak = run->used;
  if (old_size >= AL_LARGE_BLOCK) run->large[large_bucket(old_size)] -= 1;
  if (new_size >= AL_LARGE_BLOCK) run->large[large_bucket(new_size)] += 1;
  if (new_size <= old_size) return;

  run->fresh += new_size - old_size;
  if (run->interval == 1) return;
  if (run->fresh > AL_FRESH) {
    arm(run, 1);
  } else if (new_size >= AL_LARGE_BLOCK) {
    int interval = interval_for_blocks(run);
    if (interval < run->interval) arm(run, interval);
  }
}

void *al_allocate(void *data, void *block, size_t old_size, size_t new_size) {
  atlas_lua_run *run = data;
  if (block == NULL) old_size = 0;  // Lua passes the kind of object here
  if (new_size > old_size && !may_grow(run, new_size, new_size - old_size)) return NULL;
  void *moved = al_pool_resize(&run->pool, block, old_size, new_size);
  if (moved == NULL && new_size > 0) {
    if (new_size <= old_size) return block;  // Lua relies on shrinking
    al_kill(run, ATLAS_LUA_MEMORY);
    return NULL;
  }
  account(run, old_size, new_size);
  return moved;
}

size_t al_max_string(lua_State *L) {
  return al_run(L)->limits.block - 128;
}

// MARK: Time

void al_kill(atlas_lua_run *run, atlas_lua_cause cause) {
  if (run->killed) return;
  run->killed = cause;
  if (run->co == NULL) return;
  al_record_place(run);
  arm(run, 1);
}

bool al_over_limit(atlas_lua_run *run) {
  if (run->killed) return true;
  if (atomic_load_explicit(&run->cancelled, memory_order_relaxed)) {
    al_kill(run, ATLAS_LUA_CANCELLED);
    return true;
  }
  if (run->instructions > run->limits.instructions) {
    al_kill(run, ATLAS_LUA_INSTRUCTIONS);
    return true;
  }
  run->fresh = 0;
  uint64_t now = clock_ns(CLOCK_MONOTONIC);
  if (now - run->looked_at < AL_LOOK_NS) return false;
  run->looked_at = now;
  run->slice_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID) - run->slice_began;
  if (run->cpu_ns + run->slice_ns > run->limits.cpu_ns) {
    al_kill(run, ATLAS_LUA_CPU);
  } else if (run->slice_ns > run->limits.slice_ns) {
    al_kill(run, ATLAS_LUA_SLICE);
  }
  return run->killed != ATLAS_LUA_NOT_KILLED;
}

_Noreturn void al_stop(lua_State *L) {
  if (lua_isyieldable(L)) lua_yield(L, 0);
  al_push_ending(L);
  lua_error(L);
  abort();  // neither of the two returns
}

void al_charge(lua_State *L, size_t steps) {
  atlas_lua_run *run = al_run(L);
  if (steps < (size_t)run->steps_left) {
    run->steps_left -= (long)steps;
    return;
  }
  run->instructions += AL_STEPS + steps;
  run->steps_left = AL_STEPS;
  if (al_over_limit(run)) al_stop(L);
}

static int gave_way(lua_State *L, int status, lua_KContext results) {
  (void)L;
  (void)status;
  return (int)results;
}

int al_give_way(lua_State *L, int results) {
  atlas_lua_run *run = al_run(L);
  if (run->slice_ns < run->limits.quantum_ns || !lua_isyieldable(L)) return results;
  run->gave_way = true;
  return lua_yieldk(L, 0, results, gave_way);
}

void al_hook(lua_State *L, lua_Debug *ar) {
  (void)ar;
  atlas_lua_run *run = al_run(L);
  run->instructions += (uint64_t)run->interval;
  if (al_over_limit(run)) {
    if (!lua_isyieldable(L)) al_stop(L);
    lua_yield(L, 0);  // in a hook this returns; the VM yields when the hook has returned
    return;
  }
  int interval = interval_for_blocks(run);
  if (interval != run->interval) {
    run->interval = interval;
    lua_sethook(L, al_hook, LUA_MASKCOUNT, interval);
  }
  if (run->slice_ns >= run->limits.quantum_ns && lua_isyieldable(L)) {
    run->gave_way = true;
    lua_yield(L, 0);
  }
}
