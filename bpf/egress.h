/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/*
 * Gives each copy of a broadcast the headers of its leg.
 *
 * The kernel does not tell egress which copy it has (dev_map_enqueue_multi clones, bq_xmit_all runs the program), so ingress
 * numbers the broadcasts, and egress counts the copies of one number per CPU and per interface: the kernel leaves out every leg of
 * an interface that is down or too narrow, which would shift any other count and give a copy another leg's header.
 */
#pragma once

#include "counters.h"
#include "forward.h"
#include "note.h"
#include "rewrite.h"
#include "rtp_header.h"

/* A copy that egress itself drops: the tracepoint of its bulk reports it like one that the driver refused. */
static __noinline int
drop_copy(struct crosspoint_port_count *state, __u32 port, __u32 reason)
{
	state->dropped_copies++;
	return drop(port, reason);
}

/* Everything that the short way does not do: gates, tags, IPv6, RTP headers, another address family. Returns the reason for which the
 * copy is not sent, or -1. */
static __noinline int
rewrite_special(struct xdp_md *ctx, __u32 index, __u64 note)
{
	struct crosspoint_leg *leg = bpf_map_lookup_elem(&legs, &index);
	__u32 frame = (__u16)(note >> 32), sequence = (__u32)(note >> 56) << 16;
	__u32 offset = frame & CROSSPOINT_FRAME_L3_OFFSET;
	int hindrance;

	if (!leg)
		return CROSSPOINT_COPY_REWRITE_FAILED;
	if (frame & CROSSPOINT_FRAME_SEQUENCE) {
		__u32 ip_length = frame & CROSSPOINT_FRAME_IPV6 ? sizeof(struct ipv6hdr) : sizeof(struct iphdr);
		struct crosspoint_rtp_header rtp;

		if (bpf_xdp_load_bytes(ctx, offset + ip_length + sizeof(struct udphdr), &rtp, sizeof(rtp)))
			return CROSSPOINT_COPY_REWRITE_FAILED;
		sequence |= HOST16(rtp.sequence);
	}
	hindrance = copy_hindrance(leg, index, sequence, frame);
	if (hindrance >= 0)
		return hindrance;
	if (!crosspoint_note_undo((void *)(long)ctx->data, (void *)(long)ctx->data_end, frame))
		return CROSSPOINT_COPY_REWRITE_FAILED;
	if (!(frame & CROSSPOINT_FRAME_IPV6)) {
		struct iphdr *ip = (void *)(long)ctx->data + offset;

		if (offset > CROSSPOINT_MAX_L3_OFFSET || (void *)(ip + 1) > (void *)(long)ctx->data_end)
			return CROSSPOINT_COPY_REWRITE_FAILED;
		frame |= (__u32)crosspoint_without_ipv4(ip->saddr, ip->daddr) << CROSSPOINT_FRAME_WITHOUT;
	}
	return rewrite_frame(ctx, leg, index, frame) ? -1 : CROSSPOINT_COPY_REWRITE_FAILED;
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
		struct iphdr *ip = data + sizeof(struct ethhdr);
		struct udphdr *udp = (void *)(ip + 1);
		struct crosspoint_sums sums = { .ip = ip->check, .udp = udp->check };

		crosspoint_rewrite_copy(data, leg, flags, sums);
		length = data_end - data;
	} else {
		int hindrance = rewrite_special(ctx, index, note);

		if (hindrance >= 0)
			return drop_copy(state, port, hindrance);
		length = (void *)(long)ctx->data_end - (void *)(long)ctx->data;
	}
	/* Groups are never fragmented frames: the kernel refuses to clone those (dev_map_enqueue_multi). */
	count_copy(cpu, leg->counter, length);
	state->transmitted_copies++;
	return XDP_PASS;
}
