/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/*
 * The short way through ingress: what nearly all media is. An untagged IPv4 packet in one buffer, RTP without extension,
 * padding or contributing sources where the flow is RTP, and a leg that changes nothing but headers of this kind.
 *
 * Decides before it counts or writes anything, so that whatever it does not take goes the long way as if it had never been
 * here. What it takes leaves as the long way would send it, and is counted alike: ShortWayTests compares them.
 *
 * Offsets are constants here and little is kept over calls: that is all that makes it shorter.
 */
#pragma once

#include "account.h"
#include "counters.h"
#include "flow_table.h"
#include "forward.h"
#include "metadata.h"
#include "note.h"
#include "parse.h"
#include "soundness.h"

/* Not a verdict of XDP: the packet goes the long way. */
#define CROSSPOINT_LONG_WAY -1

/* A single leg with any of these takes the long way. */
#define CROSSPOINT_LEG_LONG_WAY (CROSSPOINT_LEG_SPECIAL & ~CROSSPOINT_LEG_RTP)

/* The positions of the headers of such a packet. */
struct crosspoint_plain_headers {
	void *ethernet;
	struct iphdr *ip;
	struct udphdr *udp;
	struct crosspoint_rtp_header *rtp;
};

static __always_inline struct crosspoint_plain_headers
headers_at(void *data)
{
	struct iphdr *ip = data + sizeof(struct ethhdr);
	struct udphdr *udp = (void *)(ip + 1);

	return (struct crosspoint_plain_headers){ .ethernet = data, .ip = ip, .udp = udp, .rtp = (void *)(udp + 1) };
}

/* True if the headers are plain, and the packet as long as they say: no byte is missing, none is padding of the frame. */
static __always_inline int
headers_are_plain(struct crosspoint_plain_headers headers, __u64 length)
{
	const struct iphdr *ip = headers.ip;
	__u16 ip_length = HOST16(ip->tot_len);

	/* The protocol as a word of its own: struct ethhdr is packed, and would be read by bytes. */
	return *(__be16 *)(headers.ethernet + 2 * ETH_ALEN) == NETWORK16(ETH_P_IP) && *(__u8 *)ip == 0x45 &&
	       ip->protocol == IPPROTO_UDP && !(ip->frag_off & NETWORK16(0x3fff)) && ip->ttl > 1 &&
	       ip_length == length - sizeof(struct ethhdr) && HOST16(headers.udp->len) == ip_length - sizeof(*ip);
}

/* True if it is an RTP packet of a fixed header and payload. */
static __always_inline int
rtp_is_plain(const struct crosspoint_rtp_header *rtp)
{
	return rtp->first == 0x80 && crosspoint_payload_kind(rtp, sizeof(*rtp)) == CROSSPOINT_PAYLOAD_RTP;
}

/* One leg: all headers in one go, sent by its port. */
static __always_inline int
forward_plain(struct crosspoint_plain_headers headers, struct crosspoint_lane *lane, struct crosspoint_port_count *ingress,
	      __u32 cpu, const struct crosspoint_leg *leg, __u32 leg_flags, int is_rtp, __u32 length)
{
	__u32 without = crosspoint_without_ipv4(headers.ip->saddr, headers.ip->daddr);
	__u32 port = leg->port & (CROSSPOINT_MAX_PORTS - 1);
	struct crosspoint_sums sums = crosspoint_sums_without(headers.ip, headers.udp, without);

	headers.ip->ttl--;
	if (CROSSPOINT_UNLIKELY(leg_flags & CROSSPOINT_LEG_RTP) && is_rtp) {
		__u16 sum = crosspoint_fold(crosspoint_rewrite_rtp(headers.rtp, leg) + sums.udp);

		if (sums.udp)
			sums.udp = sum ? sum : 0xffff;
	}
	crosspoint_rewrite_copy(headers.ethernet, leg, leg_flags, sums);
	return send_direct(lane, ingress, cpu, leg, port, length);
}

/* Returns a verdict, or CROSSPOINT_LONG_WAY. */
static __always_inline int
ingress_short_way(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *data_end = (void *)(long)ctx->data_end;
	struct crosspoint_plain_headers headers = headers_at(data);
	__u64 length = data_end - data, target, is_unsound;
	struct crosspoint_metadata what = {};
	struct crosspoint_packet packet = {};
	struct crosspoint_leg *leg = NULL;
	struct crosspoint_flow_count *count;
	struct crosspoint_port_count *port;
	struct crosspoint_flow *flow;
	struct crosspoint_lane *lane;
	__u32 cpu, slot, index, leg_flags = 0;

	/* Or it is put together from halves of pointers, which the verifier does not take. */
	CROSSPOINT_HIDE(length);
	if (CROSSPOINT_UNLIKELY((void *)(headers.rtp + 1) > data_end || crosspoint_metadata_size(ctx) ||
				!headers_are_plain(headers, length)))
		return CROSSPOINT_LONG_WAY;
	packet.destination_low = crosspoint_mapped(headers.ip->daddr);
	packet.source_low = crosspoint_mapped(headers.ip->saddr);
	packet.destination_port = headers.udp->dest;
	packet.source_port = headers.udp->source;
	flow = crosspoint_find(&packet, crosspoint_place(ctx->ingress_ifindex, 0),
			       crosspoint_selector(&packet, CROSSPOINT_SLOT_DESTINATION), &slot);
	if (CROSSPOINT_UNLIKELY(!flow || flow->flags & CROSSPOINT_FLOW_SPECIAL))
		return CROSSPOINT_LONG_WAY;
	is_unsound = crosspoint_is_unsound(data, headers.ip, flow);
	/* Or the compiler makes a branch of each part. */
	CROSSPOINT_HIDE(is_unsound);
	if (CROSSPOINT_UNLIKELY(is_unsound || crosspoint_is_own(data, flow) || !crosspoint_admits(&packet, flow, slot)))
		return CROSSPOINT_LONG_WAY;
	if ((flow->flags & CROSSPOINT_FLOW_RTP) && CROSSPOINT_UNLIKELY(!rtp_is_plain(headers.rtp)))
		return CROSSPOINT_LONG_WAY;
	target = *(volatile __u64 *)&flow->target;
	if (CROSSPOINT_UNLIKELY((__u16)(target >> 32) == CROSSPOINT_SHAPE_NONE))
		return CROSSPOINT_LONG_WAY;
	if (CROSSPOINT_LIKELY((__u16)(target >> 32) == CROSSPOINT_SHAPE_DIRECT)) {
		index = target;
		leg = bpf_map_lookup_elem(&legs, &index);
		if (!leg)
			return CROSSPOINT_LONG_WAY;
		leg_flags = *(volatile const __u32 *)&leg->flags;
		if (CROSSPOINT_UNLIKELY(leg_flags & CROSSPOINT_LEG_LONG_WAY))
			return CROSSPOINT_LONG_WAY;
	}

	cpu = bpf_get_smp_processor_id();
	index = flow->index;
	count = crosspoint_flow_count(cpu, index);
	lane = crosspoint_lane(cpu);
	if (!count || !lane)
		return XDP_DROP;
	if (CROSSPOINT_UNLIKELY((flow->flags & CROSSPOINT_FLOW_REPORT_FIRST) && !count->packets))
		return CROSSPOINT_LONG_WAY;
	what.frame = sizeof(struct ethhdr);
	if (flow->flags & CROSSPOINT_FLOW_RTP)
		what.frame |= CROSSPOINT_FRAME_RTP;
	if (flow->flags & CROSSPOINT_FLOW_ACCOUNT) {
		struct crosspoint_rtp *record = bpf_map_lookup_elem(&rtp, &index);

		if (!record)
			return XDP_DROP;
		account_rtp(&packet, flow, slot, record, headers.rtp, &what);
	} else if (CROSSPOINT_UNLIKELY(!(count->packets & flow->clock_mask))) {
		struct crosspoint_rtp *record = bpf_map_lookup_elem(&rtp, &index);

		if (record)
			record->last_arrival = bpf_ktime_get_ns();
	}
	port = &lane->ports[flow->port & (CROSSPOINT_MAX_PORTS - 1)];
	count->packets++;
	count->bytes += length;
	count_forwarded(port, length, target >> 48);
	if (CROSSPOINT_LIKELY(leg))
		return forward_plain(headers, lane, port, cpu, leg, leg_flags, flow->flags & CROSSPOINT_FLOW_RTP, length);
	what.group = (__u32)target;
	what.frame |= (__u32)crosspoint_without_ipv4(headers.ip->saddr, headers.ip->daddr) << CROSSPOINT_FRAME_WITHOUT;
	return forward_group(ctx, lane, port, flow->port, (__u16)(target >> 32), &what);
}
