/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/*
 * Packets that no router sends on, though their destination is a flow's (RFC 1812 sections 4.2.2.11, 5.2.2, 5.3.4 and
 * 5.3.7; RFC 6890): frames that were for somebody else, sources that nobody has, headers that were damaged.
 *
 * Asked once the flow is found. The short way asks without branches, each of which the verifier would walk all that follows
 * for once more, and hands what is not sound to the long way, where a function of its own names what is wrong.
 */
#pragma once

#include "flow_table.h"
#include "parse.h"
#include "reparse.h"
#include "rewrite.h"

/* 0 for 0, 1 for any other, without a branch. */
static __always_inline __u64
crosspoint_is_not_zero(__u64 value)
{
	return (value | -value) >> 63;
}

/* A hardware address as 48 bits that lie in memory as it does. */
static __always_inline __u64
crosspoint_mac(const void *address)
{
	return *(const __u32 *)address | (__u64)*(const __u16 *)(address + 4) << 32;
}

static __always_inline __u64
crosspoint_ingress_mac(const struct crosspoint_flow *flow)
{
	return *(const __u16 *)flow->ingress_mac | (__u64)*(const __u32 *)&flow->ingress_mac[2] << 16;
}

/* The hardware address of an IPv4 group (RFC 1112 section 6.4); of any other address one that no frame has. */
static __always_inline __u64
crosspoint_group_mac_ipv4(__be32 address)
{
	return 0x5e0001 | (__u64)(address >> 8 & 0xffff7f) << 24 | crosspoint_is_not_zero((address & 0xf0) ^ 0xe0) << 48;
}

/* The same of IPv6 (RFC 2464 section 7), from an address' two words as they lie in memory. */
static __always_inline __u64
crosspoint_group_mac_ipv6(__u64 high, __u64 low)
{
	return 0x3333 | (low >> 32) << 16 | crosspoint_is_not_zero((high & 0xff) ^ 0xff) << 48;
}

/*
 * True if a frame was not for us: neither for its destination's group nor for the port itself, by whose own address a group may
 * come, too (RFC 6085). Where the port has other addresses besides, only those of groups are somebody else's.
 */
static __always_inline __u64
crosspoint_is_wrong_mac(__u64 mac, __u64 group_mac, const struct crosspoint_flow *flow)
{
	__u64 is_looked_at = ((flow->flags & CROSSPOINT_FLOW_OWN_MAC) / CROSSPOINT_FLOW_OWN_MAC) | (mac & 1);

	return crosspoint_is_not_zero(mac ^ group_mac) & crosspoint_is_not_zero(mac ^ crosspoint_ingress_mac(flow)) & is_looked_at;
}

/* True if nobody has the address to send from: 0/8, 127/8, 224/3. */
static __always_inline __u64
crosspoint_is_martian_ipv4(__be32 address)
{
	__u64 first = address & 0xff;

	/* 0 and what begins at 224 are at the upper end together. */
	return (222 - (__u64)((first - 1) & 0xff)) >> 63 | (crosspoint_is_not_zero(first ^ 127) ^ 1);
}

/* The sum of an IPv4 header without options: 0xffff for a right one. */
static __always_inline __u16
crosspoint_header_sum(const struct iphdr *ip)
{
	const __u32 *words = (const void *)ip;

	return crosspoint_fold((__u64)words[0] + words[1] + words[2] + words[3] + words[4]);
}

/* True if an IPv4 packet without options is not sound. `ethernet` and `ip` have been checked to be there. */
static __always_inline __u64
crosspoint_is_unsound(const void *ethernet, const struct iphdr *ip, const struct crosspoint_flow *flow)
{
	return crosspoint_is_not_zero(crosspoint_header_sum(ip) ^ 0xffff) | crosspoint_is_martian_ipv4(ip->saddr) |
	       crosspoint_is_wrong_mac(crosspoint_mac(ethernet), crosspoint_group_mac_ipv4(ip->daddr), flow);
}

/* ::ffff:0:0/96 in an IPv6 header, which would pass for the address of an IPv4 packet. */
static __always_inline int
crosspoint_is_mapped(__u64 high, __u64 low)
{
	return !high && (__u32)low == 0xffff0000U;
}

/*
 * The fault of a packet of a flow: the reason to drop it, or -1. Not static, so that the verifier walks it once and
 * not with all that comes before it.
 */
__noinline int
crosspoint_fault(struct xdp_md *ctx, __u32 slot)
{
	const struct crosspoint_flow *flow = bpf_map_lookup_elem(&flows, &slot);
	struct crosspoint_packet packet;
	__u64 group_mac;
	void *data;

	if (!flow || !crosspoint_parse_again(ctx, &packet))
		return -1;
	data = (void *)(long)ctx->data;
	if (data + sizeof(struct ethhdr) > (void *)(long)ctx->data_end || packet.l3_offset > CROSSPOINT_MAX_L3_OFFSET)
		return -1;
	if (packet.is_ipv6) {
		if (crosspoint_is_mapped(packet.destination_high, packet.destination_low) ||
		    crosspoint_is_mapped(packet.source_high, packet.source_low))
			return CROSSPOINT_DROP_MAPPED_ADDRESS;
		/* ::, ::1 and groups. The last bit of an address is the first of its last byte. */
		if ((packet.source_high & 0xff) == 0xff ||
		    (!packet.source_high && !(packet.source_low & ~(1ULL << 56))))
			return CROSSPOINT_DROP_MARTIAN_SOURCE;
		group_mac = crosspoint_group_mac_ipv6(packet.destination_high, packet.destination_low);
	} else {
		const struct iphdr *ip = data + packet.l3_offset;

		if ((void *)(ip + 1) > (void *)(long)ctx->data_end)
			return -1;
		if (crosspoint_header_sum(ip) != 0xffff)
			return CROSSPOINT_DROP_BAD_HEADER_CHECKSUM;
		if (crosspoint_is_martian_ipv4(ip->saddr))
			return CROSSPOINT_DROP_MARTIAN_SOURCE;
		group_mac = crosspoint_group_mac_ipv4(ip->daddr);
	}
	return crosspoint_is_wrong_mac(crosspoint_mac(data), group_mac, flow) ? CROSSPOINT_DROP_WRONG_MAC : -1;
}
