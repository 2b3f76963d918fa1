/// What the parts of CAtlasLua share. Nothing here is visible to Swift.
#ifndef ATLAS_LUA_INTERNAL_H
#define ATLAS_LUA_INTERNAL_H

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "CAtlasLua.h"

#define AL_API_VERSION 1
/// Source text of one file.
#define AL_MAX_SOURCE (64 * 1024)
/// Nesting of values that cross to the host and back.
#define AL_MAX_DEPTH 16
/// Nesting of JSON.
#define AL_MAX_JSON_DEPTH 64
/// Bytes of one request: an HTTP body of 1 MiB, its headers, and the encoding around them.
#define AL_MAX_MESSAGE ((1024 + 128) * 1024)
/// Elements that one call of a table function moves, sorts or joins.
#define AL_MAX_ELEMENTS 1000000
/// Values that one call returns on the stack.
#define AL_MAX_RESULTS 8000
/// Tables behind one another in `__index` or `__newindex`.
#define AL_MAX_CHAIN 16
/// Blocks of memory from this size on slow the instruction hook down, see limits.c.
#define AL_LARGE_BLOCK (32 * 1024)
#define AL_LARGE_BUCKETS 20

/// A growing run of bytes outside the Lua heap; what leaves the run is built here.
typedef struct al_bytes {
  uint8_t *start;
  size_t count;
  size_t capacity;
} al_bytes;

/// Blocks up to this size come from chunks, see pool.c.
#define AL_SMALL_BLOCK 256

typedef struct al_chunk al_chunk;
typedef struct al_block al_block;

typedef struct al_pool {
  al_block *blocks[AL_SMALL_BLOCK / 8];  // free ones, by size
  al_chunk *chunks;
  size_t total;
  char *at;
  size_t left;
} al_pool;

/// What is known about the error that ended a run. Outside the Lua heap: it must be writable when
/// no memory is left in there.
typedef struct al_fault {
  char message[1024];
  char code[64];  // when the error is a host failure that the script did not handle
  char file[LUA_IDSIZE];
  int line;
  char traceback[2048];
} al_fault;

struct atlas_lua_run {
  lua_State *main;
  lua_State *co;
  atlas_lua_limits limits;
  const atlas_lua_call *calls;
  size_t call_count;

  al_pool pool;
  size_t used;
  size_t peak;
  size_t fresh;                         // bytes allocated since the limits were last looked at
  uint32_t large[AL_LARGE_BUCKETS];     // live large blocks, by power of two
  uint64_t instructions;
  int interval;                         // VM instructions between two hooks
  long steps_left;                      // of library functions, until the limits are looked at

  uint64_t slice_began;                 // thread CPU clock
  uint64_t looked_at;                   // monotonic clock
  uint64_t slice_ns;
  uint64_t cpu_ns;                      // finished slices
  uint64_t longest_slice_ns;

  atomic_bool cancelled;
  atlas_lua_cause killed;
  bool started, running, waiting, gave_way, loading, ending;
  atlas_lua_step result;

  const uint8_t *reply;
  size_t reply_count;
  al_bytes output;
  al_fault *fault;
};

static inline atlas_lua_run *al_run(lua_State *L) {
  return *(atlas_lua_run **)lua_getextraspace(L);
}

// pool.c
/// Allocates, resizes or (with a new size of 0) frees a block. NULL when there is no memory.
void *al_pool_resize(al_pool *pool, void *block, size_t old_size, size_t new_size);
void al_pool_close(al_pool *pool);

// limits.c
void *al_allocate(void *run, void *block, size_t old_size, size_t new_size);
void al_hook(lua_State *L, lua_Debug *ar);
void al_begin_slice(atlas_lua_run *run);
void al_end_slice(atlas_lua_run *run);
/// Ends the run for good. The first cause stays.
void al_kill(atlas_lua_run *run, atlas_lua_cause cause);
/// Leaves a killed run's script, from a C function. Does not return.
_Noreturn void al_stop(lua_State *L);
/// True when a limit is reached; the run is then killed.
bool al_over_limit(atlas_lua_run *run);
/// Counts steps of a library function; does not return when a limit is reached.
void al_charge(lua_State *L, size_t steps);
/// `return al_give_way(L, n)` returns the n values at the top, after letting others run when the
/// slice is used up. For functions that take long or call back: inside them nothing can give way,
/// and a script that does little else would be taken for one that hogs its thread.
int al_give_way(lua_State *L, int results);
/// Longest string that fits `limits.block`.
size_t al_max_string(lua_State *L);

// fault.c
/// Raises `format` at the nearest line of the script.
_Noreturn void al_raise(lua_State *L, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/// Raises an error that names a place which is not on the stack.
_Noreturn void al_raise_at(lua_State *L, const char *file, int line, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/// The message handler of the outermost protected call: records the fault.
int al_record_error(lua_State *L);
void al_record_place(atlas_lua_run *run);
void al_record_message(atlas_lua_run *run, const char *message, size_t count);
void al_output_fault(atlas_lua_run *run);

// bytes.c
bool al_bytes_append(al_bytes *bytes, const void *from, size_t count);
void al_bytes_free(al_bytes *bytes);

/// A string being built by a library function. Grows as a block of the Lua heap, so that it is
/// counted, and freed by the collector when an error passes by.
typedef struct al_buffer {
  lua_State *L;
  char *data;
  size_t count;
  size_t capacity;
  int slot;
  char first[256];
} al_buffer;

/// Takes one slot of the stack, which must stay below whatever is pushed until `al_buffer_push`.
void al_buffer_init(al_buffer *buffer, lua_State *L);
void al_buffer_append(al_buffer *buffer, const char *from, size_t count);
void al_buffer_byte(al_buffer *buffer, char byte);
/// Appends the value at the top, a string or a number, and pops it.
void al_buffer_value(al_buffer *buffer);
void al_buffer_push(al_buffer *buffer);
/// Room for `count` bytes behind those that are there, to be written before anything else happens.
char *al_buffer_space(al_buffer *buffer, size_t count);

// codec.c
void al_encode_begin(lua_State *L, size_t call);
void al_encode(lua_State *L, int index, bool options);
/// Pushes the values of the answer; returns how many.
int al_decode_values(lua_State *L, const uint8_t *bytes, size_t count);

// entry.c
int al_entry(lua_State *L);
/// Compiles a source under a protected call; pushes the function, or raises.
void al_compile(lua_State *L, const char *source, size_t count, const char *name);
/// What an outcome raises to unwind the script. Never caught by a script.
void al_push_ending(lua_State *L);
bool al_is_ending(lua_State *L, int index);

// hostcall.c
void al_install_calls(lua_State *L);

// sandbox.c
int al_open_sandbox(lua_State *L);
void al_set_functions(lua_State *L, const luaL_Reg *functions);
/// Pushes the text of any value, without addresses. May call `__tostring`.
void al_push_text(lua_State *L, int index);
/// The table at `index`, or the one behind it when it is a read-only view; pushed.
void al_push_data(lua_State *L, int index);

// protect.c
extern const luaL_Reg al_protect_functions[];

// metatable.c
extern const luaL_Reg al_metatable_functions[];
/// Replaces the table at the top with a read-only view of it.
void al_make_read_only(lua_State *L);
bool al_is_read_only(lua_State *L, int index);
void al_mark_array(lua_State *L, int index);
bool al_is_array(lua_State *L, int index);
void al_open_metatables(lua_State *L);

// strings.c, match.c, format.c
extern const luaL_Reg al_string_functions[];
int al_string_find(lua_State *L);
int al_string_match(lua_State *L);
int al_string_gmatch(lua_State *L);
int al_string_gsub(lua_State *L);
int al_string_format(lua_State *L);

// tables.c
extern const luaL_Reg al_table_functions[];

// json_encode.c, json_decode.c
extern const luaL_Reg al_json_functions[];
/// Pushes the JSON text of the value at `index`, or raises.
void al_json_push(lua_State *L, int index);
/// Pushes the value, or nil and an error.
int al_json_parse(lua_State *L, const char *text, size_t count);

/// Pushes a table {code, message, retryable}: what run-time failures return after nil.
void al_push_error(lua_State *L, const char *code, const char *message, bool retryable);

#endif
