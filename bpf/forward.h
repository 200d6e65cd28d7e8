/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/*
 * From a packet with its flow to its copies: one leg is rewritten here and leaves by its port, several leave by a broadcast and are
 * rewritten by egress.
 *
 * Packet pointers are invalid after rewrite_frame(), forward_direct() and forward_group().
 */
#pragma once

#include "counters.h"
#include "family.h"
#include "metadata.h"
#include "note.h"
#include "rewrite.h"

static __always_inline int
drop(__u32 port, __u32 reason)
{
	crosspoint_count_reason(port, reason, 1);
	return XDP_DROP;
}

/* The reason for which a leg's copy is held back, or -1; the daemon clears the gate of a leg that has begun. */
static __always_inline int
copy_hindrance(const struct crosspoint_leg *leg, __u32 index, __u32 sequence, __u32 frame)
{
	__u32 flags = *(volatile const __u32 *)&leg->flags;
	struct crosspoint_leg_detail *detail;

	if (CROSSPOINT_LIKELY(!(flags & (CROSSPOINT_LEG_SHUT | CROSSPOINT_LEG_GATED | CROSSPOINT_LEG_PROTECT))))
		return -1;
	if (flags & CROSSPOINT_LEG_SHUT)
		return CROSSPOINT_COPY_GATED;
	/* A copy that may leave encrypted only has no business here: no worker took the packet, and plain legs have theirs. */
	if (flags & CROSSPOINT_LEG_PROTECT)
		return CROSSPOINT_COPY_NO_WORKER;
	if (!(frame & CROSSPOINT_FRAME_SEQUENCE))
		return -1;
	/* 24 bits are what egress knows: 32 s of the fastest video flow, and a gate holds for a second. */
	if ((__s32)((sequence - leg->gate_sequence) << 8) >= 0)
		return -1;
	detail = bpf_map_lookup_elem(&leg_details, &index);
	return detail && bpf_ktime_get_ns() < detail->gate_deadline ? CROSSPOINT_COPY_GATED : -1;
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

static __always_inline void
count_forwarded(struct crosspoint_port_count *ingress, __u64 bytes, __u32 copies)
{
	ingress->forwarded_packets++;
	ingress->forwarded_bytes += bytes;
	ingress->requested_copies += copies;
}

/* Sends a frame that has its leg's headers by the leg's port, and counts it. */
static __always_inline int
send_direct(struct crosspoint_lane *lane, struct crosspoint_port_count *ingress, __u32 cpu, const struct crosspoint_leg *leg,
	    __u32 port, __u32 bytes)
{
	long verdict;

	count_copy(cpu, leg->counter, bytes);
	lane->ports[port].transmitted_copies++;
	/* The kernel reports a refused redirect right after this program, on this CPU: on_redirect_error(). */
	ingress->direct_leg = leg->counter;
	ingress->direct_port = port;
	ingress->direct_bytes = bytes;
	verdict = bpf_redirect_map(&tx_ports, port, XDP_DROP);
	/* The devmap loses its entry with the interface, and then the kernel has nothing to tell. */
	if (CROSSPOINT_UNLIKELY(verdict != XDP_REDIRECT))
		refuse_direct(lane, ingress, cpu, CROSSPOINT_COPY_INTERFACE_DOWN);
	return verdict;
}

/* One leg: rewritten here, sent by its port. */
static __always_inline int
forward_direct(struct xdp_md *ctx, struct crosspoint_lane *lane, struct crosspoint_port_count *ingress, __u32 cpu,
	       __u32 leg_index, const struct crosspoint_metadata *what, __u32 length)
{
	struct crosspoint_leg *leg = bpf_map_lookup_elem(&legs, &leg_index);
	__u32 bytes, port;
	int hindrance;

	if (!leg)
		return XDP_DROP;
	port = leg->port & (CROSSPOINT_MAX_PORTS - 1);
	hindrance = copy_hindrance(leg, leg_index, what->sequence, what->frame);
	if (hindrance >= 0)
		return drop(port, hindrance);
	bytes = length - (what->frame & CROSSPOINT_FRAME_L3_OFFSET) + crosspoint_leg_l3_offset(leg);
	if (CROSSPOINT_UNLIKELY(leg->flags & CROSSPOINT_LEG_CHANGE_FAMILY))
		bytes += crosspoint_family_growth(what->frame);
	/* Metadata that came with the frame is nobody's behind here. */
	if (!crosspoint_metadata_clear(ctx) || !rewrite_frame(ctx, leg, leg_index, what->frame))
		return drop(port, CROSSPOINT_COPY_REWRITE_FAILED);
	return send_direct(lane, ingress, cpu, leg, port, bytes);
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
