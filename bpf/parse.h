/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/*
 * Finds the IP and UDP headers of a frame.
 *
 * Reads nothing beyond data_end, changes nothing. What it returns are offsets and copied fields, since packet
 * pointers do not survive a resize; header_at() turns an offset into a checked pointer again. Multi-byte fields are
 * in network byte order unless the comment says otherwise. Pure, so that it also runs in native tests.
 */
#pragma once

#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/udp.h>

#include "byte_order.h"
#include "compiler.h"
#include "drop_reasons.h"
#include "fastpath_abi.h"

/* Beyond this an IP header can't begin: Ethernet and two tags. */
#define CROSSPOINT_MAX_L3_OFFSET 22

/* The findings of parsing. */
struct crosspoint_packet {
	__u64 destination_high; /* the address as two words as they lie in memory; IPv4 as ::ffff:a.b.c.d */
	__u64 destination_low;
	__u64 source_high;
	__u64 source_low;
	__u32 vlans;     /* as in struct crosspoint_flow */
	__u32 l3_offset; /* bytes */
	__u32 l3_length; /* IP header to payload, bytes, host order */
	__u16 source_port;
	__u16 destination_port;
	__u16 udp_length; /* host order */
	__u8 is_ipv6;
	__u8 ttl;
};

struct crosspoint_tag {
	__be16 tci;
	__be16 protocol;
};

static __always_inline int
crosspoint_is_tag(__be16 protocol)
{
	return protocol == NETWORK16(ETH_P_8021Q) || protocol == NETWORK16(ETH_P_8021AD);
}

/*
 * The bit of `vlans` that no flow has, for the protocol of the tag next to the packet: 802.1ad there is another network than 802.1Q of
 * the same number. Of two tags the outer one may be either.
 */
static __always_inline __u32
crosspoint_service_tag(const void *protocol)
{
	/* Read again, or the verifier knows which of the two it is, and walks all that follows for each. They differ in one bit. */
	return (__u32)(HOST16(*(const volatile __be16 *)protocol) & 0x0800) << 20;
}

/* ::ffff:0:0/96 before an IPv4 address, as the lower word of an address lies in memory. */
static __always_inline __u64
crosspoint_mapped(__be32 address)
{
	return (__u64)address << 32 | 0xffff0000ULL;
}

static __always_inline int
crosspoint_parse_ipv4(void *l3, void *data_end, struct crosspoint_packet *packet)
{
	struct iphdr *ip = l3;
	struct udphdr *udp = (void *)(ip + 1);

	if ((void *)(ip + 1) > data_end)
		return CROSSPOINT_PASS_MALFORMED;
	if (ip->protocol != IPPROTO_UDP)
		return CROSSPOINT_PASS_NOT_UDP;
	/* Version and header length in one comparison. */
	if (CROSSPOINT_UNLIKELY(*(__u8 *)ip != 0x45))
		return *(__u8 *)ip >> 4 == 4 ? CROSSPOINT_PASS_IP_OPTIONS : CROSSPOINT_PASS_MALFORMED;
	if (CROSSPOINT_UNLIKELY(ip->frag_off & NETWORK16(0x3fff)))
		return CROSSPOINT_PASS_FRAGMENT;
	if ((void *)(udp + 1) > data_end)
		return CROSSPOINT_PASS_MALFORMED;
	packet->is_ipv6 = 0;
	packet->ttl = ip->ttl;
	packet->l3_length = HOST16(ip->tot_len);
	packet->destination_high = 0;
	packet->destination_low = crosspoint_mapped(ip->daddr);
	packet->source_high = 0;
	packet->source_low = crosspoint_mapped(ip->saddr);
	packet->source_port = udp->source;
	packet->destination_port = udp->dest;
	packet->udp_length = HOST16(udp->len);
	if (packet->l3_length < sizeof(*ip) + sizeof(*udp))
		return CROSSPOINT_PASS_MALFORMED;
	return -1;
}

static __always_inline int
crosspoint_parse_ipv6(void *l3, void *data_end, struct crosspoint_packet *packet)
{
	struct ipv6hdr *ip = l3;
	struct udphdr *udp = (void *)(ip + 1);

	if ((void *)(ip + 1) > data_end)
		return CROSSPOINT_PASS_MALFORMED;
	if (*(__u8 *)ip >> 4 != 6)
		return CROSSPOINT_PASS_MALFORMED;
	if (ip->nexthdr != IPPROTO_UDP) {
		switch (ip->nexthdr) {
		case IPPROTO_FRAGMENT:
			return CROSSPOINT_PASS_FRAGMENT;
		case IPPROTO_HOPOPTS:
		case IPPROTO_ROUTING:
		case IPPROTO_DSTOPTS:
			return CROSSPOINT_PASS_IP_OPTIONS;
		default:
			return CROSSPOINT_PASS_NOT_UDP;
		}
	}
	if ((void *)(udp + 1) > data_end)
		return CROSSPOINT_PASS_MALFORMED;
	packet->is_ipv6 = 1;
	packet->ttl = ip->hop_limit;
	packet->l3_length = HOST16(ip->payload_len) + sizeof(*ip);
	packet->destination_high = (__u64)ip->daddr.s6_addr32[1] << 32 | ip->daddr.s6_addr32[0];
	packet->destination_low = (__u64)ip->daddr.s6_addr32[3] << 32 | ip->daddr.s6_addr32[2];
	packet->source_high = (__u64)ip->saddr.s6_addr32[1] << 32 | ip->saddr.s6_addr32[0];
	packet->source_low = (__u64)ip->saddr.s6_addr32[3] << 32 | ip->saddr.s6_addr32[2];
	packet->source_port = udp->source;
	packet->destination_port = udp->dest;
	packet->udp_length = HOST16(udp->len);
	if (packet->l3_length < sizeof(*ip) + sizeof(*udp))
		return CROSSPOINT_PASS_MALFORMED;
	return -1;
}

/* Parses a frame. Returns -1 when it is UDP over IP, unfragmented and without options; else the reason why not. */
static __always_inline int
crosspoint_parse(void *data, void *data_end, struct crosspoint_packet *packet)
{
	struct ethhdr *ethernet = data;
	void *l3 = ethernet + 1;
	__be16 protocol;

	packet->vlans = 0;
	packet->l3_offset = sizeof(*ethernet);
	if (l3 > data_end)
		return CROSSPOINT_PASS_MALFORMED;
	protocol = ethernet->h_proto;
	if (CROSSPOINT_UNLIKELY(crosspoint_is_tag(protocol))) {
		struct crosspoint_tag *tag = l3;

		l3 = tag + 1;
		packet->l3_offset += sizeof(*tag);
		if (l3 > data_end)
			return CROSSPOINT_PASS_MALFORMED;
		protocol = tag->protocol;
		packet->vlans = (HOST16(tag->tci) & 0xfff) << 16 | crosspoint_service_tag((void *)ethernet + 2 * ETH_ALEN);
		if (crosspoint_is_tag(protocol)) {
			tag = l3;
			l3 = tag + 1;
			packet->l3_offset += sizeof(*tag);
			if (l3 > data_end)
				return CROSSPOINT_PASS_MALFORMED;
			packet->vlans = (packet->vlans & 0xfff0000) | (HOST16(tag->tci) & 0xfff) |
					crosspoint_service_tag((void *)tag - sizeof(__be16));
			protocol = tag->protocol;
			if (crosspoint_is_tag(protocol))
				return CROSSPOINT_PASS_TOO_MANY_VLANS;
		}
	}
	if (CROSSPOINT_LIKELY(protocol == NETWORK16(ETH_P_IP)))
		return crosspoint_parse_ipv4(l3, data_end, packet);
	if (protocol == NETWORK16(ETH_P_IPV6))
		return crosspoint_parse_ipv6(l3, data_end, packet);
	return CROSSPOINT_PASS_NOT_IP;
}

/* The UDP payload's offset from the frame's start, bytes. */
static __always_inline __u32
crosspoint_payload_offset(const struct crosspoint_packet *packet)
{
	return packet->l3_offset + sizeof(struct udphdr) +
	       (packet->is_ipv6 ? sizeof(struct ipv6hdr) : sizeof(struct iphdr));
}

/* The address folded into 32 bits, to notice that it changed. */
static __always_inline __u32
crosspoint_fold_source(const struct crosspoint_packet *packet)
{
	__u64 both;

	if (!packet->is_ipv6)
		return (__u32)(packet->source_low >> 32);
	both = packet->source_high * 0x9e3779b97f4a7c15ULL ^ packet->source_low;

	return (__u32)(both ^ both >> 32);
}
