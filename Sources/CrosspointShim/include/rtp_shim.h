/* The fast path's pure parts, compiled natively: the same lines that run in the kernel, for tests and comparison. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "../../../bpf/fastpath_abi.h"
#include "../../../bpf/bench_abi.h"
#include "../../../bpf/loadgen_abi.h"

/* Accounts one RTP packet as the ingress program does (bpf/rtp_stats.h). Times in ns, fields in host byte order. */
void crosspoint_native_account(const struct crosspoint_flow *flow, const struct crosspoint_flow_detail *limits,
			       struct crosspoint_rtp *rtp, struct crosspoint_rtp_detail *detail, uint16_t sequence,
			       uint32_t timestamp, uint32_t ssrc, uint8_t payload_type, uint32_t source,
			       uint64_t arrival);

/* Rewrites a frame whose Ethernet header has the leg's size already (bpf/rewrite.h). 0, or -1 when it is too short. */
int crosspoint_native_rewrite(void *frame, size_t size, const struct crosspoint_leg *leg,
			      const struct crosspoint_leg_detail *detail, int is_ipv6, int is_rtp);

/* The verdict of the ingress program on a frame's headers (bpf/parse.h): -1 for UDP over IP, else a reason. */
int crosspoint_native_parse(const void *frame, size_t size);
