// Lua 5.4 as Debian packages it (liblua5.4-dev). Only CAtlasLua may include this: with a memory
// limit nearly every call of this interface can longjmp, which no Swift frame survives.
#ifndef CLUA_SHIM_H
#define CLUA_SHIM_H

#include <lua.h>
#include <lauxlib.h>
#include <lualib.h>

#endif
