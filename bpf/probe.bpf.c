// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0
/*
 * Check that an interface takes redirected frames: one frame is redirected there, and the kernel's tracepoints report
 * its fate. Run with a live frame by `crosspoint check`; nothing stays attached.
 *
 * Other frames that the interface sends at that moment do not count: the frame comes from the namespace's loopback
 * device, which has no native XDP and so redirects nothing by itself, and the tracepoints run in the process that sends
 * it.
 */
#include <linux/bpf.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "kernel_records.h"
#include "probe_abi.h"

#define LOOPBACK_INTERFACE 1

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct crosspoint_probe);
} probe SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_DEVMAP);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(struct bpf_devmap_val));
} target SEC(".maps");

static __always_inline struct crosspoint_probe *
this_probe(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&probe, &zero);
}

SEC("xdp.frags")
int send(struct xdp_md *ctx)
{
	(void)ctx;
	return bpf_redirect_map(&target, 0, XDP_DROP);
}

/* The program that makes drivers that want a program of their own ready to send; hands everything to the host. */
SEC("xdp.frags")
int pass(struct xdp_md *ctx)
{
	(void)ctx;
	return XDP_PASS;
}

/* True in the process that sends the frame: its number is that of its own PID namespace, which in a container is not the host's. */
static __always_inline int
is_sender(const struct crosspoint_probe *self)
{
	struct bpf_pidns_info task = {};

	return !bpf_get_ns_current_pid_tgid(self->namespace_device, self->namespace_inode, &task, sizeof(task)) &&
	       task.tgid == self->process;
}

/* bq_xmit_all(): what the driver took, and what it did not. */
SEC("tp_btf/xdp_devmap_xmit")
int on_transmit(__u64 *arguments)
{
	struct net_device *from = (void *)arguments[0], *to = (void *)arguments[1];
	int transmitted = (int)arguments[2], refused = (int)arguments[3];
	struct crosspoint_probe *self = this_probe();

	if (!self || from->ifindex != LOOPBACK_INTERFACE || to->ifindex != (int)self->interface_index ||
	    !is_sender(self))
		return 0;
	if (transmitted > 0)
		self->transmitted += transmitted;
	if (refused > 0) {
		self->refused += refused;
		self->error = (int)arguments[4];
	}
	return 0;
}

/* xdp_do_redirect(): what never got to the driver. */
SEC("tp_btf/xdp_redirect_err")
int on_failure(__u64 *arguments)
{
	struct bpf_prog *program = (void *)arguments[1];
	struct crosspoint_probe *self = this_probe();

	if (!self || program->aux->id != self->program)
		return 0;
	self->failed++;
	self->error = (int)arguments[3];
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
