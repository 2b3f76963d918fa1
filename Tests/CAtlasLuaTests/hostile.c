/// Scripts that try to run for ever, to take all memory, or to survive being stopped. Every one of
/// them must end by itself or be killed, without a slice that holds a thread for long, and its
/// state must be closable.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness.h"

/// Where the limits come so close to one another that the machine decides.
enum { ANY_END = -1 };

typedef struct hostile {
  const char *name;
  const char *body;
  int step;               // how it must end, or ANY_END
  atlas_lua_cause cause;  // of a kill: for want of time, for want of memory, or NOT_KILLED for any
} hostile;

#define BIG "local a = ('x'):rep(600000) .. 'a' local b = ('x'):rep(600000) .. 'b' "

static const hostile corpus[] = {
    // Loops
    {"plain loop", "while true do end", ATLAS_LUA_KILLED, ATLAS_LUA_CPU},
    {"goto loop", "::a:: goto a", ATLAS_LUA_KILLED, ATLAS_LUA_CPU},
    {"numeric for", "for i = 1, math.maxinteger do end", ATLAS_LUA_KILLED, ATLAS_LUA_CPU},
    {"float for", "for i = 1.0, 1e300 do end", ATLAS_LUA_KILLED, ATLAS_LUA_CPU},
    {"repeat", "repeat local x = 1 until false", ATLAS_LUA_KILLED, ATLAS_LUA_CPU},
    {"tail calls", "local function f() return f() end f()", ATLAS_LUA_KILLED, ATLAS_LUA_CPU},
    {"loop in pcall", "while true do pcall(function() while true do end end) end",
     ATLAS_LUA_KILLED, ATLAS_LUA_CPU},
    {"nested pcalls", "local function f(n) while true do pcall(f, n + 1) end end f(0)",
     ATLAS_LUA_KILLED, ATLAS_LUA_NOT_KILLED},
    {"loop in xpcall handler", "xpcall(error, function() while true do end end)",
     ATLAS_LUA_KILLED, ATLAS_LUA_SLICE},
    {"handler that fails and loops",
     "xpcall(error, function() while true do pcall(error) end end)", ATLAS_LUA_KILLED,
     ATLAS_LUA_SLICE},
    {"handler of handlers",
     "local function h() xpcall(error, h) while true do end end xpcall(error, h)",
     ATLAS_LUA_KILLED, ATLAS_LUA_SLICE},
    {"recursive error handler",
     "local function h(e) error(e) end for i = 1, 1e9 do xpcall(error, h, 'x') end",
     ATLAS_LUA_KILLED, ATLAS_LUA_CPU},
    {"loop in __close",
     "local x <close> = setmetatable({}, {__close = function() while true do end end}) error('e')",
     ATLAS_LUA_KILLED, ATLAS_LUA_CPU},
    {"many __close that loop",
     "local c = setmetatable({}, {__close = function() while true do end end}) "
     "local function f(n) local a <close> = c local b <close> = c if n > 0 then f(n - 1) end "
     "error('e') end f(150)",
     ATLAS_LUA_KILLED, ATLAS_LUA_CPU},
    {"__close with pcall",
     "local x <close> = setmetatable({}, {__close = function() while true do "
     "pcall(function() while true do end end) end end})",
     ATLAS_LUA_KILLED, ATLAS_LUA_CPU},
    {"__close after the end",
     "local x <close> = setmetatable({}, {__close = function() while true do end end}) finish()",
     ATLAS_LUA_KILLED, ATLAS_LUA_CPU},
    {"loop below a metamethod",
     "local t = setmetatable({}, {__tostring = function() while true do end end}) tostring(t)",
     ATLAS_LUA_KILLED, ATLAS_LUA_SLICE},
    {"pcall below a metamethod",
     "local t = setmetatable({}, {__tostring = function() while true do "
     "pcall(function() while true do end end) end end}) while true do pcall(tostring, t) end",
     ATLAS_LUA_KILLED, ATLAS_LUA_SLICE},
    {"__close below a metamethod",
     "local c = setmetatable({}, {__close = function() while true do end end}) "
     "local t = setmetatable({}, {__tostring = function() local a <close> = c "
     "local b <close> = c while true do end end}) while true do pcall(tostring, t) end",
     ATLAS_LUA_KILLED, ATLAS_LUA_SLICE},
    {"__index function loop",
     "local t = setmetatable({}, {__index = function(t, k) while true do end end}) return t.x",
     ATLAS_LUA_KILLED, ATLAS_LUA_CPU},
    {"__index that asks itself",
     "local t t = setmetatable({}, {__index = function(_, k) return t[k] end}) "
     "while true do pcall(function() return t.x end) end",
     ATLAS_LUA_KILLED, ATLAS_LUA_NOT_KILLED},
    {"__eq, __lt, __le, __concat loops",
     "local m = {} for _, n in ipairs{'__eq', '__lt', '__le', '__concat', '__add'} do "
     "m[n] = function() while true do end end end local t, u = setmetatable({}, m), "
     "setmetatable({}, m) pcall(function() return t == u end)",
     ATLAS_LUA_KILLED, ATLAS_LUA_CPU},

    // Library functions that loop in C
    {"rep of nothing", "return ('').rep('', 1e18) and error('fine')", ATLAS_LUA_FAILED, 0},
    {"rep bomb", "local s = ('x'):rep(1e9)", ATLAS_LUA_FAILED, 0},
    {"rep with separator", "local s = ('').rep('', 1e15, 'x')", ATLAS_LUA_FAILED, 0},
    {"rep in a loop", "while true do pcall(string.rep, 'x', 1e6) end", ATLAS_LUA_KILLED,
     ATLAS_LUA_CPU},
    {"table.move over everything", "table.move({}, 1, 1e18, 2)", ATLAS_LUA_FAILED, 0},
    {"table.move with metamethods",
     "table.move(setmetatable({}, {__index = function() while true do end end}), 1, 10, 1, {})",
     ATLAS_LUA_KILLED, ATLAS_LUA_SLICE},
    {"table.concat over everything", "table.concat({}, '', 1, math.maxinteger)", ATLAS_LUA_FAILED,
     0},
    {"table.unpack over everything", "table.unpack({}, 1, 1e8)", ATLAS_LUA_FAILED, 0},
    {"table.insert with evil length",
     "table.insert(setmetatable({}, {__len = function() return 1e15 // 1 | 0 end}), 1, 1)",
     ATLAS_LUA_KILLED, ATLAS_LUA_SLICE},
    {"table.remove with evil length",
     "table.remove(setmetatable({}, {__len = function() return 1 << 60 end}), 1)",
     ATLAS_LUA_KILLED, ATLAS_LUA_SLICE},
    {"sort with evil length", "table.sort(setmetatable({}, {__len = function() return 1e6 | 0 "
     "end}))",
     ATLAS_LUA_KILLED, ATLAS_LUA_NOT_KILLED},
    {"sort with a comparator that loops", "table.sort({3, 2, 1}, function() while true do end end)",
     ATLAS_LUA_KILLED, ATLAS_LUA_SLICE},
    {"sort with a comparator that lies",
     "local t = {} for i = 1, 200 do t[i] = i end for i = 1, 1e9 do "
     "table.sort(t, function() return true end) end",
     ATLAS_LUA_KILLED, ATLAS_LUA_CPU},
    {"sort with a comparator that shrinks the table",
     "local t = {} for i = 1, 100 do t[i] = 100 - i end for i = 1, 1e9 do pcall(table.sort, t, "
     "function(a, b) for k in pairs(t) do t[k] = nil end return (a or 0) < (b or 0) end) end",
     ATLAS_LUA_KILLED, ATLAS_LUA_CPU},
    {"sort of a pcall", "while true do pcall(table.sort, {3, 2, 1}, pcall) end", ATLAS_LUA_KILLED,
     ATLAS_LUA_CPU},
    {"exponential pattern", "return (('a'):rep(1000)):find(('a*'):rep(50) .. 'b')",
     ATLAS_LUA_KILLED, ATLAS_LUA_SLICE},
    {"exponential pattern in pcall",
     "while true do pcall(string.find, ('a'):rep(100), ('a-'):rep(30) .. 'b') end",
     ATLAS_LUA_KILLED, ATLAS_LUA_SLICE},
    {"quadratic %b", "return (('('):rep(1e6)):find('%b()')", ATLAS_LUA_KILLED, ATLAS_LUA_SLICE},
    {"back reference on a long text",
     "local s = ('x'):rep(5e5) return (s .. s):find('^(x*)%1y')", ATLAS_LUA_KILLED,
     ATLAS_LUA_NOT_KILLED},
    {"gsub that grows", "local s = 'x' while true do s = s:gsub('.', '%0%0') end", ANY_END, 0},
    {"gsub callback that loops", "('x'):gsub('.', function() while true do end end)",
     ATLAS_LUA_KILLED, ATLAS_LUA_SLICE},
    {"gsub within gsub",
     "local function f(s) return (s:gsub('.', f)) end f(('x'):rep(100))", ATLAS_LUA_FAILED, 0},
    {"gmatch called again after an error",
     "local next = ('aaa'):gmatch(('(a)'):rep(33)) for i = 1, 1e9 do pcall(next) end",
     ATLAS_LUA_KILLED, ATLAS_LUA_CPU},
    {"gmatch kept for ever", "for i = 1, 1e9 do local n = ('abc'):gmatch('()') n() n() end",
     ATLAS_LUA_KILLED, ATLAS_LUA_CPU},
    {"format with huge width", "return ('%1000d'):format(1)", ATLAS_LUA_FAILED, 0},
    {"format in a loop", "while true do local s = ('%99.99f'):format(1e308) end",
     ATLAS_LUA_KILLED, ATLAS_LUA_CPU},
    {"JSON of a loop", "local t = {} t.t = t json.encode(t)", ATLAS_LUA_FAILED, 0},
    {"JSON of a wide tree",
     "local t = {1} for i = 1, 30 do t = {t, t} end json.encode(t)", ATLAS_LUA_KILLED,
     ATLAS_LUA_NOT_KILLED},
    {"JSON nested deep", "local v, e = json.decode(('['):rep(1e5)) error(e.message)",
     ATLAS_LUA_FAILED, 0},
    {"arguments of a loop", "local t = {} t.t = t echo(t)", ATLAS_LUA_FAILED, 0},
    {"arguments too large", "local s = ('x'):rep(1e6) echo{s, s}", ATLAS_LUA_FAILED, 0},

    // Memory
    {"growing text", "local s = 'x' while true do s = s .. s end", ATLAS_LUA_KILLED,
     ATLAS_LUA_BLOCK},
    {"one instruction beyond the overdraft",
     "local s = ('x'):rep(1e6) while true do local t = s .. s .. s .. s .. s .. s .. s .. s .. s "
     "end",
     ATLAS_LUA_KILLED, ATLAS_LUA_BLOCK},
    {"the same in pcall",
     "local s = ('x'):rep(1e6) while true do pcall(function() local x <close> = setmetatable({}, "
     "{__close = function() while true do end end}) local t = s .. s .. s .. s .. s .. s end) end",
     ATLAS_LUA_KILLED, ATLAS_LUA_BLOCK},
    {"many texts", "local t = {} for i = 1, 1e9 do t[i % 40000] = ('x'):rep(1000) .. i end",
     ATLAS_LUA_KILLED, ATLAS_LUA_MEMORY},
    {"growing table", "local t = {} for i = 1, 1e9 do t[i] = i end", ATLAS_LUA_KILLED,
     ATLAS_LUA_BLOCK},
    {"growing map", "local t = {} for i = 1, 1e9 do t['k' .. i] = i end", ATLAS_LUA_KILLED,
     ATLAS_LUA_BLOCK},
    {"nested tables", "local t = {} while true do t = {t} end", ATLAS_LUA_KILLED,
     ATLAS_LUA_MEMORY},
    {"closures", "local f = function() end while true do local g = f f = function() g() end end",
     ATLAS_LUA_KILLED, ATLAS_LUA_MEMORY},
    {"memory in pcall",
     "local keep = {} while true do pcall(function() for i = 1, 1e9 do keep[#keep + 1] = {} end "
     "end) end",
     ATLAS_LUA_KILLED, ATLAS_LUA_NOT_KILLED},
    {"memory in xpcall handler",
     "xpcall(error, function() local t while true do t = {t} end end)", ATLAS_LUA_KILLED,
     ATLAS_LUA_NOT_KILLED},
    {"memory with __close",
     "local c = setmetatable({}, {__close = function() local t while true do t = {t} end end}) "
     "local x <close> = c local t while true do t = {t} end",
     ATLAS_LUA_KILLED, ATLAS_LUA_MEMORY},
    {"garbage only", "while true do local t = {1, 2, 3} end", ATLAS_LUA_KILLED, ATLAS_LUA_CPU},
    {"large garbage", "while true do local s = ('x'):rep(1e6) end", ATLAS_LUA_KILLED,
     ATLAS_LUA_CPU},
    {"constructors", "while true do local t = {{{{{{}}}}}} end", ATLAS_LUA_KILLED,
     ATLAS_LUA_CPU},
    {"recursion", "local function f() return 1 + f() end f()", ATLAS_LUA_KILLED, ATLAS_LUA_BLOCK},
    {"recursion in pcall", "local function f() return pcall(f) and 1 end while true do f() end",
     ATLAS_LUA_KILLED, ATLAS_LUA_NOT_KILLED},
    {"recursion through metamethods",
     "local t = setmetatable({}, {}) local m = {__add = function(a, b) return a + b end} "
     "setmetatable(t, m) while true do pcall(function() return t + t end) end",
     ATLAS_LUA_KILLED, ATLAS_LUA_NOT_KILLED},
    {"recursion through tostring",
     "local t t = setmetatable({}, {__tostring = function() return tostring(t) end}) "
     "for i = 1, 1e9 do pcall(tostring, t) end",
     ATLAS_LUA_KILLED, ATLAS_LUA_CPU},
    {"recursion through sort",
     "local function f() table.sort({2, 1}, f) end for i = 1, 1e9 do pcall(f) end",
     ATLAS_LUA_KILLED, ATLAS_LUA_CPU},
    {"many arguments",
     "local t = {} for i = 1, 8000 do t[i] = i end local function f(...) return select('#', ...) "
     "end while true do f(table.unpack(t)) end",
     ATLAS_LUA_KILLED, ATLAS_LUA_CPU},
    {"arguments that double",
     "local function f(...) return f(1, ...) end f()", ATLAS_LUA_KILLED, ATLAS_LUA_NOT_KILLED},
    {"varargs doubled", "local function f(...) return f(..., ...) end f(1, 2, 3)",
     ATLAS_LUA_KILLED, ATLAS_LUA_NOT_KILLED},

    // One instruction, much work
    {"comparing long texts", BIG "while true do local c = a == b end", ATLAS_LUA_KILLED,
     ATLAS_LUA_CPU},
    {"ordering long texts", BIG "while true do local c = a < b end", ATLAS_LUA_KILLED,
     ATLAS_LUA_CPU},
    {"ordering texts of zeros",
     "local a, b = ('\\0'):rep(1e6), ('\\0'):rep(1e6) .. 'x' while true do local c = a < b end",
     ATLAS_LUA_KILLED, ATLAS_LUA_CPU},
    {"ordering zeros below a metamethod",
     "local a, b = ('\\0'):rep(1e6), ('\\0'):rep(1e6) .. 'x' table.sort({1, 2}, function() "
     "while true do local c = a < b end end)",
     ATLAS_LUA_KILLED, ATLAS_LUA_SLICE},
    {"hashing long texts", BIG "local t = {} while true do t[a .. 'x'] = nil local c = t[b .. "
     "'y'] end",
     ATLAS_LUA_KILLED, ATLAS_LUA_CPU},
    {"joining long texts", BIG "while true do local c = a .. b end", ATLAS_LUA_KILLED,
     ATLAS_LUA_NOT_KILLED},
    {"numbers in long texts",
     "local s = (' '):rep(1e6) .. 'x' while true do pcall(function() for i = 1, s do end end) end",
     ATLAS_LUA_KILLED, ATLAS_LUA_CPU},
    {"tonumber of long texts",
     "local s = (' '):rep(1e6) .. 'x' while true do local n = tonumber(s) end", ATLAS_LUA_KILLED,
     ATLAS_LUA_CPU},
    {"next over an emptied table",
     "local t = {} for i = 1, 60000 do t[i] = i end for i = 1, 60000 do t[i] = nil end "
     "while true do next(t) end",
     ATLAS_LUA_KILLED, ATLAS_LUA_CPU},
    {"rehash again and again",
     "local t = {} for i = 1, 30000 do t['k' .. i] = i end local n = 0 while true do n = n + 1 "
     "t['k' .. n % 30000] = nil t[{}] = 1 end",
     ATLAS_LUA_KILLED, ATLAS_LUA_NOT_KILLED},
    {"length of a table with holes",
     "local t = {} for i = 1, 60000 do t[i] = i end t[60000] = nil while true do local n = #t end",
     ATLAS_LUA_KILLED, ATLAS_LUA_CPU},
    {"a chain of __index with long keys",
     BIG "local t = {[a] = 1} for i = 1, 15 do t = setmetatable({[a] = 1}, {__index = t}) end "
     "while true do local c = t[b] end",
     ATLAS_LUA_KILLED, ATLAS_LUA_CPU},
    {"the same below a metamethod",
     BIG "local t = {[a] = 1} for i = 1, 15 do t = setmetatable({[a] = 1}, {__index = t}) end "
     "table.sort({1, 2}, function() while true do local c = t[b] end end)",
     ATLAS_LUA_KILLED, ATLAS_LUA_SLICE},
    {"a chain of __index that is too long",
     "local t = {} for i = 1, 20 do t = setmetatable({}, {__index = t}) end", ATLAS_LUA_FAILED, 0},
    {"a chain of __index built from its head",
     "local t = {} for i = 1, 100 do t[i] = {} end for i = 1, 99 do "
     "setmetatable(t[i], {__index = t[i + 1]}) end",
     ATLAS_LUA_FAILED, 0},
    {"a chain of __index built from its middle",
     "local t = {} for i = 1, 30 do t[i] = {} end for i = 10, 2, -1 do "
     "setmetatable(t[i], {__index = t[i + 1]}) end for i = 29, 11, -1 do "
     "setmetatable(t[i], {__index = t[i + 1]}) end",
     ATLAS_LUA_FAILED, 0},
    {"a loop of __index",
     "local a, b = {}, {} setmetatable(a, {__index = b}) setmetatable(b, {__index = a})",
     ATLAS_LUA_FAILED, 0},
    {"a chain through the string table", "setmetatable(string, {__index = 'x'})",
     ATLAS_LUA_FAILED, 0},
    {"a chain of __call", "local t = {} setmetatable(t, {__call = t}) t()", ATLAS_LUA_FAILED, 0},
    {"many upvalues and a wide frame",
     "local t = {} for i = 1, 1e9 do local a, b, c, d, e, f, g, h = {}, {}, {}, {}, {}, {}, {}, {} "
     "t[i % 1000] = function() return a, b, c, d, e, f, g, h end end",
     ATLAS_LUA_KILLED, ATLAS_LUA_NOT_KILLED},
    {"string interning",
     "for i = 1, 1e9 do local s = 'k' .. i end", ATLAS_LUA_KILLED, ATLAS_LUA_CPU},

    // Tampering
    {"string metatable", "getmetatable('').__index = nil", ATLAS_LUA_FAILED, 0},
    {"string metatable through setmetatable", "setmetatable('', {})", ATLAS_LUA_FAILED, 0},
    {"__gc is ignored",
     "setmetatable({}, {__gc = function() while true do end end}) for i = 1, 1e5 do "
     "local t = {} end finish()",
     ATLAS_LUA_ENDED, 0},
    {"__mode is ignored",
     "local t = setmetatable({}, {__mode = 'kv'}) t[1] = {} for i = 1, 1e5 do local g = {} end "
     "if t[1] == nil then error('weak') end finish()",
     ATLAS_LUA_ENDED, 0},
    {"__mode added later",
     "local m = {} local t = setmetatable({}, m) m.__mode = 'k' getmetatable(t).__mode = 'k' "
     "rawset(getmetatable(t), '__mode', 'k') t[{}] = 1 for i = 1, 1e5 do local g = {} end "
     "if next(t) == nil then error('weak') end finish()",
     ATLAS_LUA_ENDED, 0},
    {"weak tables under a memory limit",
     "local t = {} for i = 1, 1e9 do t[i % 1000] = setmetatable({}, {__mode = 'k'}) "
     "t[i % 1000][{}] = {('x'):rep(500)} end",
     ATLAS_LUA_KILLED, ATLAS_LUA_NOT_KILLED},
    {"rawset on the read-only run", "rawset(run, 'key', 'x')", ATLAS_LUA_FAILED, 0},
    {"writing to the read-only run", "run.key = 'x'", ATLAS_LUA_FAILED, 0},
    {"writing below the read-only run", "run.roles[1] = 'x'", ATLAS_LUA_FAILED, 0},
    {"inserting below the read-only run", "table.insert(run.roles, 'x')", ATLAS_LUA_FAILED, 0},
    {"metatable of the read-only run", "setmetatable(run, {})", ATLAS_LUA_FAILED, 0},
    {"the table behind the read-only run",
     "local _, t = pairs(run) t.key = 'x'", ATLAS_LUA_FAILED, 0},
    {"error value with __tostring that loops",
     "error(setmetatable({}, {__tostring = function() while true do end end}))",
     ATLAS_LUA_FAILED, 0},
    {"error value that is a function", "error(print)", ATLAS_LUA_FAILED, 0},
    {"error value kept by __close",
     "local kept do local x <close> = setmetatable({}, {__close = function(_, e) kept = e end}) "
     "end "
     "local function f() local x <close> = setmetatable({}, {__close = function(_, e) kept = e "
     "end}) "
     "finish() end pcall(f) error(kept)",
     ATLAS_LUA_ENDED, 0},
    {"error while closing after the outcome, caught outside",
     "while true do pcall(function() local x <close> = setmetatable({}, {__close = function() "
     "error('replaced') end}) finish() end) end",
     ATLAS_LUA_FAILED, 0},
    {"error while closing after the outcome, caught inside",
     "local x <close> = setmetatable({}, {__close = function() assert(not pcall(error)) "
     "assert(not xpcall(error, error)) end}) finish()",
     ATLAS_LUA_ENDED, 0},
    {"outcome caught by pcall", "while true do pcall(finish) end", ATLAS_LUA_ENDED, 0},
    {"outcome caught by xpcall", "while true do xpcall(finish, function() return 1 end) end",
     ATLAS_LUA_ENDED, 0},
    {"outcome replaced in __close",
     "local x <close> = setmetatable({}, {__close = function() error('replaced') end}) finish()",
     ATLAS_LUA_FAILED, 0},
    {"host call in a callback", "('x'):gsub('.', function() echo(1) end)", ATLAS_LUA_FAILED, 0},
    {"host calls for ever", "while true do echo(1) end", ATLAS_LUA_KILLED, ATLAS_LUA_CPU},
    {"host call in __close for ever",
     "local x <close> = setmetatable({}, {__close = function() while true do echo(1) end end}) "
     "finish()",
     ATLAS_LUA_KILLED, ATLAS_LUA_CPU},
    {"wait_until for ever",
     "while true do wait_until{every = 1, timeout = 1, what = 'x', fn = function() while true do "
     "end end} end",
     ATLAS_LUA_KILLED, ATLAS_LUA_CPU},
};

/// Whole files that take the compiler long, or break it.
static char *repeated(const char *head, const char *piece, int count, const char *tail) {
  size_t size = strlen(head) + strlen(piece) * (size_t)count + strlen(tail) + 1;
  char *text = malloc(size), *at = stpcpy(text, head);
  for (int index = 0; index < count; index += 1) at = stpcpy(at, piece);
  strcpy(at, tail);
  return text;
}

static void run_source_case(const char *name, char *source, bool measure) {
  static outcome out;
  alarm(60);
  run_source(&out, "hook", source, NULL, NULL);
  if (measure) {
    printf("%-44s %-9s %-12s slice %6.1f ms  close %5.1f ms  %s\n", name, step_name(out.step),
           cause_name(out.usage.cause), (double)out.usage.longest_slice_ns / 1e6, out.close_ms,
           out.message);
  }
  CHECK(out.step == ATLAS_LUA_FAILED || out.step == ATLAS_LUA_KILLED ||
        out.step == ATLAS_LUA_ENDED);
  free(source);
}

static char *locals_everywhere(void) {
  char *text = malloc(70000), *at = text;
  for (int depth = 0; depth < 60; depth += 1) {
    at = stpcpy(at, "local a");
    for (int index = 0; index < 180; index += 1) at = stpcpy(at, ",a");
    at = stpcpy(at, " (function() ");
  }
  at = stpcpy(at, "local _=z");
  while (at - text < 64000) at = stpcpy(at, "+z");
  for (int depth = 0; depth < 60; depth += 1) at = stpcpy(at, " end)()");
  return text;
}

static char *labels_everywhere(void) {
  char *text = malloc(70000), *at = text;
  for (int index = 0; at - text < 60000; index += 1) at += sprintf(at, "::a%d::b=1 ", index);
  return text;
}

static void test_sources(bool measure) {
  run_source_case("nested parentheses", repeated("return ", "(", 60000, ""), measure);
  run_source_case("nested tables in source", repeated("return ", "{", 60000, ""), measure);
  run_source_case("nested functions", repeated("", "local f=function() ", 3000, ""), measure);
  run_source_case("a long concatenation", repeated("return 'x'", "..'x'", 12000, ""), measure);
  run_source_case("a long list of operators", repeated("return ", "-", 30000, "1"), measure);
  run_source_case("many blocks", repeated("", "do ", 20000, ""), measure);
  run_source_case("many locals", repeated("", "local a ", 8000, ""), measure);
  run_source_case("one long name", repeated("", "a", 60000, "=1"), measure);
  run_source_case("one long text", repeated("return '", "a", 60000, "'"), measure);
  run_source_case("a file that is too large", repeated("", "-", 70000, ""), measure);
  run_source_case("binary", strdup("\x1bLua"), measure);
  run_source_case("_ENV as a constant", strdup("local _ENV <const> = 1 x = 1 return {api=1}"),
                  measure);
  run_source_case("locals at every level", locals_everywhere(), measure);
  run_source_case("labels everywhere", labels_everywhere(), measure);
}

static bool for_time(atlas_lua_cause cause) {
  return cause == ATLAS_LUA_CPU || cause == ATLAS_LUA_SLICE || cause == ATLAS_LUA_INSTRUCTIONS;
}

static bool for_memory(atlas_lua_cause cause) {
  return cause == ATLAS_LUA_MEMORY || cause == ATLAS_LUA_BLOCK;
}

static bool as_expected(const hostile *script, const outcome *out) {
  // On a slow machine, or under a sanitizer, the time may be over before the memory is.
  if (script->step == ANY_END) return out->step != ATLAS_LUA_BROKEN;
  if ((int)out->step != script->step) return false;
  return (!for_time(script->cause) || for_time(out->usage.cause)) &&
         (!for_memory(script->cause) || out->usage.cause != ATLAS_LUA_CANCELLED);
}

void test_hostile(bool measure) {
  static outcome out;
  double longest = 0;
  const char *worst = "";
  for (size_t at = 0; at < sizeof corpus / sizeof *corpus; at += 1) {
    const hostile *script = &corpus[at];
    alarm(120);
    run_body(&out, script->body, NULL);
    double slice = (double)out.usage.longest_slice_ns / 1e6;
    if (slice > longest) {
      longest = slice;
      worst = script->name;
    }
    if (measure) {
      printf("%-44s %-9s %-12s slice %6.1f ms  close %5.1f ms  peak %5zu KiB  %s\n", script->name,
             step_name(out.step), cause_name(out.usage.cause), slice, out.close_ms,
             out.usage.peak_memory >> 10, out.message);
    }
    bool right = as_expected(script, &out);
    if (!right) {
      fprintf(stderr, "%s: ended %s (%s) with “%s”\n", script->name, step_name(out.step),
              cause_name(out.usage.cause), out.message);
    }
    CHECK(right);
    CHECK(out.usage.peak_memory <= default_limits().memory + default_limits().overdraft);
  }
  test_sources(measure);
  alarm(0);
  if (measure) printf("longest slice: %.1f ms (%s)\n", longest, worst);
}
