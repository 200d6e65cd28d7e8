// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0
/*
 * The fast path: control flow only. Ingress finds a packet's flow, accounts it and sends it to its legs; egress
 * writes each copy's headers; two tracepoints count what the kernel and the drivers refuse afterwards.
 *
 * A flow of the AF_XDP engine goes to the worker of its port and queue while that one lives (afxdp.h), and else like any other.
 *
 * A flow with one leg is rewritten by ingress and leaves by the devmap `tx_ports`. A flow with more is broadcast by
 * the devmap of its shape, and egress rewrites each copy. The kernel does not tell egress which copy it has
 * (dev_map_enqueue_multi clones, bq_xmit_all runs the program), so ingress numbers the broadcasts, and egress counts
 * the copies of one number per CPU and per interface: the kernel leaves out every leg of an interface that is down
 * or too narrow, which would shift any other count and give a copy another leg's header.
 *
 * Where a group leaves, tx_ports' entry carries the egress program too: the kernel takes the program of a whole bulk
 * from its first frame (bq_enqueue), so frames with and without one must never meet at an interface. The daemon sees to
 * that before it first uses a group there.
 */
#include <linux/bpf.h>
#include <linux/errno.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "afxdp.h"
#include "checksum.h"
#include "counters.h"
#include "events.h"
#include "family.h"
#include "flow_table.h"
#include "kernel_records.h"
#include "metadata.h"
#include "note.h"
#include "parse.h"
#include "reparse.h"
#include "rewrite.h"
#include "rtp_stats.h"

static __always_inline int
hand_to_host(struct xdp_md *ctx, __u32 reason)
{
	crosspoint_count_reason(crosspoint_port(ctx->ingress_ifindex), reason, 1);
	return XDP_PASS;
}

static __always_inline int
drop(__u32 port, __u32 reason)
{
	crosspoint_count_reason(port, reason, 1);
	return XDP_DROP;
}

static __noinline int
not_a_flow(struct xdp_md *ctx)
{
	struct crosspoint_packet packet;
	int reason;

	if (!crosspoint_parse_again(ctx, &packet))
		return XDP_DROP;
	reason = crosspoint_guarded(&packet, crosspoint_place(ctx->ingress_ifindex, packet.vlans));
	crosspoint_count_reason(crosspoint_port(ctx->ingress_ifindex), reason, 1);
	return reason == CROSSPOINT_PASS_NOT_OURS ? XDP_PASS : XDP_DROP;
}

/* What becomes of a packet whose destination is a flow's, but whose source is not. */
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
	__u16 flags = flow->flags;

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
	if ((flags & CROSSPOINT_FLOW_FILTER_SOURCE) && !crosspoint_is_from(packet, *slot))
		return NULL;
	if ((flags & CROSSPOINT_FLOW_FILTER_SOURCE_PORT) && flow->source_port != packet->source_port)
		return NULL;
	return flow;
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

/* Whether the flow's payload is encrypted. */
static __always_inline int
is_encrypted(__u32 slot)
{
	struct crosspoint_flow_detail *detail = bpf_map_lookup_elem(&flow_details, &slot);

	return detail && detail->rules & CROSSPOINT_RULE_ENCRYPTED;
}

/* Whether what the X and P bits promise is there (RFC 3550 sections 5.1, 5.3.1). The length of padding is part of the payload. */
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

/* Whether a leg's copy is held back; the daemon clears the gate of a leg that has begun. */
static __always_inline int
gate_is_closed(const struct crosspoint_leg *leg, __u32 index, __u32 sequence, __u32 frame)
{
	__u32 flags = *(volatile const __u32 *)&leg->flags;
	struct crosspoint_leg_detail *detail;

	if (CROSSPOINT_LIKELY(!(flags & (CROSSPOINT_LEG_SHUT | CROSSPOINT_LEG_GATED | CROSSPOINT_LEG_PROTECT))))
		return 0;
	/* What may leave encrypted only has no business here; its flow does not come here, either. */
	if (flags & (CROSSPOINT_LEG_SHUT | CROSSPOINT_LEG_PROTECT))
		return 1;
	if (!(frame & CROSSPOINT_FRAME_SEQUENCE))
		return 0;
	/* 24 bits are what egress knows: 32 s of the fastest video flow, and a gate holds for a second. */
	if ((__s32)((sequence - leg->gate_sequence) << 8) >= 0)
		return 0;
	detail = bpf_map_lookup_elem(&leg_details, &index);
	return detail && bpf_ktime_get_ns() < detail->gate_deadline;
}

static __always_inline void
count_copy(__u32 cpu, __u32 counter, __u64 bytes)
{
	struct crosspoint_leg_count *count = crosspoint_leg_count(cpu, counter);

	if (count) {
		count->packets++;
		count->bytes += bytes;
	}
}

/* Gives the frame the leg's Ethernet header size and headers. Returns 0 when the frame can't leave so. */
static __always_inline int
rewrite_frame(struct xdp_md *ctx, const struct crosspoint_leg *leg, __u32 index, __u32 frame)
{
	__u32 l3_offset = frame & CROSSPOINT_FRAME_L3_OFFSET;
	int is_rtp = frame & CROSSPOINT_FRAME_RTP;
	__u32 wanted = crosspoint_leg_l3_offset(leg);
	struct crosspoint_leg_detail *detail;

	if (CROSSPOINT_UNLIKELY(leg->flags & CROSSPOINT_LEG_CHANGE_FAMILY)) {
		int changed;

		if (l3_offset > CROSSPOINT_MAX_L3_OFFSET)
			return 0;
		changed = crosspoint_change_family(ctx, index, frame);
		return changed == CROSSPOINT_FAMILY_LACKS_CHECKSUM ? crosspoint_add_checksum(ctx, leg) : changed;
	}
	if (CROSSPOINT_UNLIKELY(l3_offset != wanted) &&
	    (l3_offset > CROSSPOINT_MAX_L3_OFFSET || bpf_xdp_adjust_head(ctx, (int)l3_offset - (int)wanted)))
		return 0;
	if (CROSSPOINT_LIKELY(!(frame & CROSSPOINT_FRAME_IPV6)))
		return !crosspoint_rewrite((void *)(long)ctx->data, (void *)(long)ctx->data_end, leg, NULL, 0, is_rtp,
					   frame >> CROSSPOINT_FRAME_WITHOUT);
	detail = bpf_map_lookup_elem(&leg_details, &index);
	return detail &&
	       !crosspoint_rewrite((void *)(long)ctx->data, (void *)(long)ctx->data_end, leg, detail, 1, is_rtp, 0);
}

/* Counts that the copy which forward_direct() sent last did not leave. */
static __noinline void
refuse_direct(struct crosspoint_lane *lane, const struct crosspoint_port_count *ingress, __u32 cpu, __u32 reason)
{
	__u32 index = cpu * sizes.leg_counters + ingress->direct_leg;
	struct crosspoint_leg_count *count = bpf_map_lookup_elem(&leg_refusals, &index);

	crosspoint_count_reason(ingress->direct_port, reason, 1);
	if (count) {
		count->packets++;
		count->bytes += ingress->direct_bytes;
	}
	lane->ports[ingress->direct_port & (CROSSPOINT_MAX_PORTS - 1)].refused_copies++;
}

/* One leg: rewritten here, sent by its port. */
static __always_inline int
forward_direct(struct xdp_md *ctx, struct crosspoint_lane *lane, struct crosspoint_port_count *ingress, __u32 cpu,
	       __u32 leg_index, const struct crosspoint_metadata *what, __u32 length)
{
	struct crosspoint_leg *leg = bpf_map_lookup_elem(&legs, &leg_index);
	__u32 bytes, port;
	long verdict;

	if (!leg)
		return XDP_DROP;
	port = leg->port & (CROSSPOINT_MAX_PORTS - 1);
	if (gate_is_closed(leg, leg_index, what->sequence, what->frame)) {
		crosspoint_count_reason(port, CROSSPOINT_COPY_GATED, 1);
		return XDP_DROP;
	}
	bytes = length - (what->frame & CROSSPOINT_FRAME_L3_OFFSET) + crosspoint_leg_l3_offset(leg);
	if (CROSSPOINT_UNLIKELY(leg->flags & CROSSPOINT_LEG_CHANGE_FAMILY))
		bytes += crosspoint_family_growth(what->frame);
	/* What came with the frame is nobody's behind here. */
	if (!crosspoint_metadata_clear(ctx) || !rewrite_frame(ctx, leg, leg_index, what->frame))
		return drop(port, CROSSPOINT_COPY_REWRITE_FAILED);
	count_copy(cpu, leg->counter, bytes);
	lane->ports[port].transmitted_copies++;
	/* The kernel tells of a refused redirect right after this program, on this CPU: on_redirect_error(). */
	ingress->direct_leg = leg->counter;
	ingress->direct_port = port;
	ingress->direct_bytes = bytes;
	verdict = bpf_redirect_map(&tx_ports, port, XDP_DROP);
	/* The devmap loses its entry with the interface, and then the kernel has nothing to tell. */
	if (CROSSPOINT_UNLIKELY(verdict != XDP_REDIRECT))
		refuse_direct(lane, ingress, cpu, CROSSPOINT_COPY_INTERFACE_DOWN);
	return verdict;
}

/* Several legs: the kernel copies, egress rewrites. */
static __always_inline int
forward_group(struct xdp_md *ctx, struct crosspoint_lane *lane, struct crosspoint_port_count *ingress,
	      __u32 ingress_port, __u32 shape, struct crosspoint_metadata *what)
{
	void *devmap = bpf_map_lookup_elem(&shapes, &shape);

	if (!devmap)
		return drop(ingress_port, CROSSPOINT_COPY_NO_LEG);
	what->packet = ++lane->packet;
	ingress->direct_leg = CROSSPOINT_NOT_DIRECT_GROUP;
	ingress->direct_port = ingress_port;
	if (!crosspoint_metadata_clear(ctx) ||
	    !crosspoint_note_write((void *)(long)ctx->data, (void *)(long)ctx->data_end, what))
		return drop(ingress_port, CROSSPOINT_COPY_REWRITE_FAILED);
	return bpf_redirect_map(devmap, 0, BPF_F_BROADCAST);
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

/* RTCP, and what is no RTP where RTP must be. Returns the reason to drop it, or -1 for RTCP. */
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

SEC("xdp.frags")
int ingress(struct xdp_md *ctx)
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
	__u16 flags;
	int reason;

	reason = crosspoint_parse(data, data_end, &packet);
	if (CROSSPOINT_UNLIKELY(reason >= 0))
		return hand_to_host(ctx, reason);
	place = crosspoint_place(ctx->ingress_ifindex, packet.vlans);
	flow = crosspoint_find(&packet, place, crosspoint_selector(&packet, CROSSPOINT_SLOT_DESTINATION), &slot);
	if (CROSSPOINT_UNLIKELY(!flow))
		return not_a_flow(ctx);
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
	/* What we sent has come back (RFC 3550 section 8.2). The source address lies behind the destination's 6 bytes. */
	if (CROSSPOINT_UNLIKELY(*(__u32 *)(data + ETH_ALEN) == *(__u32 *)flow->ingress_mac &&
				*(__u16 *)(data + ETH_ALEN + 4) == *(__u16 *)&flow->ingress_mac[4]))
		return drop(flow->port, CROSSPOINT_DROP_OWN_PACKET);
	if (CROSSPOINT_UNLIKELY(packet.ttl <= 1)) {
		crosspoint_count_reason(flow->port, CROSSPOINT_PASS_TTL_EXPIRED, 1);
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

			/* Index, MKI and tag of SRTCP follow the packet: their length is no multiple of 4. */
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
	 * Where RTP is accounted it has told the time, which RTCP beside it must not touch: jitter is the time between two
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
		if (!crosspoint_give_to_worker(ctx, flow, slot, port, &what)) {
			if (flags & CROSSPOINT_FLOW_AFXDP_ONLY)
				return drop(flow->port, CROSSPOINT_DROP_NO_WORKER);
		} else {
			port->forwarded_packets++;
			port->forwarded_bytes += length;
			port->requested_copies += copies;
			return XDP_REDIRECT;
		}
	}
	port->forwarded_packets++;
	port->forwarded_bytes += length;
	port->requested_copies += copies;

	what.group = (__u32)target;
	if ((__u16)(target >> 32) == CROSSPOINT_SHAPE_DIRECT)
		return forward_direct(ctx, lane, port, cpu, (__u32)target, &what, length);
	return forward_group(ctx, lane, port, flow->port, (__u16)(target >> 32), &what);
}

/* A copy that egress itself drops: the tracepoint of its bulk tells of it as of one that the driver refused. */
static __noinline int
drop_copy(struct crosspoint_port_count *state, __u32 port, __u32 reason)
{
	state->dropped_copies++;
	return drop(port, reason);
}

/* What became of a copy. */
enum copy_outcome {
	COPY_SENT,
	COPY_GATED,
	COPY_FAILED,
};

/* Everything that the short way does not do: gates, tags, IPv6, RTP headers, another address family. */
static __noinline enum copy_outcome
rewrite_special(struct xdp_md *ctx, __u32 index, __u64 note)
{
	struct crosspoint_leg *leg = bpf_map_lookup_elem(&legs, &index);
	__u32 frame = (__u16)(note >> 32), sequence = (__u32)(note >> 56) << 16;
	__u32 offset = frame & CROSSPOINT_FRAME_L3_OFFSET;

	if (!leg)
		return COPY_FAILED;
	if (frame & CROSSPOINT_FRAME_SEQUENCE) {
		__u32 ip_length = frame & CROSSPOINT_FRAME_IPV6 ? sizeof(struct ipv6hdr) : sizeof(struct iphdr);
		struct crosspoint_rtp_header rtp;

		if (bpf_xdp_load_bytes(ctx, offset + ip_length + sizeof(struct udphdr), &rtp, sizeof(rtp)))
			return COPY_FAILED;
		sequence |= HOST16(rtp.sequence);
	}
	if (gate_is_closed(leg, index, sequence, frame))
		return COPY_GATED;
	if (!crosspoint_note_undo((void *)(long)ctx->data, (void *)(long)ctx->data_end, frame))
		return COPY_FAILED;
	if (!(frame & CROSSPOINT_FRAME_IPV6)) {
		struct iphdr *ip = (void *)(long)ctx->data + offset;

		if (offset > CROSSPOINT_MAX_L3_OFFSET || (void *)(ip + 1) > (void *)(long)ctx->data_end)
			return COPY_FAILED;
		frame |= (__u32)crosspoint_without_ipv4(ip->saddr, ip->daddr) << CROSSPOINT_FRAME_WITHOUT;
	}
	return rewrite_frame(ctx, leg, index, frame) ? COPY_SENT : COPY_FAILED;
}

/* The body of egress, apart so that a test can run it as a plain XDP program. */
static __always_inline int
egress_copy(struct xdp_md *ctx, __u32 interface_index)
{
	void *data = (void *)(long)ctx->data, *data_end = (void *)(long)ctx->data_end;
	struct crosspoint_port_count *state;
	struct crosspoint_lane *lane;
	struct crosspoint_leg *leg;
	__u32 cpu, port, index, section, flags, length;
	__u64 note;

	/* Direct forwards have their headers from ingress. What ingress notes anything in has headers of this size. */
	if (data + sizeof(struct ethhdr) + sizeof(struct iphdr) + sizeof(struct udphdr) > data_end)
		return XDP_PASS;
	note = *(__u64 *)data;
	if ((__u8)(note >> 48) != CROSSPOINT_NOTE_MARK)
		return XDP_PASS;
	cpu = bpf_get_smp_processor_id();
	lane = crosspoint_lane(cpu);
	if (!lane)
		return XDP_DROP;
	/* Nearly always the port that the interface's index suggests. */
	port = interface_index & (CROSSPOINT_MAX_PORTS - 1);
	if (CROSSPOINT_UNLIKELY(lane->interfaces[port] != interface_index)) {
		port = crosspoint_port(interface_index);
		if (port >= CROSSPOINT_MAX_PORTS)
			return drop(port, CROSSPOINT_COPY_NO_LEG);
	}
	state = &lane->ports[port];

	section = state->legs;
	if (state->last_packet != (__u32)note) {
		__u32 group_index = *(__u32 *)(data + 8);
		struct crosspoint_group *group = bpf_map_lookup_elem(&groups, &group_index);

		state->last_packet = (__u32)note;
		section = group ? group->sections[port] : 0;
	}
	if (!CROSSPOINT_SECTION_COUNT(section))
		return drop_copy(state, port, CROSSPOINT_COPY_NO_LEG);
	index = CROSSPOINT_SECTION_FIRST(section);
	/* One leg further, one leg fewer. */
	state->legs = section + 1 - (1u << CROSSPOINT_SECTION_BITS);
	leg = bpf_map_lookup_elem(&legs, &index);
	/* A leg of another port here would be a copy with another destination's header: the one thing never to send. */
	if (!leg || leg->port != port)
		return drop_copy(state, port, CROSSPOINT_COPY_NO_LEG);
	flags = *(volatile const __u32 *)&leg->flags;
	if (CROSSPOINT_LIKELY(((__u32)(note >> 32) & (CROSSPOINT_FRAME_L3_OFFSET | CROSSPOINT_FRAME_IPV6)) ==
				      sizeof(struct ethhdr) &&
			      !(flags & CROSSPOINT_LEG_SPECIAL))) {
		crosspoint_rewrite_copy(data, leg, flags);
		length = data_end - data;
	} else {
		enum copy_outcome outcome = rewrite_special(ctx, index, note);

		if (outcome == COPY_GATED)
			return drop_copy(state, port, CROSSPOINT_COPY_GATED);
		if (outcome != COPY_SENT)
			return drop_copy(state, port, CROSSPOINT_COPY_REWRITE_FAILED);
		length = (void *)(long)ctx->data_end - (void *)(long)ctx->data;
	}
	/* Groups are never fragmented frames: the kernel refuses to clone those (dev_map_enqueue_multi). */
	count_copy(cpu, leg->counter, length);
	state->transmitted_copies++;
	return XDP_PASS;
}

SEC("xdp.frags/devmap")
int egress(struct xdp_md *ctx)
{
	return egress_copy(ctx, ctx->egress_ifindex);
}

/* What tests run in place of egress(), since the kernel does not test-run devmap programs; the interface is ingress'. */
SEC("xdp.frags")
int egress_under_test(struct xdp_md *ctx)
{
	return egress_copy(ctx, ctx->ingress_ifindex);
}

static __always_inline struct crosspoint_node *
this_node(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&node, &zero);
}

/* bq_xmit_all(): what the egress program let through and the driver did not take. */
SEC("tp_btf/xdp_devmap_xmit")
int on_devmap_transmit(__u64 *arguments)
{
	struct net_device *to = (void *)arguments[1];
	int drops = (int)arguments[3];
	struct crosspoint_node *self;
	struct crosspoint_lane *lane;
	__u32 port;

	if (CROSSPOINT_LIKELY(drops <= 0))
		return 0;
	self = this_node();
	lane = crosspoint_lane(bpf_get_smp_processor_id());
	if (!self || !lane || to->nd_net.net->net_cookie != self->network_namespace)
		return 0;
	port = crosspoint_port(to->ifindex);
	if (port < CROSSPOINT_MAX_PORTS)
		lane->ports[port].refused_copies += drops;
	return 0;
}

/* xdp_do_redirect(): what never reached an egress program. A group is told of once, however many copies are missing. */
SEC("tp_btf/xdp_redirect_err")
int on_redirect_error(__u64 *arguments)
{
	struct net_device *from = (void *)arguments[0];
	struct bpf_prog *program = (void *)arguments[1];
	int error = (int)arguments[3];
	__u32 cpu = bpf_get_smp_processor_id(), reason = CROSSPOINT_COPY_REFUSED, port;
	struct crosspoint_node *self = this_node();
	struct crosspoint_lane *lane = crosspoint_lane(cpu);
	struct crosspoint_port_count *ingress;

	if (!self || !lane || program->aux->id != self->ingress_program)
		return 0;
	port = crosspoint_port(from->ifindex);
	if (port >= CROSSPOINT_MAX_PORTS)
		return 0;
	if (error == -ENETDOWN)
		reason = CROSSPOINT_COPY_INTERFACE_DOWN;
	else if (error == -EMSGSIZE)
		reason = CROSSPOINT_COPY_TOO_LONG;
	else if (error == -EOPNOTSUPP)
		reason = CROSSPOINT_COPY_NOT_SUPPORTED;
	else if (error == -ENOMEM)
		reason = CROSSPOINT_COPY_NO_MEMORY;
	ingress = &lane->ports[port];
	/* A group: its copies are counted where they would have left. */
	if (ingress->direct_leg == CROSSPOINT_NOT_DIRECT_GROUP)
		crosspoint_count_reason(ingress->direct_port, reason, 1);
	else if (ingress->direct_leg == CROSSPOINT_NOT_DIRECT_WORKER)
		crosspoint_count_reason(ingress->direct_port, CROSSPOINT_COPY_WORKER_BUSY, 1);
	else
		refuse_direct(lane, ingress, cpu, reason);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
