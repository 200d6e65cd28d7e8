// The version and the commit that a binary was built from.
#ifndef CROSSPOINT_BUILD_IDENTITY_H
#define CROSSPOINT_BUILD_IDENTITY_H

/// The version that scripts/package gave the build; empty for a build in a checkout.
const char *crosspoint_build_version(void);
/// The abbreviated commit, with "+" behind it if the work tree had changes; empty for a build in a checkout.
const char *crosspoint_build_commit(void);

#endif
