/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/*
 * Finds the flow of a packet through the open-addressed table that the daemon writes through its mapping.
 *
 * An entry is written after its slot, and a slot's kind is the first that goes. A slot is not used again before a grace
 * period has passed, so a reader sees whole slots or none.
 */
#pragma once

#include "maps.h"
#include "parse.h"

static __always_inline __u32
crosspoint_selector(const struct crosspoint_packet *packet, enum crosspoint_slot_kind kind)
{
	return packet->destination_port | (__u32)kind << 16;
}

/* The slot's own selector: destination_port and kind, as they lie beside each other. */
static __always_inline __u32
crosspoint_slot_selector(const struct crosspoint_flow *flow)
{
	return *(const volatile __u32 *)&flow->destination_port;
}

/* The entry at `index`, which the mask has been applied to; 0 ends the search. */
static __always_inline __u32
crosspoint_flow_entry(__u32 index)
{
	__u32 place = index / CROSSPOINT_FLOW_LINE_ENTRIES;
	const struct crosspoint_flow_line *line = bpf_map_lookup_elem(&flow_lines, &place);

	/* Or the compiler merges the mask of the caller, a number that only the verifier knows, with the entries of a line. */
	CROSSPOINT_HIDE(index);
	return line ? *(const volatile __u32 *)&line->entries[index % CROSSPOINT_FLOW_LINE_ENTRIES] : 0;
}

/* True if the packet comes from the address that the slot names. */
static __always_inline int
crosspoint_is_from(const struct crosspoint_packet *packet, __u32 slot)
{
	struct crosspoint_flow_detail *detail = bpf_map_lookup_elem(&flow_details, &slot);

	return detail && *(__u64 *)&detail->source[2] == packet->source_low &&
	       *(__u64 *)&detail->source[0] == packet->source_high;
}

/* True if the packet's source is the one that the flow takes, if it takes one only. */
static __always_inline int
crosspoint_admits(const struct crosspoint_packet *packet, const struct crosspoint_flow *flow, __u32 slot)
{
	if ((flow->flags & CROSSPOINT_FLOW_FILTER_SOURCE) && !crosspoint_is_from(packet, slot))
		return 0;
	return !(flow->flags & CROSSPOINT_FLOW_FILTER_SOURCE_PORT) || flow->source_port == packet->source_port;
}

/* True if the node sent the frame itself, and it has come back (RFC 3550 section 8.2). `data` has an Ethernet header. */
static __always_inline int
crosspoint_is_own(const void *data, const struct crosspoint_flow *flow)
{
	const void *source = data + ETH_ALEN;

	return *(const __u16 *)source == *(const __u16 *)flow->ingress_mac &&
	       *(const __u32 *)(source + 2) == *(const __u32 *)&flow->ingress_mac[2];
}

/* The slot with this hash and selector that matches the packet, its source too where the kind of slot names one. */
static __always_inline struct crosspoint_flow *
crosspoint_search(const struct crosspoint_packet *packet, __u64 place, __u32 selector, __u32 hash, __u32 kind, __u32 *slot)
{
	__u32 mask = sizes.flow_mask;

	for (__u32 probe = 0; probe < CROSSPOINT_FLOW_PROBES; probe++) {
		__u32 entry = crosspoint_flow_entry((hash + probe) & mask);
		struct crosspoint_flow *flow;

		if (!entry)
			return NULL;
		if ((entry ^ hash) & ~mask)
			continue;
		*slot = entry & mask;
		flow = bpf_map_lookup_elem(&flows, slot);
		if (flow && crosspoint_slot_selector(flow) == selector &&
		    *(__u64 *)&flow->destination[2] == packet->destination_low &&
		    *(__u64 *)&flow->interface_index == place &&
		    *(__u64 *)&flow->destination[0] == packet->destination_high &&
		    (kind != CROSSPOINT_SLOT_SOURCE_PORT || flow->source_port == packet->source_port) &&
		    ((kind != CROSSPOINT_SLOT_SOURCE && kind != CROSSPOINT_SLOT_SOURCE_PORT) || crosspoint_is_from(packet, *slot)))
			return flow;
	}
	return NULL;
}

/* By interface, VLANs, destination and UDP port alone. */
static __always_inline struct crosspoint_flow *
crosspoint_find(const struct crosspoint_packet *packet, __u64 place, __u32 selector, __u32 *slot)
{
	__u32 hash = crosspoint_flow_hash(packet->destination_high, packet->destination_low, place, selector);

	return crosspoint_search(packet, place, selector, hash, CROSSPOINT_SLOT_DESTINATION, slot);
}

/* With the source in the key. */
static __noinline struct crosspoint_flow *
crosspoint_find_source(const struct crosspoint_packet *packet, __u64 place, __u32 kind, __u32 *slot)
{
	__u32 selector = crosspoint_selector(packet, kind);
	__u16 source_port = kind == CROSSPOINT_SLOT_SOURCE_PORT ? packet->source_port : 0;
	__u64 mixed = crosspoint_source_place(place, packet->source_high, packet->source_low, source_port);
	__u32 hash = crosspoint_flow_hash(packet->destination_high, packet->destination_low, mixed, selector);

	return crosspoint_search(packet, place, selector, hash, kind, slot);
}

/* Interface and VLANs as one word, as they lie in a slot. */
static __always_inline __u64
crosspoint_place(__u32 interface_index, __u32 vlans)
{
	return (__u64)vlans << 32 | interface_index;
}

/*
 * The reason for which a packet without a flow is not handed to the host: the node joined its group, or reserved its
 * address and UDP port. Returns the reason; PASS_NOT_OURS when neither is the case.
 */
static __noinline int
crosspoint_guarded(const struct crosspoint_packet *packet, __u64 place)
{
	__u32 kind = (__u32)CROSSPOINT_SLOT_GUARD << 16;
	__u32 slot;

	if (crosspoint_find(packet, place, kind, &slot))
		return CROSSPOINT_DROP_NO_FLOW;
	if (crosspoint_find(packet, 0, kind | packet->destination_port, &slot))
		return CROSSPOINT_DROP_WRONG_PORT;
	return CROSSPOINT_PASS_NOT_OURS;
}
