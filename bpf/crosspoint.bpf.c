// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0
/*
 * The programs of the fast path. Ingress finds a packet's flow, accounts it and sends it to its legs; egress writes each
 * copy's headers; two tracepoints count what the kernel and the drivers refuse afterwards.
 *
 * Nearly all media goes the short way through ingress (ingress_short.h). What that does not take goes the long way, in a program
 * of its own that is called as the tail of the first: as a function it would have to share the 512 bytes of stack.
 *
 * Before all that a packet may be looked at, for whoever asks what arrives (scan.h).
 *
 * A flow of the AF_XDP engine goes to the worker of its port and queue while that one lives (afxdp.h), and else like any other.
 *
 * A flow with one leg is rewritten by ingress and leaves by the devmap `tx_ports`. A flow with more is broadcast by
 * the devmap of its shape, and egress rewrites each copy (egress.h).
 *
 * If a group leaves by a port, tx_ports' entry carries the egress program too: the kernel takes the program of a whole
 * bulk from its first frame (bq_enqueue), so frames with and without one must never meet at an interface. The daemon
 * sees to that before it first uses a group there.
 */
#include <linux/bpf.h>
#include <linux/errno.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "counters.h"
#include "egress.h"
#include "forward.h"
#include "ingress_long.h"
#include "ingress_short.h"
#include "kernel_records.h"
#include "scan.h"

SEC("xdp.frags")
int ingress_long(struct xdp_md *ctx)
{
	return ingress_long_way(ctx);
}

/* The other ways through ingress; libbpf fills it in when it loads the programs, an upgrade's over the old one's. */
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__array(values, int(struct xdp_md *));
} ways SEC(".maps") = {
	.values = { [0] = (void *)&ingress_long },
};

SEC("xdp.frags")
int ingress(struct xdp_md *ctx)
{
	int verdict;

	crosspoint_scan(ctx);
	verdict = ingress_short_way(ctx);
	if (CROSSPOINT_LIKELY(verdict != CROSSPOINT_LONG_WAY))
		return verdict;
	bpf_tail_call(ctx, &ways, 0);
	return XDP_DROP;
}

SEC("xdp.frags/devmap")
int egress(struct xdp_md *ctx)
{
	return egress_copy(ctx, ctx->egress_ifindex);
}

/* The program that tests run in place of egress(), since the kernel does not test-run devmap programs; the interface is
 * ingress'. */
SEC("xdp.frags")
int egress_under_test(struct xdp_md *ctx)
{
	return egress_copy(ctx, ctx->ingress_ifindex);
}

static __always_inline struct crosspoint_node *
this_node(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&node, &zero);
}

/* bq_xmit_all(): what the egress program let through and the driver did not take. */
SEC("tp_btf/xdp_devmap_xmit")
int on_devmap_transmit(__u64 *arguments)
{
	struct net_device *to = (void *)arguments[1];
	int drops = (int)arguments[3];
	struct crosspoint_node *self;
	struct crosspoint_lane *lane;
	__u32 port;

	if (CROSSPOINT_LIKELY(drops <= 0))
		return 0;
	self = this_node();
	lane = crosspoint_lane(bpf_get_smp_processor_id());
	if (!self || !lane || to->nd_net.net->net_cookie != self->network_namespace)
		return 0;
	port = crosspoint_port(to->ifindex);
	if (port < CROSSPOINT_MAX_PORTS)
		lane->ports[port].refused_copies += drops;
	return 0;
}

/* xdp_do_redirect(): copies that never reached an egress program. A group is reported once, however many copies are missing. */
SEC("tp_btf/xdp_redirect_err")
int on_redirect_error(__u64 *arguments)
{
	struct net_device *from = (void *)arguments[0];
	struct bpf_prog *program = (void *)arguments[1];
	int error = (int)arguments[3];
	__u32 cpu = bpf_get_smp_processor_id(), reason = CROSSPOINT_COPY_REFUSED, port;
	struct crosspoint_node *self = this_node();
	struct crosspoint_lane *lane = crosspoint_lane(cpu);
	struct crosspoint_port_count *ingress;

	if (!self || !lane || program->aux->id != self->ingress_program)
		return 0;
	port = crosspoint_port(from->ifindex);
	if (port >= CROSSPOINT_MAX_PORTS)
		return 0;
	if (error == -ENETDOWN)
		reason = CROSSPOINT_COPY_INTERFACE_DOWN;
	else if (error == -EMSGSIZE)
		reason = CROSSPOINT_COPY_TOO_LONG;
	else if (error == -EOPNOTSUPP)
		reason = CROSSPOINT_COPY_NOT_SUPPORTED;
	else if (error == -ENOMEM)
		reason = CROSSPOINT_COPY_NO_MEMORY;
	ingress = &lane->ports[port];
	/* A group: its copies are counted where they would have left. */
	if (ingress->direct_leg == CROSSPOINT_NOT_DIRECT_GROUP)
		crosspoint_count_reason(ingress->direct_port, reason, 1);
	else if (ingress->direct_leg == CROSSPOINT_NOT_DIRECT_WORKER)
		crosspoint_count_reason(ingress->direct_port, CROSSPOINT_COPY_WORKER_BUSY, 1);
	else
		refuse_direct(lane, ingress, cpu, reason);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
