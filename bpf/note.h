/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/*
 * The note that ingress leaves in a frame before it is broadcast, and the other values that all copies have in common.
 *
 * An IPv4 frame is given to the kernel half rewritten, so that egress has less to do for each copy: the TTL is one less,
 * and where the checksums were there are sums (not complemented) that lack the addresses and include the new TTL. A UDP sum
 * of 0 still denotes a datagram without a checksum. Pure, like rewrite.h.
 */
#pragma once

#include "parse.h"
#include "rewrite.h"

/* Folds a sum of a few 16-bit words. */
static __always_inline __u16
crosspoint_fold_short(__u32 sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	return (__u16)(sum + (sum >> 16));
}

/* The sums in place of the checksums on the way to a copy's headers. */
struct crosspoint_sums {
	__u16 ip;
	__u16 udp; /* 0: without a checksum */
};

/* The sums of a packet whose TTL will be one less; `without` is crosspoint_without_ipv4() of its addresses. */
static __always_inline struct crosspoint_sums
crosspoint_sums_without(const struct iphdr *ip, const struct udphdr *udp, __u32 without)
{
	struct crosspoint_sums sums = {
		/* The TTL is the lower byte of its word; 0xffff is 0 to a checksum. */
		.ip = crosspoint_fold_short((__u16)~ip->check + without + 0xffff - 1),
	};

	if (udp->check) {
		__u16 sum = crosspoint_fold_short((__u16)~udp->check + without);

		sums.udp = sum ? sum : 0xffff;
	}
	return sums;
}

/* Returns 0 when the frame is shorter than its headers. */
static __always_inline int
crosspoint_note_write(void *data, void *data_end, const struct crosspoint_metadata *what)
{
	__u32 offset = what->frame & CROSSPOINT_FRAME_L3_OFFSET;
	struct crosspoint_sums sums;
	struct iphdr *ip;
	struct udphdr *udp;

	if (offset > CROSSPOINT_MAX_L3_OFFSET)
		return 0;
	ip = data + offset;
	udp = (void *)(ip + 1);
	if ((void *)(udp + 1) > data_end)
		return 0;
	*(__u64 *)data = what->packet | (__u64)(__u16)what->frame << 32 | (__u64)CROSSPOINT_NOTE_MARK << 48 |
			 (__u64)(what->sequence >> 16) << 56;
	*(__u32 *)(data + 8) = what->group;
	if (what->frame & CROSSPOINT_FRAME_IPV6)
		return 1;
	sums = crosspoint_sums_without(ip, udp, what->frame >> CROSSPOINT_FRAME_WITHOUT);
	ip->ttl--;
	ip->check = sums.ip;
	udp->check = sums.udp;
	return 1;
}

/* Makes the IP and UDP headers what they were before crosspoint_note_write(). Returns 0 when the frame is too short. */
static __always_inline int
crosspoint_note_undo(void *data, void *data_end, __u32 frame)
{
	__u32 offset = frame & CROSSPOINT_FRAME_L3_OFFSET, addresses;
	struct iphdr *ip;
	struct udphdr *udp;

	if (frame & CROSSPOINT_FRAME_IPV6)
		return 1;
	if (offset > CROSSPOINT_MAX_L3_OFFSET)
		return 0;
	ip = data + offset;
	udp = (void *)(ip + 1);
	if ((void *)(udp + 1) > data_end)
		return 0;
	addresses = crosspoint_fold((__u64)ip->saddr + ip->daddr);
	ip->ttl++;
	ip->check = ~crosspoint_fold_short(ip->check + addresses + 1);
	if (udp->check) {
		__u16 check = ~crosspoint_fold_short(udp->check + addresses);

		udp->check = check ? check : 0xffff;
	}
	return 1;
}

/*
 * Gives a copy the headers of its leg, the short way: untagged IPv4, its TTL already one less, and a leg with none of
 * CROSSPOINT_LEG_SPECIAL but what the caller has done itself. Ethernet, IP and UDP header have been checked to be there.
 */
static __always_inline void
crosspoint_rewrite_copy(void *data, const struct crosspoint_leg *leg, __u32 flags, struct crosspoint_sums sums)
{
	struct iphdr *ip = data + sizeof(struct ethhdr);
	struct udphdr *udp = (void *)(ip + 1);
	__u32 *udp_ports = (__u32 *)udp;
	__u32 sum = sums.ip + leg->address_sum, before, after;
	__u64 change = leg->address_sum;

	*(__u64 *)data = ((const __u64 *)leg)[1];
	*(__u32 *)(data + 8) = ((const __u32 *)leg)[4];
	if (CROSSPOINT_UNLIKELY(flags & CROSSPOINT_LEG_REMARK)) {
		/* As in crosspoint_rewrite_ipv4(), but for the TTL of before. */
		before = ip->tos;
		after = (before & leg->dscp_keep) | leg->dscp_set;
		ip->tos = after;
		sum += 2 * 0xffff + ((after - before) << 8);
		before = ip->ttl;
		after = crosspoint_leg_ttl(leg, (__u8)(before + 1));
		ip->ttl = after;
		sum += after - before;
	}
	if (CROSSPOINT_UNLIKELY(flags & CROSSPOINT_LEG_KEEP_SOURCE)) {
		__u32 source = ip->saddr;

		source = (source & 0xffff) + (source >> 16);
		sum += source;
		change += source;
		ip->daddr = leg->destination_ipv4;
	} else {
		/* Both addresses in one store. */
		*(__u64 *)&ip->saddr = *(const __u64 *)&leg->source_ipv4;
	}
	ip->check = ~crosspoint_fold_short(sum);
	before = *udp_ports;
	after = *(const __u32 *)&leg->source_port;
	if (flags & CROSSPOINT_LEG_KEEP_SOURCE_PORT)
		after |= before & 0xffff;
	*udp_ports = after;
	if (sums.udp) {
		__u16 check = ~crosspoint_fold(change + crosspoint_change(before, after) + sums.udp);

		/* 0 would mean a datagram without a checksum (RFC 768). */
		udp->check = check ? check : 0xffff;
	}
}
