/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/*
 * Sends a packet on in the other address family: the IP header is taken off and another one put on.
 *
 * The fields that both headers have are kept: traffic class, TTL or hop limit (each by the leg's rules), payload
 * length. An IPv4 header made here forbids fragmentation and has identification 0 (RFC 6864 section 4.1). The UDP
 * checksum is updated by differences like any other; where an IPv4 sender left it out, IPv6 needs one (RFC 8200 section
 * 8.1), and it is computed over the whole datagram.
 */
#pragma once

#include "checksum.h"
#include "maps.h"
#include "rewrite.h"

/* By how much a frame grows, bytes. */
static __always_inline int
crosspoint_family_growth(__u32 frame)
{
	int growth = sizeof(struct ipv6hdr) - sizeof(struct iphdr);

	return frame & CROSSPOINT_FRAME_IPV6 ? -growth : growth;
}

/* IPv4 without a UDP checksum has become IPv6 without one. */
#define CROSSPOINT_FAMILY_LACKS_CHECKSUM 2

/* Gives a UDP datagram over IPv6 the checksum that it lacks. Returns 0 when the frame is too short. */
static __noinline int
crosspoint_add_checksum(struct xdp_md *ctx, const struct crosspoint_leg *leg)
{
	__u32 offset = crosspoint_leg_l3_offset(leg) + sizeof(struct ipv6hdr), length;
	struct udphdr *udp = (void *)(long)ctx->data + offset;
	int sum;

	if ((void *)(udp + 1) > (void *)(long)ctx->data_end)
		return 0;
	length = HOST16(udp->len);
	sum = crosspoint_sum_of(ctx, offset, length,
				(__u64)leg->address_sum + NETWORK16(IPPROTO_UDP) + NETWORK16(length));
	udp = (void *)(long)ctx->data + offset;
	if (sum < 0 || (void *)(udp + 1) > (void *)(long)ctx->data_end)
		return 0;
	udp->check = sum == 0xffff ? 0xffff : (__u16)~sum;
	return 1;
}

/*
 * Gives the frame the headers of the leg, whose family is the other one. Returns 0 when the frame can't leave so, 1 when it
 * can, or CROSSPOINT_FAMILY_LACKS_CHECKSUM; packet pointers are invalid afterwards. Not static, so that the verifier walks
 * it once and not on each way to it.
 */
__noinline int
crosspoint_change_family(struct xdp_md *ctx, __u32 index, __u32 frame)
{
	void *l3 = (void *)(long)ctx->data + (frame & CROSSPOINT_FRAME_L3_OFFSET), *data;
	void *data_end = (void *)(long)ctx->data_end;
	int was_ipv6 = !!(frame & CROSSPOINT_FRAME_IPV6), is_rtp = !!(frame & CROSSPOINT_FRAME_RTP);
	struct crosspoint_leg *leg = bpf_map_lookup_elem(&legs, &index);
	struct crosspoint_leg_detail *detail = bpf_map_lookup_elem(&leg_details, &index);
	__u8 traffic_class, ttl;
	struct udphdr *udp;
	__u64 addresses;
	__u32 offset;
	__u16 length;

	if (!leg || !detail)
		return 0;
	offset = crosspoint_leg_l3_offset(leg);
	addresses = leg->address_sum;
	if (was_ipv6) {
		struct ipv6hdr *ip = l3;

		if ((void *)(ip + 1) > data_end)
			return 0;
		traffic_class = (__u8)(HOST16(*(__u16 *)l3) >> 4);
		ttl = ip->hop_limit;
		length = HOST16(ip->payload_len);
		addresses += crosspoint_without(ip->saddr.s6_addr32) + crosspoint_without(ip->daddr.s6_addr32);
	} else {
		struct iphdr *ip = l3;

		if ((void *)(ip + 1) > data_end)
			return 0;
		traffic_class = ip->tos;
		ttl = ip->ttl;
		length = HOST16(ip->tot_len) - sizeof(*ip);
		addresses += (__u64)(__u32)~ip->saddr + (__u32)~ip->daddr;
	}
	traffic_class = (traffic_class & leg->dscp_keep) | leg->dscp_set;
	ttl = crosspoint_leg_ttl(leg, ttl);

	if (bpf_xdp_adjust_head(ctx, (int)(frame & CROSSPOINT_FRAME_L3_OFFSET) - (int)offset - crosspoint_family_growth(frame)))
		return 0;
	data = (void *)(long)ctx->data;
	data_end = (void *)(long)ctx->data_end;
	l3 = data + offset;
	/* As in crosspoint_rewrite(). */
	if (data + sizeof(struct ethhdr) + 12 > data_end)
		return 0;
	crosspoint_rewrite_ethernet(data, leg, was_ipv6 ? NETWORK16(ETH_P_IP) : NETWORK16(ETH_P_IPV6));
	if (was_ipv6) {
		struct iphdr *ip = l3;
		__u32 *words = l3;

		udp = (void *)(ip + 1);
		if ((void *)(udp + 1) > data_end)
			return 0;
		words[0] = 0x45 | (__u32)traffic_class << 8 | (__u32)NETWORK16((__u16)(length + sizeof(*ip))) << 16;
		words[1] = (__u32)NETWORK16(0x4000) << 16;
		words[2] = ttl | IPPROTO_UDP << 8;
		words[3] = leg->source_ipv4;
		words[4] = leg->destination_ipv4;
		ip->check = ~crosspoint_fold((__u64)words[0] + words[1] + words[2] + words[3] + words[4]);
		return !crosspoint_rewrite_udp(udp, data_end, leg, 0, is_rtp, addresses);
	} else {
		struct ipv6hdr *ip = l3;

		udp = (void *)(ip + 1);
		if ((void *)(udp + 1) > data_end)
			return 0;
		*(__u32 *)l3 = NETWORK32(0x60000000 | (__u32)traffic_class << 20);
		ip->payload_len = NETWORK16(length);
		ip->nexthdr = IPPROTO_UDP;
		ip->hop_limit = ttl;
		crosspoint_copy_address(ip->saddr.s6_addr32, detail->source_ipv6);
		crosspoint_copy_address(ip->daddr.s6_addr32, detail->destination_ipv6);
		if (crosspoint_rewrite_udp(udp, data_end, leg, 0, is_rtp, addresses))
			return 0;
		return udp->check ? 1 : CROSSPOINT_FAMILY_LACKS_CHECKSUM;
	}
}
