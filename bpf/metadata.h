/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/*
 * XDP metadata: what lies in front of a frame.
 *
 * A frame can come with metadata of somebody else: its sender's, over veth, or the last round's, from a recycled
 * page. So these functions look at the size that is there. They invalidate packet pointers.
 */
#pragma once

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "compiler.h"
#include "fastpath_abi.h"

static __always_inline int
crosspoint_metadata_size(struct xdp_md *ctx)
{
	return (void *)(long)ctx->data - (void *)(long)ctx->data_meta;
}

/* Takes away what there is. Returns 0 when the kernel refuses. */
static __always_inline int
crosspoint_metadata_clear(struct xdp_md *ctx)
{
	int size = crosspoint_metadata_size(ctx);

	return CROSSPOINT_LIKELY(!size) || !bpf_xdp_adjust_meta(ctx, size);
}
