/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/*
 * The long way through ingress: every packet, whatever its headers and its flow ask for.
 *
 * A packet that the short way takes would get the same here: same bytes, same counts.
 */
#pragma once

#include "account.h"
#include "afxdp.h"
#include "checksum.h"
#include "counters.h"
#include "events.h"
#include "flow_table.h"
#include "forward.h"
#include "parse.h"
#include "sightings.h"
#include "soundness.h"
#include "sources.h"

static __always_inline int
hand_to_host(struct xdp_md *ctx, __u32 reason)
{
	crosspoint_count_reason(crosspoint_port(ctx->ingress_ifindex), reason, 1);
	if (reason == CROSSPOINT_PASS_FRAGMENT)
		crosspoint_sight(ctx, CROSSPOINT_SIGHTED_FRAGMENT);
	return XDP_PASS;
}

/*
 * Makes the frame as long as its IP packet says: padding of short frames is nobody's payload. Returns a reason, or
 * -1. Packet pointers are invalid afterwards.
 */
static __noinline int
fit_length(struct xdp_md *ctx, __u32 length)
{
	__u32 actual = bpf_xdp_get_buff_len(ctx);

	if (actual < length)
		return CROSSPOINT_DROP_BAD_LENGTH;
	if (actual > length && bpf_xdp_adjust_tail(ctx, (int)length - (int)actual))
		return CROSSPOINT_DROP_BAD_LENGTH;
	return -1;
}

static __always_inline int
ingress_long_way(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *data_end = (void *)(long)ctx->data_end;
	struct crosspoint_metadata what = {};
	struct crosspoint_flow_count *count;
	struct crosspoint_port_count *port;
	struct crosspoint_packet packet;
	struct crosspoint_flow *flow, *of_source;
	struct crosspoint_lane *lane;
	struct crosspoint_rtp *record;
	__u32 cpu, slot, index, length, payload_offset, payload_length, copies;
	__u64 place, target;
	__u32 flags;
	int reason;

	reason = crosspoint_parse(data, data_end, &packet);
	if (CROSSPOINT_UNLIKELY(reason >= 0))
		return hand_to_host(ctx, reason);
	place = crosspoint_place(ctx->ingress_ifindex, packet.vlans);
	flow = crosspoint_find(&packet, place, crosspoint_selector(&packet, CROSSPOINT_SLOT_DESTINATION), &slot);
	if (CROSSPOINT_UNLIKELY(!flow))
		return not_a_flow(ctx);
	if (CROSSPOINT_UNLIKELY(crosspoint_is_own(data, flow)))
		return drop(flow->port, CROSSPOINT_DROP_OWN_PACKET);
	reason = crosspoint_fault(ctx, slot);
	if (CROSSPOINT_UNLIKELY(reason >= 0))
		return drop(flow->port, reason);
	flags = flow->flags;
	if (CROSSPOINT_UNLIKELY(flags & CROSSPOINT_FLOW_SOURCES)) {
		of_source = flow_of_source(ctx, &packet, flow, &slot);
		if (!of_source)
			return wrong_source(ctx, flow, slot);
		flow = of_source;
		flags = flow->flags;
	}
	if (CROSSPOINT_UNLIKELY(flags & CROSSPOINT_FLOW_DRAINING))
		return drop(flow->port, CROSSPOINT_DROP_DRAINING);
	if (CROSSPOINT_UNLIKELY(packet.ttl <= 1)) {
		crosspoint_count_reason(flow->port, CROSSPOINT_PASS_TTL_EXPIRED, 1);
		crosspoint_sight(ctx, CROSSPOINT_SIGHTED_TTL);
		return XDP_PASS;
	}

	length = packet.l3_offset + packet.l3_length;
	payload_offset = crosspoint_payload_offset(&packet);
	payload_length = (__u32)packet.udp_length - sizeof(struct udphdr);
	if (CROSSPOINT_UNLIKELY(packet.udp_length < sizeof(struct udphdr) ||
				payload_offset + payload_length > length))
		return drop(flow->port, CROSSPOINT_DROP_BAD_LENGTH);
	if (CROSSPOINT_UNLIKELY(data_end - data != length)) {
		reason = fit_length(ctx, length);
		if (reason >= 0)
			return drop(flow->port, reason);
		data = (void *)(long)ctx->data;
		data_end = (void *)(long)ctx->data_end;
	}
	if (CROSSPOINT_UNLIKELY((flags & CROSSPOINT_FLOW_VERIFY_CHECKSUM) || packet.is_ipv6)) {
		if (!crosspoint_checksum_holds(ctx, &packet, flags & CROSSPOINT_FLOW_VERIFY_CHECKSUM))
			return drop(flow->port, CROSSPOINT_DROP_BAD_CHECKSUM);
		data = (void *)(long)ctx->data;
		data_end = (void *)(long)ctx->data_end;
	}

	cpu = bpf_get_smp_processor_id();
	index = flow->index;
	count = crosspoint_flow_count(cpu, index);
	lane = crosspoint_lane(cpu);
	record = bpf_map_lookup_elem(&rtp, &index);
	if (!count || !lane || !record)
		return XDP_DROP;
	port = &lane->ports[flow->port & (CROSSPOINT_MAX_PORTS - 1)];
	if (CROSSPOINT_UNLIKELY((flags & CROSSPOINT_FLOW_REPORT_FIRST) && !count->packets))
		crosspoint_report(ctx, slot, CROSSPOINT_EVENT_FIRST_PACKET);

	what.frame = packet.l3_offset;
	/* An IPv4 address is the upper half of its low word. */
	what.frame |= packet.is_ipv6 ? CROSSPOINT_FRAME_IPV6
				     : (__u32)crosspoint_without_ipv4(packet.source_low >> 32, packet.destination_low >> 32)
					       << CROSSPOINT_FRAME_WITHOUT;
	target = *(volatile __u64 *)&flow->target;
	if (flags & (CROSSPOINT_FLOW_RTP | CROSSPOINT_FLOW_RTCP)) {
		struct crosspoint_rtp_header *header = data + payload_offset;
		enum crosspoint_payload_kind kind = CROSSPOINT_PAYLOAD_INVALID;

		/* RTCP has a header of 8 bytes at least; a BYE without a source has 4, and is of no use to anybody. */
		if (CROSSPOINT_LIKELY((void *)(header + 1) <= data_end))
			kind = crosspoint_payload_kind(header, payload_length);
		else if ((void *)header + 8 <= data_end && payload_length >= 8 &&
			 crosspoint_payload_kind(header, payload_length) == CROSSPOINT_PAYLOAD_RTCP)
			kind = CROSSPOINT_PAYLOAD_RTCP;
		if (CROSSPOINT_UNLIKELY(kind != CROSSPOINT_PAYLOAD_RTP || !(flags & CROSSPOINT_FLOW_RTP))) {
			struct crosspoint_flow_detail *detail = bpf_map_lookup_elem(&flow_details, &slot);

			/* Index, MKI and tag of SRTCP follow the packet: their length is not a multiple of 4. */
			if (kind == CROSSPOINT_PAYLOAD_INVALID && detail && (detail->rules & CROSSPOINT_RULE_ENCRYPTED) &&
			    (void *)(header + 1) <= data_end)
				kind = crosspoint_payload_kind(header, payload_length & ~3u);
			reason = not_rtp(flow, kind);
			if (reason >= 0 || !detail)
				return drop(flow->port, reason);
			target = *(volatile __u64 *)&detail->rtcp_target;
			what.frame |= CROSSPOINT_FRAME_RTCP;
		} else {
			if (CROSSPOINT_UNLIKELY(header->first & 0x30)) {
				if (!rtp_lengths_fit(ctx, payload_offset, payload_length, header->first, slot))
					return drop(flow->port, not_rtp(flow, CROSSPOINT_PAYLOAD_INVALID));
				data = (void *)(long)ctx->data;
				data_end = (void *)(long)ctx->data_end;
				header = data + payload_offset;
				if ((void *)(header + 1) > data_end)
					return XDP_DROP;
			}
			what.frame |= CROSSPOINT_FRAME_RTP;
			if (flags & CROSSPOINT_FLOW_ACCOUNT)
				account_rtp(&packet, flow, slot, record, header, &what);
		}
	}

	copies = target >> 48;
	/*
	 * If RTP is accounted it has set the time, which RTCP beside it must not touch: jitter is the time between two
	 * RTP packets. For other flows it is read at the same interval.
	 */
	if (!(flags & CROSSPOINT_FLOW_ACCOUNT) && !(count->packets & flow->clock_mask))
		record->last_arrival = bpf_ktime_get_ns();
	count->packets++;
	count->bytes += length;
	if (CROSSPOINT_UNLIKELY(flags & CROSSPOINT_FLOW_TO_HOST)) {
		crosspoint_count_reason(flow->port, CROSSPOINT_PASS_TO_HOST, 1);
		return XDP_PASS;
	}
	if (CROSSPOINT_UNLIKELY(!copies))
		return drop(flow->port, CROSSPOINT_DROP_NO_LEG);
	if (CROSSPOINT_UNLIKELY(flags & CROSSPOINT_FLOW_AFXDP)) {
		/* A copy, so that the compiler keeps the other one in registers. */
		struct crosspoint_metadata told = what;

		if (!crosspoint_give_to_worker(ctx, flow, slot, port, &told)) {
			if (flags & CROSSPOINT_FLOW_AFXDP_ONLY)
				return drop(flow->port, CROSSPOINT_DROP_NO_WORKER);
		} else {
			count_forwarded(port, length, copies);
			return XDP_REDIRECT;
		}
	}
	count_forwarded(port, length, copies);

	what.group = (__u32)target;
	if ((__u16)(target >> 32) == CROSSPOINT_SHAPE_DIRECT)
		return forward_direct(ctx, lane, port, cpu, (__u32)target, &what, length);
	return forward_group(ctx, lane, port, flow->port, (__u16)(target >> 32), &what);
}
