/// One run of operator-written Lua, and nothing else of Lua: bytes in, bytes out.
///
/// A run owns one `lua_State` with one coroutine, a memory limit, an instruction limit and two CPU
/// limits. No function here lets a Lua error or a longjmp escape to its caller. A run may be driven
/// by different threads, one after the other; only `atlas_lua_cancel` may be called at any time.
///
/// Values cross in the binary form described in `codec.c`.
#ifndef CATLASLUA_H
#define CATLASLUA_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct atlas_lua_run atlas_lua_run;

/// What a run may use. Every limit ends the run for good.
typedef struct atlas_lua_limits {
  uint64_t instructions;  ///< VM instructions and steps of library functions, in total
  uint64_t cpu_ns;        ///< CPU time of all slices together
  uint64_t slice_ns;      ///< CPU time of one slice, where the script cannot be interrupted
  uint64_t quantum_ns;    ///< CPU time after which `atlas_lua_resume` gives way when it can
  size_t memory;          ///< bytes the state may hold
  size_t block;           ///< bytes of its largest single string, table or stack
  size_t overdraft;       ///< bytes more, for both, that a killed run gets while it is stopped
  int interval;           ///< VM instructions between two looks at the limits
  uint64_t seed;          ///< of `math.random`: the same seed, the same numbers
} atlas_lua_limits;

/// One function of the host that scripts can call.
typedef struct atlas_lua_call {
  const char *name;       ///< "sleep" or "kv.get": at most one dot
  const char *arguments;  ///< a letter per argument, see `hostcall.c`
} atlas_lua_call;

/// Bytes that belong to the run and live until the next call on it.
typedef struct atlas_lua_bytes {
  const uint8_t *start;
  size_t count;
} atlas_lua_bytes;

/// Where a run stands after `atlas_lua_load` or `atlas_lua_resume`.
typedef enum atlas_lua_step {
  ATLAS_LUA_LOADED = 0,      ///< load: the chunk compiled; resume starts it
  ATLAS_LUA_DONE,            ///< ended; the bytes hold the description asked for, if any
  ATLAS_LUA_ENDED,           ///< ended because the host answered a call with "end here"
  ATLAS_LUA_UNDEFINED,       ///< ended: the file has no function of the name asked for
  ATLAS_LUA_HOST_CALL,       ///< waits for an answer; the bytes hold the request
  ATLAS_LUA_QUANTUM,         ///< gave way; resume again without an answer
  ATLAS_LUA_FAILED,          ///< an uncaught error; the bytes hold the fault
  ATLAS_LUA_KILLED,          ///< a limit or a cancel; see `cause`; the bytes hold the place
  ATLAS_LUA_BROKEN           ///< misused by its host, or a defect of this library
} atlas_lua_step;

/// Why a run was killed.
typedef enum atlas_lua_cause {
  ATLAS_LUA_NOT_KILLED = 0,
  ATLAS_LUA_CANCELLED,
  ATLAS_LUA_INSTRUCTIONS,
  ATLAS_LUA_CPU,
  ATLAS_LUA_SLICE,
  ATLAS_LUA_MEMORY,
  ATLAS_LUA_BLOCK
} atlas_lua_cause;

/// What a run has used so far.
typedef struct atlas_lua_usage {
  uint64_t instructions;
  uint64_t cpu_ns;
  uint64_t longest_slice_ns;
  size_t memory;
  size_t peak_memory;
  atlas_lua_cause cause;
} atlas_lua_usage;

/// Opens a state with the sandbox in it. `calls` must outlive the run.
/// Returns NULL when there is no memory for it, or the limits leave no room for the sandbox.
atlas_lua_run *atlas_lua_new(const atlas_lua_limits *limits, const atlas_lua_call *calls,
                             size_t call_count);

/// Compiles the file that `resume` will run. Source text only; `name` is what messages show.
atlas_lua_step atlas_lua_load(atlas_lua_run *run, const char *name, const char *source,
                              size_t count);

/// Runs until the script ends, calls the host, gives way or is stopped.
///
/// The first call starts it: `reply` is a list of [function name or nil, argument]; with nil the
/// file is only run and the table it returns is described. After HOST_CALL, `reply` is the answer;
/// after QUANTUM it is ignored. `reply` is read before this returns.
atlas_lua_step atlas_lua_resume(atlas_lua_run *run, const uint8_t *reply, size_t count);

/// The bytes of the last step: a request, a fault or a description.
atlas_lua_bytes atlas_lua_output(const atlas_lua_run *run);

/// The compiled form of the loaded chunk, for static checks. Empty when nothing is loaded, or it
/// does not fit the limits. Must come between `load` and the first `resume`.
atlas_lua_bytes atlas_lua_dump(atlas_lua_run *run);

atlas_lua_usage atlas_lua_measure(const atlas_lua_run *run);

/// Stops the run at its next step. May be called from any thread while the run is open.
void atlas_lua_cancel(atlas_lua_run *run);

/// Calls the calling thread "atlas-lua", so that `top -H` and a debugger show which one it is.
void atlas_lua_name_thread(void);

/// Frees everything. No script code runs in here.
void atlas_lua_close(atlas_lua_run *run);

#ifdef __cplusplus
}
#endif

#endif
