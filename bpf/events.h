/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/* Events that the fast path reports to the daemon without being asked: at most a few hundred times a second, each thing once. */
#pragma once

#include "counters.h"
#include "maps.h"
#include "parse.h"
#include "reparse.h"

#define CROSSPOINT_EVENTS_PER_SECOND 256

/* True if this CPU may still report something in this second. */
static __always_inline int
crosspoint_may_report(__u64 now)
{
	struct crosspoint_lane *lane = crosspoint_lane(bpf_get_smp_processor_id());
	__u32 second = now >> 30;

	if (!lane)
		return 0;
	if (lane->event_second != second) {
		lane->event_second = second;
		lane->event_count = 0;
	}
	return lane->event_count++ < CROSSPOINT_EVENTS_PER_SECOND;
}

static __noinline void
crosspoint_report(struct xdp_md *ctx, __u32 slot, __u32 kind)
{
	__u64 now = bpf_ktime_get_ns();
	struct crosspoint_flow_detail *detail = bpf_map_lookup_elem(&flow_details, &slot);
	struct crosspoint_packet packet;
	struct crosspoint_event *event;

	if (!detail || !crosspoint_parse_again(ctx, &packet) || !crosspoint_may_report(now))
		return;
	event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);
	if (!event)
		return;
	event->kind = kind;
	event->flow = slot;
	event->generation = detail->generation;
	event->time = now;
	*(__u64 *)&event->source[0] = packet.source_high;
	*(__u64 *)&event->source[2] = packet.source_low;
	event->source_port = packet.source_port;
	event->reserved[0] = event->reserved[1] = event->reserved[2] = 0;
	bpf_ringbuf_submit(event, 0);
}

/* Reports a source that the flow does not know, with its first packet. */
static __noinline void
crosspoint_report_stranger(struct xdp_md *ctx, __u32 slot)
{
	struct crosspoint_flow_detail *detail = bpf_map_lookup_elem(&flow_details, &slot);
	__u64 generation = detail ? detail->generation : 0;
	struct crosspoint_stranger stranger = { .flow = slot };
	struct crosspoint_packet packet;
	__u64 *known;

	if (!crosspoint_parse_again(ctx, &packet))
		return;
	stranger.source_high = packet.source_high;
	stranger.source_low = packet.source_low;
	stranger.source_port = packet.source_port;
	known = bpf_map_lookup_elem(&strangers, &stranger);
	if (known && *known == generation)
		return;
	bpf_map_update_elem(&strangers, &stranger, &generation, BPF_ANY);
	crosspoint_report(ctx, slot, CROSSPOINT_EVENT_UNKNOWN_SOURCE);
}
