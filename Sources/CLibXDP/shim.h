/* libxdp's AF_XDP part, as Debian's libxdp-dev installs it. */
#pragma once
#include <xdp/xsk.h>
