/* libmnl, as Debian's libmnl-dev installs it. */
#pragma once
#include <libmnl/libmnl.h>
