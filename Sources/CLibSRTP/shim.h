/* libsrtp 2, as Debian's libsrtp2-dev installs it. */
#pragma once
#include <srtp2/srtp.h>
