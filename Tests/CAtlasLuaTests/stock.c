/// Our own string and table functions against those of Lua itself, on random input.
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"

/// Runs in both. `report` gets a line per call: its results, or only that it failed, as the words
/// of an error are ours.
static const char script[] =
    "local seed = SEED local function random(n) seed = (seed * 1103515245 + 12345) % 2147483648 "
    "return seed // 65536 % n + 1 end "
    "local items = {'a', 'b', '.', '%a', '%d', '[ab]', '[^a]', '[a-c]', '%s', '(', ')', '()', '^', "
    "'$', '*', '+', '-', '?', '%b()', '%f[%a]', '%1', '%2', '%%', ']', '[', '%', '[]]', '[%a-]', "
    "'\\0', 'é', '[%w_]'} "
    "local letters = {'a', 'b', 'c', ' ', '1', '(', ')', '%', '-', '\\0', 'é', ']', 'ab', 'aa'} "
    "local function text(from, n) local t = {} for i = 1, random(n) - 1 do t[i] = "
    "from[random(#from)] "
    "end return table.concat(t) end "
    "local function show(good, ...) if not good then return 'error' end local t = {} "
    "for i = 1, select('#', ...) do local v = select(i, ...) t[i] = type(v) .. ':' .. "
    "tostring(v) end return table.concat(t, '|') end "
    "local function all(iterate, ...) local t = {} for a, b in iterate(...) do t[#t + 1] = "
    "tostring(a) .. '/' .. tostring(b) if #t > 50 then break end end return table.concat(t, ';') "
    "end "
    "local pieces = {} local function note(...) pieces[#pieces + 1] = show(pcall(...)) end "
    "local formats = {'%d', '%5d', '%-5d|', '%05.1f', '%g', '%s', '%10s', '%-10s|', '%.2s', '%x', "
    "'%q', '%c', '%%', '%i', '%e', '%+d', '% d', '%#x', '%a', '%5', '%', '%y', '%10.3s'} "
    "local values = {1, -7, 3.5, 'text', 'a\\nb', 1e15, 0, '12', true, 65, 2^53, -0.0} "
    "for i = 1, 40 do local s, p, r = text(letters, 9), text(items, 6), text(letters, 4) "
    "local init = random(12) - 6 "
    "note(string.find, s, p, init) note(string.match, s, p, init) note(string.find, s, r, init, "
    "true) "
    "note(string.gsub, s, p, r) note(string.gsub, s, p, {a = 'x', b = false}) "
    "note(string.gsub, s, p, function(a) return a == 'a' and 'z' end, random(3)) "
    "note(all, string.gmatch, s, p) note(string.rep, s, random(5) - 2, r) "
    "note(string.sub, s, init, random(9) - 4) note(string.byte, s, init, init + random(4)) "
    "note(string.reverse, s) note(string.upper, s) note(string.lower, s) note(tonumber, s) "
    "note(tonumber, r, random(35) + 1) note(string.len, s) "
    "note(string.format, formats[random(#formats)], values[random(#values)]) "
    "local t = {} for j = 1, random(9) do t[j] = random(5) end "
    "note(table.concat, t, r, random(3)) note(table.unpack, t, random(3) - 1, random(5)) "
    "note(function() table.sort(t) return table.concat(t, ',') end) "
    "note(function() table.insert(t, random(6), 9) return table.concat(t, ',') end) "
    "note(function() local v = table.remove(t, random(6)) return v, table.concat(t, ',') end) "
    "note(function() return table.concat(table.move(t, random(3), random(5), random(4)), ',') end) "
    "note(select, init, 1, 2, 3) end "
    "report(table.concat(pieces, '\\n')) ";

static char *stock_report;

static int take_report(lua_State *L) {
  stock_report = strdup(luaL_checkstring(L, 1));
  return 0;
}

static void run_stock(const char *text) {
  lua_State *L = luaL_newstate();
  luaL_openlibs(L);
  lua_register(L, "report", take_report);
  if (luaL_dostring(L, text) != LUA_OK) fprintf(stderr, "stock: %s\n", lua_tostring(L, -1));
  lua_close(L);
}

static void show_difference(const char *ours, const char *theirs, int seed) {
  int line = 1;
  while (*ours != 0 && *ours == *theirs) {
    line += *ours == '\n';
    ours += 1;
    theirs += 1;
  }
  fprintf(stderr, "seed %d, line %d (%d): ours “%.60s”, stock “%.60s”\n", seed, line,
          (line - 1) % 24, ours, theirs);
}

void test_against_stock(void) {
  static outcome out;
  // What is compared is what scripts say, not how long a busy machine takes for them.
  atlas_lua_limits limits = default_limits();
  limits.slice_ns = limits.cpu_ns = 30000000000u;
  for (int seed = 1; seed <= 300; seed += 1) {
    char head[32], *text = malloc(sizeof script + 128);
    snprintf(head, sizeof head, "%d", seed * 7919);
    const char *mark = strstr(script, "SEED");
    sprintf(text, "%.*s%s%s", (int)(mark - script), script, head, mark + 4);
    free(stock_report);
    stock_report = NULL;
    run_stock(text);
    strcat(text, " finish()");
    run_body(&out, text, &limits);
    CHECK(out.step == ATLAS_LUA_ENDED);
    CHECK(stock_report != NULL);
    if (stock_report != NULL && strcmp(out.report, stock_report) != 0) {
      show_difference(out.report, stock_report, seed);
      failures += 1;
      if (failures > 20) return;
    }
    free(text);
  }
  free(stock_report);
  stock_report = NULL;
}
