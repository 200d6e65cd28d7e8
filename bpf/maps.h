/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/*
 * The maps of the fast path. Sizes that depend on the node are set by the daemon before it loads the programs; the
 * ones here are for a node of one CPU. Lookups in arrays are inlined by the verifier: an index out of range gives
 * NULL and costs a comparison.
 */
#pragma once

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "compiler.h"
#include "drop_reasons.h"
#include "fastpath_abi.h"

/* Set by the daemon before loading. */
const volatile struct crosspoint_sizes sizes = { 16384 - 1, 8192, 32768, 0 };

#define CROSSPOINT_ARRAY(name, type_, entries)                \
	struct {                                              \
		__uint(type, BPF_MAP_TYPE_ARRAY);             \
		__uint(map_flags, BPF_F_MMAPABLE);            \
		__uint(max_entries, entries);                 \
		__type(key, __u32);                           \
		__type(value, type_);                         \
	} name SEC(".maps")

CROSSPOINT_ARRAY(node, struct crosspoint_node, 1);
CROSSPOINT_ARRAY(flow_lines, struct crosspoint_flow_line, 16384 / CROSSPOINT_FLOW_LINE_ENTRIES);
CROSSPOINT_ARRAY(flows, struct crosspoint_flow, 16384);
CROSSPOINT_ARRAY(flow_details, struct crosspoint_flow_detail, 16384);
CROSSPOINT_ARRAY(rtp, struct crosspoint_rtp, 8192);
CROSSPOINT_ARRAY(rtp_details, struct crosspoint_rtp_detail, 8192);
CROSSPOINT_ARRAY(flow_counts, struct crosspoint_flow_count, 8192);
CROSSPOINT_ARRAY(flow_labels, struct crosspoint_flow_label, 8192);
CROSSPOINT_ARRAY(legs, struct crosspoint_leg, 65536);
CROSSPOINT_ARRAY(leg_details, struct crosspoint_leg_detail, 65536);
CROSSPOINT_ARRAY(leg_counts, struct crosspoint_leg_count, 32768);
CROSSPOINT_ARRAY(leg_refusals, struct crosspoint_leg_count, 32768);
CROSSPOINT_ARRAY(leg_labels, struct crosspoint_leg_label, 32768);
CROSSPOINT_ARRAY(groups, struct crosspoint_group, 16384);
CROSSPOINT_ARRAY(ports, struct crosspoint_port_slot, CROSSPOINT_PORT_SLOTS);
CROSSPOINT_ARRAY(lanes, struct crosspoint_lane, 1);
CROSSPOINT_ARRAY(reason_counts, struct crosspoint_reason_count, CROSSPOINT_MAX_PORTS);

/* The ports by which single copies leave: by port number. With the egress program where groups leave too (crosspoint.bpf.c). */
struct {
	__uint(type, BPF_MAP_TYPE_DEVMAP);
	__uint(max_entries, CROSSPOINT_MAX_PORTS);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(struct bpf_devmap_val));
} tx_ports SEC(".maps");

struct crosspoint_shape_devmap {
	__uint(type, BPF_MAP_TYPE_DEVMAP);
	__uint(max_entries, 2);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(struct bpf_devmap_val));
};

/* The ports by which groups leave: by shape. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, CROSSPOINT_MAX_SHAPES);
	__type(key, __u32);
	__array(values, struct crosspoint_shape_devmap);
} shapes SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 256 * 1024);
} events SEC(".maps");

struct crosspoint_stranger {
	__u64 source_high;
	__u64 source_low;
	__u32 flow;
	__u32 source_port;
};

/* Sources that were reported already. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, struct crosspoint_stranger);
	__type(value, __u64);
} strangers SEC(".maps");
