/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/*
 * Packets for the destinations of flows that no flow takes: the explanation of a flow that has no signal.
 *
 * The daemon enters each flow's destination twice, with its UDP port and with UDP port 0, for packets whatever their UDP port. The
 * latest packet of each kind is kept. Only packets that are not forwarded come here.
 */
#pragma once

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "maps.h"
#include "parse.h"

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__type(key, struct crosspoint_watch_key);
	__type(value, struct crosspoint_watch);
} watches SEC(".maps");

/* The addresses of a packet's IP header, which crosspoint_parse() has found the place of. Returns 0 where there is none. */
static __always_inline int
crosspoint_read_addresses(struct xdp_md *ctx, struct crosspoint_packet *packet)
{
	void *data = (void *)(long)ctx->data, *data_end = (void *)(long)ctx->data_end;
	struct ipv6hdr *six;
	struct iphdr *ip;

	if (packet->l3_offset > CROSSPOINT_MAX_L3_OFFSET)
		return 0;
	ip = data + packet->l3_offset;
	if ((void *)(ip + 1) > data_end)
		return 0;
	packet->ttl = ip->ttl;
	packet->destination_high = packet->source_high = 0;
	packet->destination_low = crosspoint_mapped(ip->daddr);
	packet->source_low = crosspoint_mapped(ip->saddr);
	packet->source_port = packet->destination_port = 0;
	if (ip->version == 4)
		return 1;
	six = (void *)ip;
	if ((void *)(six + 1) > data_end)
		return 0;
	packet->ttl = six->hop_limit;
	packet->destination_high = (__u64)six->daddr.s6_addr32[1] << 32 | six->daddr.s6_addr32[0];
	packet->destination_low = (__u64)six->daddr.s6_addr32[3] << 32 | six->daddr.s6_addr32[2];
	packet->source_high = (__u64)six->saddr.s6_addr32[1] << 32 | six->saddr.s6_addr32[0];
	packet->source_low = (__u64)six->saddr.s6_addr32[3] << 32 | six->saddr.s6_addr32[2];
	return 1;
}

static __always_inline int
crosspoint_is_group(const struct crosspoint_packet *packet)
{
	if (!packet->destination_high && (__u32)packet->destination_low == (__u32)crosspoint_mapped(0))
		return ((__u8)(packet->destination_low >> 32) & 0xf0) == 0xe0;
	return (__u8)packet->destination_high == 0xff;
}

/* Notes a packet that no flow took, or that its flow could not forward. */
static __noinline int
crosspoint_sight(struct xdp_md *ctx, __u32 kind)
{
	struct crosspoint_watch_key key = {};
	struct crosspoint_sighting *sighting;
	struct crosspoint_packet packet = {};
	struct crosspoint_watch *watch;

	if (kind == CROSSPOINT_SIGHTED_FRAGMENT) {
		crosspoint_parse((void *)(long)ctx->data, (void *)(long)ctx->data_end, &packet);
		if (!crosspoint_read_addresses(ctx, &packet))
			return 0;
	} else if (crosspoint_parse((void *)(long)ctx->data, (void *)(long)ctx->data_end, &packet) >= 0) {
		return 0;
	}
	*(__u64 *)&key.destination[0] = packet.destination_high;
	*(__u64 *)&key.destination[2] = packet.destination_low;
	key.udp_port = packet.destination_port;
	watch = bpf_map_lookup_elem(&watches, &key);
	if (!watch && key.udp_port) {
		/* An address of the node's own gets packets of many programs; a group has one purpose. */
		if (!crosspoint_is_group(&packet))
			return 0;
		kind = CROSSPOINT_SIGHTED_UDP_PORT;
		key.udp_port = 0;
		watch = bpf_map_lookup_elem(&watches, &key);
	}
	if (!watch)
		return 0;
	sighting = &watch->sightings[kind & 1];
	__sync_fetch_and_add(&sighting->packets, 1);
	*(__u64 *)&sighting->source[0] = packet.source_high;
	*(__u64 *)&sighting->source[2] = packet.source_low;
	sighting->kind = kind;
	sighting->interface_index = ctx->ingress_ifindex;
	sighting->vlans = packet.vlans;
	sighting->source_port = packet.source_port;
	sighting->udp_port = packet.destination_port;
	sighting->time = bpf_ktime_get_ns();
	return 0;
}
