/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/*
 * Parses a frame once more, for what few packets need: a record that only such functions take by its address stays in
 * registers on the way that all packets go.
 */
#pragma once

#include <linux/bpf.h>

#include "parse.h"

/* Returns 0 when the frame is not what it was at first. */
static __always_inline int
crosspoint_parse_again(struct xdp_md *ctx, struct crosspoint_packet *packet)
{
	return crosspoint_parse((void *)(long)ctx->data, (void *)(long)ctx->data_end, packet) < 0;
}
