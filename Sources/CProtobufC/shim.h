// The door to libprotobuf-c (Debian: libprotobuf-c-dev), which packs and unpacks every message.
#ifndef CPROTOBUFC_SHIM_H
#define CPROTOBUFC_SHIM_H

#include <protobuf-c/protobuf-c.h>

#endif
