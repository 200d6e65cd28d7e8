// Compiled once for each version, so that nothing else is compiled again for a new commit.
#include "build_identity.h"

#ifndef CROSSPOINT_VERSION
#define CROSSPOINT_VERSION ""
#endif
#ifndef CROSSPOINT_COMMIT
#define CROSSPOINT_COMMIT ""
#endif

const char *crosspoint_build_version(void) { return CROSSPOINT_VERSION; }
const char *crosspoint_build_commit(void) { return CROSSPOINT_COMMIT; }
