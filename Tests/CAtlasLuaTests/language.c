/// What scripts can rely on: the library as documented, errors with their place, and the same
/// results however often a run gives way.
#include <stdio.h>
#include <string.h>

#include "harness.h"

/// Statements that assert what they expect; each must run to its finish().
static const char *const good[] = {
    "assert(('%5.1f|%-5s|%05d|%x'):format(3.14159, 'ab', 42, 255) == '  3.1|ab   |00042|ff')",
    "assert(('%s %s %s'):format(nil, true, 1.5) == 'nil true 1.5')",
    "assert(('%q'):format('a\\n\"\\0z') == '\"a\\\\\\n\\\\\"\\\\0z\"')",
    "assert(('abc'):rep(3, '-') == 'abc-abc-abc' and ('x'):rep(0) == '' and ('x'):rep(-1) == '')",
    "assert(('hello'):sub(2, -2) == 'ell' and ('hello'):sub(-100, 2) == 'he' and "
    "('x'):sub(5) == '')",
    "assert(('ABC'):lower() == 'abc' and ('abc'):upper() == 'ABC' and ('abc'):reverse() == 'cba')",
    "assert(select('#', ('abc'):byte(1, -1)) == 3 and string.char(72, 105) == 'Hi')",
    "assert(tostring({}) == 'table' and tostring(print) == 'nil' and tostring(error) == "
    "'function')",
    "assert(not tostring(setmetatable({}, {})):find('0x'))",
    "assert(tostring(setmetatable({}, {__tostring = function() return 'me' end})) == 'me')",
    "assert(tostring(setmetatable({}, {__name = 'Kind'})) == 'Kind')",
    "assert(tonumber('0x10') == 16 and tonumber('  7 ') == 7 and tonumber('z', 36) == 35 and "
    "tonumber('8', 8) == nil and tonumber('1e1') == 10.0 and tonumber({}) == nil)",
    "assert(select(-1, 1, 2, 3) == 3 and select('#') == 0 and select(2, 'a', 'b') == 'b')",
    "local t = {} table.insert(t, 'b') table.insert(t, 1, 'a') table.insert(t, 'c') "
    "assert(table.concat(t, ',') == 'a,b,c' and table.remove(t, 1) == 'a' and table.remove(t) == "
    "'c' and #t == 1)",
    "assert(table.concat(table.move({1, 2, 3}, 1, 3, 2), ',') == '1,1,2,3')",
    "assert(table.concat(table.move({1, 2, 3, 4}, 2, 4, 1), ',') == '2,3,4,4')",
    "local p = table.pack(1, nil, 3) assert(p.n == 3 and p[3] == 3 and select('#', "
    "table.unpack(p, 1, p.n)) == 3)",
    "local t = {5, 3, 1, 4, 2} table.sort(t) assert(table.concat(t) == '12345') "
    "table.sort(t, function(a, b) return a > b end) assert(table.concat(t) == '54321')",
    "local t = {} for i = 1, 1000 do t[i] = {k = i % 7, n = i} end table.sort(t, function(a, b) "
    "return a.k < b.k end) for i = 2, 1000 do local a, b = t[i - 1], t[i] assert(a.k < b.k or "
    "(a.k == b.k and a.n < b.n)) end",
    "local t = {3, 1, 2} assert(not pcall(table.sort, t, function() error('x') end)) "
    "assert(table.concat(t) == '312')",
    "local words = {} for w in ('one two  three'):gmatch('%a+') do words[#words + 1] = w end "
    "assert(table.concat(words, ',') == 'one,two,three')",
    "assert(('hello world'):gsub('o', '0') == 'hell0 w0rld')",
    "assert(('abc'):gsub('%w', '%0%0') == 'aabbcc' and ('abc'):gsub('', '-') == '-a-b-c-')",
    "assert(('$name is $age'):gsub('%$(%w+)', {name = 'Al', age = 5}) == 'Al is 5')",
    "assert(('abc'):gsub('b', function() return nil end) == 'abc')",
    "local a, b = ('key = value'):match('^(%w+)%s*=%s*(%w+)$') assert(a == 'key' and b == 'value')",
    "assert(('THE (quick) fox'):find('%((%a+)%)') == 5 and ('a.b'):find('.', 1, true) == 2)",
    "assert(('f(a(b)c)d'):match('%b()') == '(a(b)c)' and ('THE END'):match('%f[%a]END') == 'END')",
    "assert(('xyxy'):match('(xy)%1') == 'xy' and ('abc'):match('()b()') == 2)",
    "local C = {} C.__index = C function C.new(x) return setmetatable({x = x}, C) end "
    "function C:get() return self.x end assert(C.new(5):get() == 5 and getmetatable(C.new(1)) == "
    "C)",
    "local B = {} B.__index = B function B:name() return 'b' end local D = setmetatable({}, "
    "{__index = B}) "
    "D.__index = D assert(setmetatable({}, D):name() == 'b')",
    "local log = {} local t = setmetatable({}, {__index = function(_, k) return k .. '!' end, "
    "__newindex = function(_, k, v) log[k] = v end, __call = function(_, a) return a + 1 end, "
    "__len = function() return 7 end}) t.x = 1 assert(t.y == 'y!' and log.x == 1 and t(1) == 2 and "
    "#t == 7)",
    "local order = {} do local a <close> = setmetatable({}, {__close = function() order[#order + "
    "1] "
    "= 'a' end}) local b <close> = setmetatable({}, {__close = function() order[#order + 1] = 'b' "
    "end}) end assert(table.concat(order) == 'ba')",
    "local closed local f = function() local a <close> = setmetatable({}, {__close = function(_, "
    "e) "
    "closed = e echo(1) end}) error({message = 'm'}) end local good, e = pcall(f) assert(not "
    "good and "
    "closed == e and e.message == 'm')",
    "assert(select('#', pcall(error)) == 2 and select(2, pcall(error, nil)) == nil)",
    "local good, e = pcall(error, 'x', 0) assert(not good and e == 'x')",
    "local good, e = pcall(function() error('x') end) assert(e == 'hook.lua:1: x')",
    "local good, e = xpcall(function(a) error(a, 0) end, function(m) return m .. '!' end, 'x') "
    "assert(not good and e == 'x!')",
    "assert(select('#', xpcall(function(...) return ... end, error, 1, 2, 3)) == 4)",
    "local good, a, b = pcall(function() return echo(1), echo(2) end) assert(good and a == 1 and b "
    "== 2)",
    "assert(not pcall(assert, false) and select(2, pcall(assert, nil, 'why')) == 'why' and "
    "assert(1, 2) == 1)",
    "local n = 0 for k, v in pairs(run) do n = n + 1 end assert(n == 2 and run.key == 'k1')",
    "local r = {} for i, role in ipairs(run.roles) do r[i] = role end assert(table.concat(r, ',') "
    "== 'DC,SQL' and #run.roles == 2)",
    "assert(next({}) == nil and rawlen({1, 2}) == 2 and rawequal(run, run) and rawget({x = 1}, "
    "'x') == 1)",
    "assert(math.type(3) == 'integer' and math.floor(3.7) == 3 and math.huge > 0 and "
    "math.randomseed == nil)",
    "assert(math.random(1000000) == 758332 or true)",
    // What the sandbox leaves out
    "for _, name in ipairs{'load', 'loadstring', 'dofile', 'loadfile', 'collectgarbage', 'warn', "
    "'print', 'coroutine', 'io', 'os', 'debug', 'package', 'utf8', '_G'} do "
    "assert(_ENV[name] == nil, name) end",
    "for _, name in ipairs{'dump', 'pack', 'unpack', 'packsize'} do assert(string[name] == nil) "
    "end",
    // JSON
    "assert(json.encode{a = 1, b = {true, 'x'}, c = json.null} == '{\"a\":1,\"b\":[true,\"x\"],"
    "\"c\":null}')",
    "assert(json.encode({}) == '{}' and json.encode(json.array{}) == '[]' and json.encode{1, 2} == "
    "'[1,2]')",
    "assert(json.encode(json.decode('[]')) == '[]' and json.encode(json.decode('{\"a\":[]}')) == "
    "'{\"a\":[]}')",
    "assert(json.encode(0.1) == '0.1' and json.encode(1e100) == '1e+100' and json.encode(1/3) == "
    "'0.3333333333333333' and json.encode(-7) == '-7')",
    "assert(json.encode('a\\n\\\"\\1\\127é') == '\"a\\\\n\\\\\"\\\\u0001\\\\u007fé\"')",
    "local v = json.decode(' {\"a\": [1, 2.5, -3e2, null, true], \"b\": "
    "\"\\\\u00e9\\\\ud83d\\\\ude00\"}"
    " ') assert(v.a[1] == 1 and math.type(v.a[1]) == 'integer' and v.a[2] == 2.5 and v.a[3] == "
    "-300 "
    "and v.a[4] == nil and v.a[5] == true and v.b == 'é😀')",
    "for _, text in ipairs{'', '{', '[1,]', '{\"a\"}', '01', '1.', 'nul', '\"\\\\x\"', '\"a', "
    "'[1] 2', "
    "'{\"a\":1,}', '-', '+1', '\"\\n\"', \"'a'\", '[1 2]', 'NaN'} do local v, e = "
    "json.decode(text) "
    "assert(v == nil and e.code == 'json' and not e.retryable, text) end",
    "assert(json.decode('1e999') == math.huge and json.decode('9223372036854775807') == "
    "math.maxinteger and math.type(json.decode('9223372036854775808')) == 'float')",
    "local e = select(2, pcall(json.encode, {f = function() end})) assert(e == 'hook.lua:1: "
    "json: a "
    "function has no JSON form', e)",
    "assert(not pcall(json.encode, '\\xff') and not pcall(json.encode, 0/0) and not "
    "pcall(json.encode, {1, x = 2}) and not pcall(json.encode, {[1.5] = 1}))",
    "assert(json.encode(run) == '{\"key\":\"k1\",\"roles\":[\"DC\",\"SQL\"]}')",
    // Calls
    "for _, v in ipairs{1, -1, math.maxinteger, math.mininteger, 0.5, 1e300, 'x', '', true, false} "
    "do assert(echo(v) == v and math.type(echo(v)) == math.type(v)) end assert(echo(nil) == nil)",
    "local t = echo{1, {a = 'x', b = {}}, {}} assert(t[1] == 1 and t[2].a == 'x' and next(t[3]) "
    "== nil)",
    "local t = {1, 2, 3, 4} t[3] = nil t = echo(t) assert(t[2] == 2 and t[3] == nil and t[4] == 4)",
    "assert(echo(run).key == 'k1' and echo(run).roles[2] == 'SQL')",
    "local res = http.get('http://x') assert(res.status == 200 and res.json()[2] == 2 and "
    "res:json()[1] == 1)",
    "local k, v = kv.set('k', {b = 1, a = {2}}) assert(k == 'k' and v == '{\"a\":[2],\"b\":1}')",
    "local n = 0 local v = wait_until{every = 1, timeout = 9, what = 'it', fn = function() n = n "
    "+ 1 "
    "return n == 3 and 'done' end} assert(v == 'done' and n == 3)",
    "local n = 0 local v, e = wait_until{every = 1, timeout = 9, what = 'it', fn = function() n "
    "= n + 1 "
    "echo(n) end} assert(v == nil and e.code == 'timeout')",
    "assert(check(1, 'no') == 1 and select('#', check(1, 2, 3)) == 3)",
};

/// Statements, and the message, line and file they must fail with.
static const struct {
  const char *body;
  const char *message;
  long line;
} bad[] = {
    {"\n\nerror('boom')", "boom", 3},
    {"\nlocal t = nil\nreturn t.x", "attempt to index a nil value (local 't')", 3},
    {"\nundefined_function()", "attempt to call a nil value (global 'undefined_function')", 2},
    {"\nerror({message = 'shaped', code = 'x'})", "shaped", 2},
    {"\nerror({})", "the error value is a table without a text `message`", 2},
    {"\nerror(nil)", "the error value is a nil", 2},
    {"\nerror('with: 3: colons')", "with: 3: colons", 2},
    {"\nerror('port:80: refused', 0)", "port:80: refused", 2},
    {"\nerror({message = 'x.lua:9: shaped'})", "x.lua:9: shaped", 2},
    {"\nlocal function f()\n error('caller', 2) end\nf()", "caller", 4},
    {"\nkv.set('k')", "kv.set: argument 2 must be a value, it is missing", 2},
    {"\nkv.set({}, 1)", "kv.set: argument 1 must be text, it is table", 2},
    {"\nkv.set('a', 1, 2)", "kv.set takes 2 arguments, not 3", 2},
    {"\nkv.set('a', error)", "json: a function has no JSON form", 2},
    {"\nhttp.get(5)", "http.get: argument 1 must be a URL or a table of options, it is number", 2},
    {"\nhttp.get{json = {f = error}}", "json: a function has no JSON form", 2},
    {"\nhttp.get{headers = {a = error}}", "a function cannot be given to the host", 2},
    {"\necho{[true] = 1}", "a table for the host has text keys or is a list; it has a boolean as "
     "a key",
     2},
    {"\necho{1, 2, x = 3}", "a table for the host has text keys or is a list, not both", 2},
    {"\nmisuse('x')", "misuse: not like this", 2},
    {"\npcall(error)\nmisuse('x')", "misuse: not like this", 3},
    {"\nwait_until(1)", "wait_until takes one table: wait_until{every =, timeout =, what =, fn "
     "=}", 2},
    {"\nwait_until{every = 1, timeout = 'x'}",
     "wait_until: timeout must be a number of seconds, it is string", 2},
    {"\nwait_until{every = 1, timeout = 1, what = 'x'}", "wait_until: fn must be a function, it "
     "is missing",
     2},
    {"\nwait_until{evry = 1}", "wait_until: it has no option 'evry'", 2},
    {"\nlocal x <close> = 5", "variable 'x' got a non-closable value", 2},
    {"\n('x'):rep(1, 2, 3, {}).y.z = 1", "attempt to index a nil value (field 'y')", 2},
    {"\n('%d'):format('x')", "bad argument #1 to 'format' (number expected, got string)", 2},
    {"\nreturn 1 + {}", "attempt to perform arithmetic on a table value", 2},
    {"\nreturn '1' + 1", "attempt to perform arithmetic on a string value (constant '1')", 2},
    {"return true", "hook returned without an outcome; end it with ok(), skip(), defer() or fail()",
     2},
};

static void test_good(const atlas_lua_limits *limits) {
  static outcome out;
  char body[4096];
  for (size_t at = 0; at < sizeof good / sizeof *good; at += 1) {
    snprintf(body, sizeof body, "%s finish()", good[at]);
    run_body(&out, body, limits);
    if (out.step != ATLAS_LUA_ENDED) {
      fprintf(stderr, "%s\n  ended %s %s: %s\n", good[at], step_name(out.step),
              cause_name(out.usage.cause), out.message);
    }
    CHECK(out.step == ATLAS_LUA_ENDED);
  }
}

static void test_bad(void) {
  static outcome out;
  for (size_t at = 0; at < sizeof bad / sizeof *bad; at += 1) {
    run_body(&out, bad[at].body, NULL);
    bool right = out.step == ATLAS_LUA_FAILED && strcmp(out.message, bad[at].message) == 0 &&
                 out.line == bad[at].line && strcmp(out.file, "hook.lua") == 0;
    if (!right) {
      fprintf(stderr, "%s\n  ended %s at %s:%ld: %s\n", bad[at].body, step_name(out.step), out.file,
              out.line, out.message);
    }
    CHECK(right);
  }
}

static void test_traceback(void) {
  static outcome out;
  run_body(&out, "\nlocal function inner() error('x') end\nlocal function outer() inner() "
   "end\nouter()",
           NULL);
  CHECK(strcmp(out.traceback,
               "hook.lua:2: in 'inner'\nhook.lua:3: in 'outer'\nhook.lua:4: in the function at "
               "line 1") == 0);
}

/// What a file may look like.
static void test_files(void) {
  static outcome out;
  static const struct {
    const char *source;
    const char *message;
    long line;
  } files[] = {
      {"x = = 1", "unexpected symbol near '='", 1},
      {"\n\nlocal x = 'open", "unfinished string near <eof>", 3},
      {"return 5", "a hook file returns a table of functions, this one a number", 1},
      {"return {hook = function() end}", "`api` is missing; write api = 1", 1},
      {"return {api = 2}", "api = 2 is not known here; this daemon knows api = 1", 1},
      {"return {api = '1'}", "`api` is missing; write api = 1", 1},
      {"return {api = 1, hook = 5}", "hook must be a function written in Lua, it is a number", 1},
      {"echo(1) return {api = 1}",
       "echo cannot be called while the file loads; call it inside a function", 1},
      {"error('early')", "early", 1},
  };
  for (size_t at = 0; at < sizeof files / sizeof *files; at += 1) {
    run_source(&out, "hook", files[at].source, NULL, NULL);
    CHECK(out.step == ATLAS_LUA_FAILED);
    bool right = strcmp(out.message, files[at].message) == 0 && out.line == files[at].line;
    if (!right) fprintf(stderr, "%s: %s:%ld: "
     "%s\n", files[at].source, out.file, out.line, out.message);
    CHECK(right);
  }
  run_source(&out, "hook", "return {api = 1}", NULL, NULL);
  CHECK(out.step == ATLAS_LUA_UNDEFINED);
  run_source(&out, NULL, "return {api = 1, hook = function() end, [1] = 2}", NULL, NULL);
  CHECK(out.step == ATLAS_LUA_DONE);
}

static void test_modules(void) {
  static outcome out;
  static const char *const modules[] = {
      "lib.a", "local b = require 'lib.b' return {f = function() return b.g() .. 'a' end}",
      "lib.b", "return {g = function() return 'b' end}",
      "lib.self", "return require 'lib.self'",
      "lib.broken", "return\n\n+",
      "lib.raises", "\nerror('module')",
      NULL,
  };
  run_source(&out, "hook",
             "local a = require 'lib.a' return {api = 1, hook = function() report(a.f()) "
             "assert(require 'lib.a' == a) finish() end}",
             modules, NULL);
  CHECK(out.step == ATLAS_LUA_ENDED && strcmp(out.report, "ba") == 0);
  static const struct {
    const char *name;
    const char *message;
    const char *file;
    long line;
  } wrong[] = {
      {"lib.self", "require: 'lib.self' requires itself, or failed before", "lib.self.lua", 1},
      {"lib.broken", "unexpected symbol near '+'", "lib.broken.lua", 3},
      {"lib.raises", "module", "lib.raises.lua", 2},
      {"lib.none", "there is no such module", "hook.lua", 1},
  };
  for (size_t at = 0; at < sizeof wrong / sizeof *wrong; at += 1) {
    char source[256];
    snprintf(source, sizeof source, "require '%s' return {api = 1}", wrong[at].name);
    run_source(&out, "hook", source, modules, NULL);
    CHECK(out.step == ATLAS_LUA_FAILED);
    bool right = strcmp(out.message, wrong[at].message) == 0 &&
                 strcmp(out.file, wrong[at].file) == 0 && out.line == wrong[at].line;
    if (!right) fprintf(stderr, "%s: %s:%ld: "
     "%s\n", wrong[at].name, out.file, out.line, out.message);
    CHECK(right);
  }
}

void test_language(void) {
  test_good(NULL);
  atlas_lua_limits limits = default_limits();
  limits.interval = 1;  // gives way at every single instruction that can
  limits.quantum_ns = 0;
  limits.cpu_ns = 60000000000u;
  test_good(&limits);
  test_bad();
  test_traceback();
  test_files();
  test_modules();
}
