/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/*
 * Counters that any CPU may write: each CPU has a lane of its own in plain, mapped arrays, so that adding needs no
 * atomic and reading needs no system call.
 */
#pragma once

#include "maps.h"

static __always_inline struct crosspoint_flow_count *
crosspoint_flow_count(__u32 cpu, __u32 flow)
{
	__u32 index = cpu * sizes.flows + flow;

	return bpf_map_lookup_elem(&flow_counts, &index);
}

static __always_inline struct crosspoint_leg_count *
crosspoint_leg_count(__u32 cpu, __u32 counter)
{
	__u32 index = cpu * sizes.leg_counters + counter;

	return bpf_map_lookup_elem(&leg_counts, &index);
}

static __always_inline struct crosspoint_lane *
crosspoint_lane(__u32 cpu)
{
	return bpf_map_lookup_elem(&lanes, &cpu);
}

/* The number of the port with the given interface; CROSSPOINT_MAX_PORTS when it is not attached. */
static __noinline __u32
crosspoint_port(__u32 interface_index)
{
	for (__u32 probe = 0; probe < CROSSPOINT_PORT_PROBES; probe++) {
		__u32 index = (interface_index + probe) & (CROSSPOINT_PORT_SLOTS - 1);
		struct crosspoint_port_slot *slot = bpf_map_lookup_elem(&ports, &index);

		if (!slot || !slot->interface_index)
			break;
		if (slot->interface_index == interface_index)
			return slot->port;
	}
	return CROSSPOINT_MAX_PORTS;
}

static __noinline void
crosspoint_count_reason(__u32 port, __u32 reason, __u64 packets)
{
	__u32 index;
	struct crosspoint_reason_count *counts;

	/* Packets of an interface that is just being attached or detached are counted with the last port. */
	if (port >= CROSSPOINT_MAX_PORTS)
		port = CROSSPOINT_MAX_PORTS - 1;
	index = bpf_get_smp_processor_id() * CROSSPOINT_MAX_PORTS + port;
	counts = bpf_map_lookup_elem(&reason_counts, &index);
	if (counts && reason < CROSSPOINT_REASON_SLOTS)
		counts->packets[reason] += packets;
}
