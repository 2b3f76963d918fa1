/// Growing buffers: outside the Lua heap for what leaves the run, inside it for what scripts see.
#include "internal.h"

#include <stdlib.h>
#include <string.h>

bool al_bytes_append(al_bytes *bytes, const void *from, size_t count) {
  if (count == 0) return true;
  if (bytes->capacity - bytes->count < count) {
    size_t capacity = bytes->capacity ? bytes->capacity : 128;
    while (capacity - bytes->count < count) capacity *= 2;
    uint8_t *grown = realloc(bytes->start, capacity);
    if (grown == NULL) return false;
    bytes->start = grown;
    bytes->capacity = capacity;
  }
  memcpy(bytes->start + bytes->count, from, count);
  bytes->count += count;
  return true;
}

void al_bytes_free(al_bytes *bytes) {
  free(bytes->start);
  *bytes = (al_bytes){0};
}

void al_buffer_init(al_buffer *buffer, lua_State *L) {
  lua_pushnil(L);
  buffer->L = L;
  buffer->data = buffer->first;
  buffer->count = 0;
  buffer->capacity = sizeof buffer->first;
  buffer->slot = lua_gettop(L);
}

static void reserve(al_buffer *buffer, size_t more) {
  if (buffer->capacity - buffer->count >= more) return;
  size_t longest = al_max_string(buffer->L);
  if (more > longest || buffer->count > longest - more) {
    luaL_error(buffer->L, "string too long (at most %I bytes)", (LUAI_UACINT)longest);
  }
  size_t capacity = buffer->capacity * 2;
  while (capacity < buffer->count + more) capacity *= 2;
  if (capacity > longest) capacity = longest;
  luaL_checkstack(buffer->L, 1, "string too long");
  char *grown = lua_newuserdatauv(buffer->L, capacity, 0);
  memcpy(grown, buffer->data, buffer->count);
  lua_replace(buffer->L, buffer->slot);
  buffer->data = grown;
  buffer->capacity = capacity;
}

char *al_buffer_space(al_buffer *buffer, size_t count) {
  reserve(buffer, count);
  return buffer->data + buffer->count;
}

void al_buffer_append(al_buffer *buffer, const char *from, size_t count) {
  if (count == 0) return;
  reserve(buffer, count);
  memcpy(buffer->data + buffer->count, from, count);
  buffer->count += count;
}

void al_buffer_byte(al_buffer *buffer, char byte) {
  reserve(buffer, 1);
  buffer->data[buffer->count] = byte;
  buffer->count += 1;
}

void al_buffer_value(al_buffer *buffer) {
  size_t count;
  const char *text = lua_tolstring(buffer->L, -1, &count);
  reserve(buffer, count);
  memcpy(buffer->data + buffer->count, text, count);
  buffer->count += count;
  lua_pop(buffer->L, 1);
}

void al_buffer_push(al_buffer *buffer) {
  lua_pushlstring(buffer->L, buffer->data, buffer->count);
}
