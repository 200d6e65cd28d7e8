/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/*
 * A look at what arrives at a port, for `crosspoint scan`: one packet of many is copied before anything else is done with it.
 *
 * Without a scan a packet costs one load and one comparison. With one it costs a second comparison and a countdown, and one of
 * many a copy of its headers. The distances are random, or senders that take turns would be seen by halves.
 */
#pragma once

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "compiler.h"
#include "maps.h"
#include "scan_abi.h"

CROSSPOINT_ARRAY(scan_lanes, struct crosspoint_scan_lane, 1);
CROSSPOINT_ARRAY(scan_samples, struct crosspoint_scan_sample, CROSSPOINT_SCAN_SAMPLES);

/* The packets until the next look, all counts up to twice the stride alike. */
static __always_inline __u32
crosspoint_scan_interval(__u32 stride)
{
	if (stride <= 1)
		return 1;
	if (stride > CROSSPOINT_SCAN_STRIDE)
		stride = CROSSPOINT_SCAN_STRIDE;
	return 1 + bpf_get_prandom_u32() % (2 * stride - 1);
}

/* The packet with which a countdown ends. */
static __noinline int
crosspoint_scan_look(struct xdp_md *ctx, struct crosspoint_scan_lane *lane)
{
	__u32 length = bpf_xdp_get_buff_len(ctx), bytes = length, stride, weight, index;
	struct crosspoint_scan_sample *sample;
	__u64 now = bpf_ktime_get_ns();

	/* The countdown stays 0: the daemon is gone, or has ended the scan. */
	if (!lane || now > lane->deadline)
		return 0;
	weight = lane->waiting + lane->interval;
	stride = lane->stride;
	index = bpf_get_smp_processor_id() * CROSSPOINT_SCAN_SAMPLES + lane->taken % CROSSPOINT_SCAN_SAMPLES;
	sample = bpf_map_lookup_elem(&scan_samples, &index);
	if (bytes > CROSSPOINT_SCAN_BYTES)
		bytes = CROSSPOINT_SCAN_BYTES;
	CROSSPOINT_HIDE(bytes);
	if (lane->taken == lane->limit || !sample || bytes - 1 >= CROSSPOINT_SCAN_BYTES || bpf_xdp_load_bytes(ctx, 0, sample->bytes, bytes)) {
		/* The next sample has the weight of this one too. A full table is not looked at for every packet. */
		lane->waiting = weight;
		stride += 64;
	} else {
		sample->weight = weight;
		sample->length = length;
		sample->time = now;
		lane->waiting = 0;
		/* After the sample: the returned value makes it a barrier. */
		if (__sync_fetch_and_add(&lane->taken, 1) == lane->limit)
			return 0;
	}
	lane->interval = crosspoint_scan_interval(stride);
	lane->countdown = lane->interval;
	return 0;
}

static __always_inline void
crosspoint_scan(struct xdp_md *ctx)
{
	__u32 cpu = bpf_get_smp_processor_id();
	struct crosspoint_scan_lane *lane = bpf_map_lookup_elem(&scan_lanes, &cpu);

	if (CROSSPOINT_LIKELY(!lane || !lane->countdown) || lane->interface_index != ctx->ingress_ifindex)
		return;
	if (CROSSPOINT_UNLIKELY(!--lane->countdown))
		crosspoint_scan_look(ctx, lane);
}
