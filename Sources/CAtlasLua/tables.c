/// The table library, with steps counted: the stock functions loop in C for as long as they are
/// told to, without ever reaching the instruction hook.
#include "internal.h"

/// The length of a table argument, with `__len` respected.
static lua_Integer table_length(lua_State *L, int index) {
  luaL_checktype(L, index, LUA_TTABLE);
  return luaL_len(L, index);
}

static int insert(lua_State *L) {
  lua_Integer end = luaL_intop(+, table_length(L, 1), 1);
  lua_Integer position = end;
  switch (lua_gettop(L)) {
    case 2:
      break;
    case 3:
      position = luaL_checkinteger(L, 2);
      luaL_argcheck(L, (lua_Unsigned)position - 1u < (lua_Unsigned)end, 2,
                    "position out of bounds");
      for (lua_Integer at = end; at > position; at -= 1) {
        al_charge(L, 1);
        lua_geti(L, 1, at - 1);
        lua_seti(L, 1, at);
      }
      break;
    default:
      return luaL_error(L, "wrong number of arguments to 'insert'");
  }
  lua_seti(L, 1, position);
  return 0;
}

static int remove_element(lua_State *L) {
  lua_Integer size = table_length(L, 1);
  lua_Integer position = luaL_optinteger(L, 2, size);
  if (lua_gettop(L) >= 2) {
    luaL_argcheck(L, (lua_Unsigned)position - 1u <= (lua_Unsigned)size, 2,
                  "position out of bounds");
  }
  lua_geti(L, 1, position);
  for (; position < size; position += 1) {
    al_charge(L, 1);
    lua_geti(L, 1, position + 1);
    lua_seti(L, 1, position);
  }
  lua_pushnil(L);
  lua_seti(L, 1, position);
  return 1;
}

/// How many elements `first` to `last` are; raises when they are more than `limit`.
static lua_Integer range(lua_State *L, lua_Integer first, lua_Integer last, lua_Integer limit) {
  if (first > last) return 0;
  lua_Unsigned count = (lua_Unsigned)last - (lua_Unsigned)first;
  if (count >= (lua_Unsigned)limit) {
    luaL_error(L, "too many elements (at most %I)", (LUAI_UACINT)limit);
  }
  return (lua_Integer)count + 1;
}

static int move(lua_State *L) {
  lua_Integer first = luaL_checkinteger(L, 2);
  lua_Integer last = luaL_checkinteger(L, 3);
  lua_Integer target = luaL_checkinteger(L, 4);
  int to = lua_isnoneornil(L, 5) ? 1 : 5;
  luaL_checktype(L, 1, LUA_TTABLE);
  luaL_checktype(L, to, LUA_TTABLE);
  lua_Integer count = range(L, first, last, AL_MAX_ELEMENTS);
  luaL_argcheck(L, target <= LUA_MAXINTEGER - count, 4, "destination wrap around");
  bool upwards = target > last || target <= first || (to != 1 && !lua_compare(L, 1, to, LUA_OPEQ));
  for (lua_Integer step = 0; step < count; step += 1) {
    lua_Integer at = upwards ? step : count - 1 - step;
    al_charge(L, 1);
    lua_geti(L, 1, first + at);
    lua_seti(L, to, target + at);
  }
  lua_pushvalue(L, to);
  return al_give_way(L, 1);
}

static int concat(lua_State *L) {
  lua_Integer size = table_length(L, 1);
  size_t separator_count;
  const char *separator = luaL_optlstring(L, 2, "", &separator_count);
  lua_Integer first = luaL_optinteger(L, 3, 1);
  lua_Integer last = luaL_optinteger(L, 4, size);
  lua_Integer count = range(L, first, last, AL_MAX_ELEMENTS);
  al_buffer buffer;
  al_buffer_init(&buffer, L);
  for (lua_Integer step = 0; step < count; step += 1) {
    al_charge(L, 1);
    if (step > 0) al_buffer_append(&buffer, separator, separator_count);
    lua_geti(L, 1, first + step);
    if (!lua_isstring(L, -1)) {
      luaL_error(L, "invalid value (a %s, at index %I) in table for 'concat'",
                 luaL_typename(L, -1), (LUAI_UACINT)(first + step));
    }
    al_buffer_value(&buffer);
  }
  al_buffer_push(&buffer);
  return al_give_way(L, 1);
}

static int pack(lua_State *L) {
  int count = lua_gettop(L);
  lua_createtable(L, count, 1);
  lua_insert(L, 1);
  for (int at = count; at >= 1; at -= 1) lua_rawseti(L, 1, at);
  lua_pushinteger(L, count);
  lua_setfield(L, 1, "n");
  return 1;
}

static int unpack(lua_State *L) {
  lua_Integer first = luaL_optinteger(L, 2, 1);
  lua_Integer last = luaL_opt(L, luaL_checkinteger, 3, luaL_len(L, 1));
  lua_Integer count = range(L, first, last, AL_MAX_RESULTS);
  luaL_checkstack(L, (int)count, "too many results to unpack");
  for (lua_Integer step = 0; step < count; step += 1) {
    al_charge(L, 1);
    lua_geti(L, 1, first + step);
  }
  return (int)count;
}

// MARK: Sorting

/// Whether the value at `left` must come before the one at `right`.
static bool before(lua_State *L, int left, int right) {
  al_charge(L, 1);
  if (lua_isnil(L, 2)) {
    if (lua_type(L, left) == LUA_TSTRING) al_charge(L, lua_rawlen(L, left) / 8);
    return lua_compare(L, left, right, LUA_OPLT);
  }
  lua_pushvalue(L, 2);
  lua_pushvalue(L, left);
  lua_pushvalue(L, right);
  lua_call(L, 2, 1);
  bool result = lua_toboolean(L, -1);
  lua_pop(L, 1);
  return result;
}

/// Merges two neighbouring runs of `from` (3 or 4) into `to`. Takes from the right one only when it
/// must come before, which keeps equal elements in their order.
static void merge(lua_State *L, int from, int to, lua_Integer low, lua_Integer middle,
                  lua_Integer high) {
  lua_Integer left = low, right = middle;
  for (lua_Integer at = low; at < high; at += 1) {
    bool take_right = left == middle;
    if (!take_right && right < high) {
      lua_rawgeti(L, from, left);
      lua_rawgeti(L, from, right);
      take_right = before(L, lua_gettop(L), lua_gettop(L) - 1);
      lua_pop(L, 2);
    }
    lua_rawgeti(L, from, take_right ? right++ : left++);
    lua_rawseti(L, to, at);
  }
}

/// A merge sort on two private tables: no order function, however wrong, makes it do more than
/// n log n comparisons, read outside, or leave the table half sorted when it raises.
static int sort(lua_State *L) {
  lua_Integer count = table_length(L, 1);
  luaL_argcheck(L, count <= AL_MAX_ELEMENTS, 1, "array too big");
  if (!lua_isnoneornil(L, 2)) luaL_checktype(L, 2, LUA_TFUNCTION);
  lua_settop(L, 2);
  if (count < 2) return 0;
  lua_createtable(L, (int)count, 0);
  lua_createtable(L, (int)count, 0);
  for (lua_Integer at = 1; at <= count; at += 1) {
    al_charge(L, 1);
    lua_geti(L, 1, at);
    lua_rawseti(L, 3, at);
  }
  int from = 3;
  for (lua_Integer width = 1; width < count; width *= 2) {
    for (lua_Integer low = 1; low <= count; low += 2 * width) {
      lua_Integer middle = low + width <= count + 1 ? low + width : count + 1;
      lua_Integer high = low + 2 * width <= count + 1 ? low + 2 * width : count + 1;
      merge(L, from, 7 - from, low, middle, high);
    }
    from = 7 - from;
  }
  for (lua_Integer at = 1; at <= count; at += 1) {
    al_charge(L, 1);
    lua_rawgeti(L, from, at);
    lua_seti(L, 1, at);
  }
  return al_give_way(L, 0);
}

const luaL_Reg al_table_functions[] = {
    {"concat", concat}, {"insert", insert}, {"move", move},     {"pack", pack},
    {"remove", remove_element}, {"sort", sort}, {"unpack", unpack}, {NULL, NULL},
};
