/// The C test program of CAtlasLua. `scripts/test-lua-c` builds it with AddressSanitizer and
/// UndefinedBehaviorSanitizer and runs it; with `--measure` it is built plain and prints a table.
#include <stdio.h>
#include <string.h>

#include "harness.h"

int main(int count, char **arguments) {
  bool measure = count > 1 && strcmp(arguments[1], "--measure") == 0;
  test_language();
  test_calls_and_codec();
  test_against_stock();
  test_hostile(measure);
  if (failures > 0) {
    fprintf(stderr, "%d checks failed\n", failures);
    return 1;
  }
  printf("all checks of CAtlasLua passed\n");
  return 0;
}
