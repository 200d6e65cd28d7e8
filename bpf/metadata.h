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

/* Returns 0 without room for it, or if the driver has no metadata. */
static __always_inline int
crosspoint_metadata_write(struct xdp_md *ctx, const struct crosspoint_metadata *metadata)
{
	int missing = (int)sizeof(*metadata) - crosspoint_metadata_size(ctx);
	struct crosspoint_metadata *stored;

	if (missing && bpf_xdp_adjust_meta(ctx, -missing))
		return 0;
	stored = (void *)(long)ctx->data_meta;
	if ((void *)(stored + 1) > (void *)(long)ctx->data)
		return 0;
	*stored = *metadata;
	return 1;
}
