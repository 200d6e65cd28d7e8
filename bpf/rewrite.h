/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/*
 * Writes a leg's headers over a frame's.
 *
 * Pure: works on a frame whose Ethernet header and tags already have the leg's size, so that the same lines run in
 * the kernel and in native tests. Checksums are updated by differences (RFC 1624), never computed again: a packet that
 * arrived damaged leaves damaged, and its receiver notices.
 *
 * Words are put together in registers and stored once: reading back a word of which a byte was just stored waits for
 * the store to leave the core (no store forwarding), which was a third of the egress program's time. Single bytes are
 * stored only where nothing reads their word again: checksums are updated from registers.
 */
#pragma once

#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/udp.h>

#include "byte_order.h"
#include "compiler.h"
#include "fastpath_abi.h"
#include "rtp_header.h"

/* Folds a sum of 16- and 32-bit words into ones' complement 16 bits. */
static __always_inline __u16
crosspoint_fold(__u64 sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (__u16)sum;
}

/* The difference that replaces `before` by `after` in a ones' complement sum. */
static __always_inline __u64
crosspoint_change(__u32 before, __u32 after)
{
	return (__u64)(__u32)~before + after;
}

/* The difference to a checksum that results from taking an IPv4 packet's addresses out of it: the same for all its copies. */
static __always_inline __u16
crosspoint_without_ipv4(__u32 source, __u32 destination)
{
	return crosspoint_fold((__u64)(__u32)~source + (__u32)~destination);
}

/* The position at which the IP header begins in a frame of this leg, bytes. */
static __always_inline __u32
crosspoint_leg_l3_offset(const struct crosspoint_leg *leg)
{
	return leg->l3_offset;
}

static __always_inline void
crosspoint_rewrite_ethernet(void *data, const struct crosspoint_leg *leg, __be16 protocol)
{
	__u8 tags = leg->tag_count;

	/* Both addresses, 12 bytes, in two stores. */
	*(__u64 *)data = ((const __u64 *)leg)[1];
	*(__u32 *)(data + 8) = ((const __u32 *)leg)[4];
	if (CROSSPOINT_UNLIKELY(tags)) {
		*(__u32 *)(data + 12) = leg->tags[0];
		if (tags > 1) {
			*(__u32 *)(data + 16) = leg->tags[1];
			*(__be16 *)(data + 20) = protocol;
		} else {
			*(__be16 *)(data + 16) = protocol;
		}
	} else {
		*(__be16 *)(data + 12) = protocol;
	}
}

/* Returns what the RTP header's changes add to the UDP checksum. */
static __always_inline __u64
crosspoint_rewrite_rtp(struct crosspoint_rtp_header *rtp, const struct crosspoint_leg *leg)
{
	__u32 *words = (__u32 *)rtp;
	__u32 before = words[0];
	/* From the lowest byte: first, second (marker and payload type), sequence number. */
	__u32 after = (before & 0xffff) |
		      (__u32)NETWORK16((__u16)(HOST16((__u16)(before >> 16)) + leg->sequence_offset)) << 16;
	__u64 change;

	if (leg->flags & CROSSPOINT_LEG_SET_PAYLOAD_TYPE)
		after = (after & 0xffff80ff) | (__u32)leg->payload_type << 8;
	words[0] = after;
	change = crosspoint_change(before, after);
	before = words[1];
	after = NETWORK32(HOST32(before) + leg->timestamp_offset);
	words[1] = after;
	change += crosspoint_change(before, after);
	if (leg->flags & CROSSPOINT_LEG_SET_SSRC) {
		change += crosspoint_change(words[2], leg->ssrc);
		words[2] = leg->ssrc;
	}
	return change;
}

/* Rewrites UDP ports and, with `is_rtp`, the RTP header; `change` is what the addresses add to the checksum. */
static __always_inline int
crosspoint_rewrite_udp(struct udphdr *udp, void *data_end, const struct crosspoint_leg *leg, int is_ipv6, int is_rtp,
		       __u64 change)
{
	__u32 *ports = (__u32 *)udp;
	__u32 before = *ports;
	/* Both as they lie beside each other: the source UDP port, 0 where it is kept, in the lower half. */
	__u32 after = *(const __u32 *)&leg->source_port;

	if (leg->flags & CROSSPOINT_LEG_KEEP_SOURCE_PORT)
		after |= before & 0xffff;
	*ports = after;
	if (CROSSPOINT_UNLIKELY(leg->flags & CROSSPOINT_LEG_RTP) && is_rtp) {
		struct crosspoint_rtp_header *rtp = (void *)(udp + 1);

		if ((void *)(rtp + 1) > data_end)
			return -1;
		change += crosspoint_rewrite_rtp(rtp, leg);
	}
	if (udp->check || is_ipv6) {
		__u16 check = ~crosspoint_fold(change + crosspoint_change(before, after) + (__u16)~udp->check);

		/* 0 would mean a datagram without a checksum (RFC 768). */
		udp->check = check ? check : 0xffff;
	}
	return 0;
}

static __always_inline __u8
crosspoint_leg_ttl(const struct crosspoint_leg *leg, __u8 ttl)
{
	return (ttl & leg->ttl_keep) + leg->ttl_add;
}

static __always_inline int
crosspoint_rewrite_ipv4(void *l3, void *data_end, const struct crosspoint_leg *leg, int is_rtp, __u32 addresses)
{
	struct iphdr *ip = l3;
	struct udphdr *udp = (void *)(ip + 1);
	__u32 before, after, sum;

	if ((void *)(udp + 1) > data_end)
		return -1;
	addresses += leg->address_sum;
	/* Words are taken out by subtraction: 0xffff for each keeps the sum positive, and is 0 to a checksum. */
	sum = addresses + 3 * 0xffff - ip->check;
	/* In words as they lie in memory the traffic class is the upper half, the TTL the lower. */
	before = ip->tos;
	after = (before & leg->dscp_keep) | leg->dscp_set;
	ip->tos = after;
	sum += (after - before) << 8;
	before = ip->ttl;
	after = crosspoint_leg_ttl(leg, before);
	ip->ttl = after;
	sum += after - before;

	ip->daddr = leg->destination_ipv4;
	if (leg->flags & CROSSPOINT_LEG_KEEP_SOURCE) {
		__u32 source = ip->saddr;

		source = (source & 0xffff) + (source >> 16);
		sum += source;
		addresses += source;
	} else {
		ip->saddr = leg->source_ipv4;
	}
	sum = (sum & 0xffff) + (sum >> 16);
	ip->check = ~(sum + (sum >> 16));
	return crosspoint_rewrite_udp(udp, data_end, leg, 0, is_rtp, addresses);
}

/* The difference to a checksum that results from taking an address out of it. */
static __always_inline __u64
crosspoint_without(const __u32 *address)
{
	return (__u64)(__u32)~address[0] + (__u32)~address[1] + (__u32)~address[2] + (__u32)~address[3];
}

static __always_inline void
crosspoint_copy_address(__u32 *to, const __u32 *from)
{
	to[0] = from[0];
	to[1] = from[1];
	to[2] = from[2];
	to[3] = from[3];
}

static __always_inline int
crosspoint_rewrite_ipv6(void *l3, void *data_end, const struct crosspoint_leg *leg,
			const struct crosspoint_leg_detail *detail, int is_rtp)
{
	struct ipv6hdr *ip = l3;
	struct udphdr *udp = (void *)(ip + 1);
	__u16 first;
	__u8 traffic_class;
	__u64 addresses;

	if ((void *)(udp + 1) > data_end)
		return -1;
	/* In host order: version, 8 bits of traffic class, the first 4 of the flow label. */
	first = HOST16(*(__u16 *)l3);
	traffic_class = ((first >> 4) & leg->dscp_keep) | leg->dscp_set;
	*(__u16 *)l3 = NETWORK16((__u16)((first & 0xf00f) | traffic_class << 4));
	ip->hop_limit = crosspoint_leg_ttl(leg, ip->hop_limit);

	addresses = crosspoint_without(ip->daddr.s6_addr32) + leg->address_sum;
	crosspoint_copy_address(ip->daddr.s6_addr32, detail->destination_ipv6);
	if (!(leg->flags & CROSSPOINT_LEG_KEEP_SOURCE)) {
		addresses += crosspoint_without(ip->saddr.s6_addr32);
		crosspoint_copy_address(ip->saddr.s6_addr32, detail->source_ipv6);
	}
	return crosspoint_rewrite_udp(udp, data_end, leg, 1, is_rtp, addresses);
}

/*
 * Rewrites everything from the Ethernet header to the RTP header. The IP header must lie at the leg's own offset.
 * `detail` is used for IPv6 only, `without` (crosspoint_without_ipv4) for IPv4 only. Returns 0, or -1 when the frame is
 * shorter than its headers.
 */
static __always_inline int
crosspoint_rewrite(void *data, void *data_end, const struct crosspoint_leg *leg,
		   const struct crosspoint_leg_detail *detail, int is_ipv6, int is_rtp, __u16 without)
{
	__u32 offset = crosspoint_leg_l3_offset(leg);

	/* The verifier wants a constant: two tags, and no IP header is shorter than what they may leave unused. */
	if (data + sizeof(struct ethhdr) + 12 > data_end)
		return -1;
	crosspoint_rewrite_ethernet(data, leg, is_ipv6 ? NETWORK16(ETH_P_IPV6) : NETWORK16(ETH_P_IP));
	return is_ipv6 ? crosspoint_rewrite_ipv6(data + offset, data_end, leg, detail, is_rtp)
		       : crosspoint_rewrite_ipv4(data + offset, data_end, leg, is_rtp, without);
}
