/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/* Flows that look at a packet's source, and what becomes of packets that are no flow's. */
#pragma once

#include "counters.h"
#include "events.h"
#include "flow_table.h"
#include "forward.h"
#include "reparse.h"
#include "sightings.h"

static __noinline int
not_a_flow(struct xdp_md *ctx)
{
	struct crosspoint_packet packet;
	int reason;

	if (!crosspoint_parse_again(ctx, &packet))
		return XDP_DROP;
	reason = crosspoint_guarded(&packet, crosspoint_place(ctx->ingress_ifindex, packet.vlans));
	crosspoint_count_reason(crosspoint_port(ctx->ingress_ifindex), reason, 1);
	crosspoint_sight(ctx, CROSSPOINT_SIGHTED_ELSEWHERE);
	return reason == CROSSPOINT_PASS_NOT_OURS ? XDP_PASS : XDP_DROP;
}

/* Decides on a packet whose destination is a flow's, but whose source is not. */
static __noinline int
wrong_source(struct xdp_md *ctx, const struct crosspoint_flow *flow, __u32 slot)
{
	__u32 index = flow->index;
	struct crosspoint_rtp_detail *detail = bpf_map_lookup_elem(&rtp_details, &index);

	if (detail)
		detail->wrong_source++;
	if (flow->flags & CROSSPOINT_FLOW_REPORT_UNKNOWN)
		crosspoint_report_stranger(ctx, slot);
	if (flow->flags & CROSSPOINT_FLOW_UNKNOWN_TO_HOST) {
		crosspoint_count_reason(flow->port, CROSSPOINT_PASS_UNKNOWN_SOURCE, 1);
		return XDP_PASS;
	}
	return drop(flow->port, CROSSPOINT_DROP_WRONG_SOURCE);
}

/* The flow of a packet among those that name its source; NULL: there is none. */
static __noinline struct crosspoint_flow *
flow_with_source(struct xdp_md *ctx, __u32 flags, __u32 *slot)
{
	struct crosspoint_flow *found = NULL;
	struct crosspoint_packet packet;
	__u64 place;

	if (!crosspoint_parse_again(ctx, &packet))
		return NULL;
	place = crosspoint_place(ctx->ingress_ifindex, packet.vlans);
	if (flags & CROSSPOINT_FLOW_HAS_SOURCE_PORTS)
		found = crosspoint_find_source(&packet, place, CROSSPOINT_SLOT_SOURCE_PORT, slot);
	if (!found && (flags & CROSSPOINT_FLOW_HAS_SOURCES))
		found = crosspoint_find_source(&packet, place, CROSSPOINT_SLOT_SOURCE, slot);
	return found;
}

/* The flow of a packet among those of one destination; NULL: none of them takes packets from this source. */
static __always_inline struct crosspoint_flow *
flow_of_source(struct xdp_md *ctx, const struct crosspoint_packet *packet, struct crosspoint_flow *flow, __u32 *slot)
{
	__u32 flags = flow->flags;

	if (CROSSPOINT_UNLIKELY(flags & (CROSSPOINT_FLOW_HAS_SOURCES | CROSSPOINT_FLOW_HAS_SOURCE_PORTS))) {
		struct crosspoint_flow *found;
		__u32 found_slot = *slot;

		found = flow_with_source(ctx, flags, &found_slot);
		if (found) {
			*slot = found_slot;
			return found;
		}
		if (flags & CROSSPOINT_FLOW_DISPATCH_ONLY)
			return NULL;
	}
	return crosspoint_admits(packet, flow, *slot) ? flow : NULL;
}
