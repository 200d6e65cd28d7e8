/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/*
 * Gives a packet to the AF_XDP worker of its port and queue.
 *
 * Decided per packet: a socket's entry goes with the socket, and a worker that hangs shows no heartbeat. Then the packet goes
 * on here, without anybody's doing. The clock is the coarse one: a tick of some ms is little beside the limit.
 */
#pragma once

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "maps.h"
#include "metadata.h"

CROSSPOINT_ARRAY(sockets, struct crosspoint_socket, CROSSPOINT_MAX_PORTS * CROSSPOINT_MAX_QUEUES);

struct {
	__uint(type, BPF_MAP_TYPE_XSKMAP);
	__uint(max_entries, CROSSPOINT_MAX_PORTS * CROSSPOINT_MAX_QUEUES);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(__u32));
} socket_map SEC(".maps");

/*
 * Returns 0 when no worker takes the packet; else it has been redirected. Packet pointers are invalid afterwards.
 * `what` has everything about the frame, and is left as it was.
 */
static __noinline int
crosspoint_give_to_worker(struct xdp_md *ctx, const struct crosspoint_flow *flow, __u32 slot,
			  struct crosspoint_port_count *ingress, const struct crosspoint_metadata *what)
{
	__u32 queue = ctx->rx_queue_index, index = flow->port * CROSSPOINT_MAX_QUEUES + queue;
	struct crosspoint_flow_detail *detail = bpf_map_lookup_elem(&flow_details, &slot);
	struct crosspoint_socket *socket = bpf_map_lookup_elem(&sockets, &index);
	struct crosspoint_metadata note;

	if (queue >= CROSSPOINT_MAX_QUEUES || !detail || !socket)
		return 0;
	/* The heartbeat may be newer than the coarse clock. */
	if ((__s64)(bpf_ktime_get_coarse_ns() - *(volatile __u64 *)&socket->heartbeat) > CROSSPOINT_HEARTBEAT_LIMIT)
		return 0;
	if (bpf_redirect_map(&socket_map, index, 0) != XDP_REDIRECT)
		return 0;
	note = *what;
	note.group = slot;
	note.packet = (__u32)detail->generation;
	if (!crosspoint_metadata_write(ctx, &note))
		return 0;
	ingress->direct_leg = CROSSPOINT_NOT_DIRECT_WORKER;
	ingress->direct_port = flow->port;
	return 1;
}
