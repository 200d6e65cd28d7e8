/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/* Accounts RTP and RTCP of a flow: which record, which clock, and what few packets need besides (rtp_stats.h does the sums). */
#pragma once

#include "maps.h"
#include "parse.h"
#include "rtp_header.h"
#include "rtp_stats.h"

/* True if the flow's payload is encrypted. */
static __always_inline int
is_encrypted(__u32 slot)
{
	struct crosspoint_flow_detail *detail = bpf_map_lookup_elem(&flow_details, &slot);

	return detail && detail->rules & CROSSPOINT_RULE_ENCRYPTED;
}

/* True if the parts that the X and P bits promise are there (RFC 3550 sections 5.1, 5.3.1). The length of padding is
 * part of the payload. */
static __noinline int
rtp_lengths_fit(struct xdp_md *ctx, __u32 payload_offset, __u32 payload_length, __u32 first, __u32 slot)
{
	__u32 used = sizeof(struct crosspoint_rtp_header) + (first & 0xf) * 4;

	if (first & 0x10) {
		__be16 extension[2];

		if (used + sizeof(extension) > payload_length ||
		    bpf_xdp_load_bytes(ctx, payload_offset + used, extension, sizeof(extension)))
			return 0;
		used += sizeof(extension) + 4 * HOST16(extension[1]);
		if (used > payload_length)
			return 0;
	}
	if ((first & 0x20) && !is_encrypted(slot)) {
		__u8 padding;

		if (bpf_xdp_load_bytes(ctx, payload_offset + payload_length - 1, &padding, sizeof(padding)))
			return 0;
		if (!padding || used + padding > payload_length)
			return 0;
	}
	return 1;
}

/* The RTP packets that are not simply the next one. Returns whether the packet's time is accounted. */
static __noinline int
account_irregular(const struct crosspoint_flow *flow, __u32 slot, struct crosspoint_rtp *record,
		  const struct crosspoint_rtp_packet *seen)
{
	__u32 index = flow->index;
	struct crosspoint_flow_detail *limits = bpf_map_lookup_elem(&flow_details, &slot);
	struct crosspoint_rtp_detail *detail = bpf_map_lookup_elem(&rtp_details, &index);

	return limits && detail && crosspoint_rtp_irregular(flow, limits, record, detail, seen);
}

/* Accounts an RTP packet; `what` learns its extended sequence number. */
static __always_inline void
account_rtp(const struct crosspoint_packet *packet, const struct crosspoint_flow *flow, __u32 slot,
	    struct crosspoint_rtp *record, const struct crosspoint_rtp_header *header, struct crosspoint_metadata *what)
{
	struct crosspoint_rtp_packet seen = {
		.sequence = HOST16(header->sequence),
		.payload_type = header->second & 0x7f,
		.timestamp = HOST32(header->timestamp),
		.ssrc = HOST32(header->ssrc),
		.source = crosspoint_fold_source(packet),
	};

	if (!(seen.sequence & flow->clock_mask)) {
		seen.arrival = bpf_ktime_get_ns();
		seen.timed = 1;
	}
	record->payload_type = seen.payload_type;
	if (CROSSPOINT_LIKELY(crosspoint_rtp_next(flow, record, &seen))) {
		if (seen.timed)
			crosspoint_rtp_time(flow, record, &seen);
	} else {
		/* A copy, so that the compiler keeps the other one in registers. */
		struct crosspoint_rtp_packet irregular = seen;

		if (account_irregular(flow, slot, record, &irregular) && seen.timed)
			crosspoint_rtp_time(flow, record, &seen);
	}
	what->sequence = (__u32)record->highest - (__u16)((__u16)record->highest - seen.sequence);
	what->frame |= CROSSPOINT_FRAME_SEQUENCE;
}

/* RTCP, and packets that are not RTP where RTP must be. Returns the reason to drop it, or -1 for RTCP. */
static __noinline int
not_rtp(const struct crosspoint_flow *flow, enum crosspoint_payload_kind kind)
{
	__u32 index = flow->index;
	struct crosspoint_rtp_detail *detail = bpf_map_lookup_elem(&rtp_details, &index);
	int reason = flow->flags & CROSSPOINT_FLOW_RTP ? CROSSPOINT_DROP_NOT_RTP : CROSSPOINT_DROP_NOT_RTCP;

	if (!detail)
		return reason;
	if (kind == CROSSPOINT_PAYLOAD_RTCP) {
		detail->rtcp_packets++;
		return -1;
	}
	detail->invalid++;
	return reason;
}
