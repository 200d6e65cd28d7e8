/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/* The kernel's own records, as far as tracepoint programs read them here; the offsets come from the kernel's BTF. */
#pragma once

#include <linux/types.h>

struct net {
	__u64 net_cookie;
} __attribute__((preserve_access_index));
typedef struct {
	struct net *net;
} possible_net_t;
struct net_device {
	int ifindex;
	possible_net_t nd_net;
} __attribute__((preserve_access_index));
struct bpf_prog_aux {
	__u32 id;
} __attribute__((preserve_access_index));
struct bpf_prog {
	struct bpf_prog_aux *aux;
} __attribute__((preserve_access_index));
