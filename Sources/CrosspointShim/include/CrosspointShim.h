/* Declarations that Swift cannot import by itself: macros, variadic and GNU functions, and the fast path's ABI. */
#pragma once

#include "../../../bpf/fastpath_abi.h"
#include "../../../bpf/probe_abi.h"
#include "../../../bpf/scan_abi.h"

#include "afxdp_shim.h"
#include "bpf_shim.h"
#include "datagram_shim.h"
#include "descriptor_shim.h"
#include "dns_shim.h"
#include "kernel_shim.h"
#include "namespace_shim.h"
#include "netlink_shim.h"
#include "reasons_shim.h"
#include "rtp_shim.h"
