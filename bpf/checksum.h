/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/*
 * Verifies UDP checksums: always that IPv6 has one (RFC 8200 section 8.1), and on request that it is right.
 *
 * The offsets in struct crosspoint_packet have been checked against the frame's length.
 */
#pragma once

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "parse.h"
#include "reparse.h"
#include "rewrite.h"

#define CROSSPOINT_CHECKSUM_STEP 64
/* Enough steps for a 9,216-byte frame. */
#define CROSSPOINT_CHECKSUM_STEPS 144

/* A sum in progress. */
struct crosspoint_sum {
	struct xdp_md *ctx;
	__u64 sum;
	__u32 offset;
	__u32 left;
	__u32 failed;
};

/* Adds the next step's bytes; a callback of bpf_loop(), which keeps the verifier from walking every step. */
static long
crosspoint_sum_step(__u32 step, struct crosspoint_sum *state)
{
	__u32 words[CROSSPOINT_CHECKSUM_STEP / 4] = {};
	__u32 size = state->left < sizeof(words) ? state->left : sizeof(words);

	(void)step;
	if (!size)
		return 1;
	/* Linux 6.1 forgets the comparison with 0, and takes no size that could be 0 (check_mem_size_reg). */
	CROSSPOINT_HIDE(size);
	size = ((size - 1) & (sizeof(words) - 1)) + 1;
	if (bpf_xdp_load_bytes(state->ctx, state->offset, words, size)) {
		state->failed = 1;
		return 1;
	}
	for (int word = 0; word < CROSSPOINT_CHECKSUM_STEP / 4; word++)
		state->sum += words[word];
	state->offset += size;
	state->left -= size;
	return 0;
}

/*
 * The ones' complement sum of `start` and a part of the frame, 0xffff for a right checksum; -1 when the frame is shorter.
 * A helper copies 64 bytes at a time: bpf_csum_diff() takes 512 bytes at most on older kernels, and no fragments.
 */
static __always_inline int
crosspoint_sum_of(struct xdp_md *ctx, __u32 offset, __u32 length, __u64 start)
{
	struct crosspoint_sum state = { .ctx = ctx, .offset = offset, .left = length, .sum = start };

	bpf_loop(CROSSPOINT_CHECKSUM_STEPS, crosspoint_sum_step, &state, 0);
	return state.failed || state.left ? -1 : crosspoint_fold(state.sum);
}

/* True if the checksum over pseudo-header, UDP header and payload holds. */
static __noinline int
crosspoint_sum_is_right(struct xdp_md *ctx)
{
	struct crosspoint_packet packet;
	__u64 sum;

	if (!crosspoint_parse_again(ctx, &packet))
		return 0;
	sum = (__u64)NETWORK16(IPPROTO_UDP) + NETWORK16(packet.udp_length);
	sum += (packet.source_low >> 32) + (packet.destination_low >> 32);
	/* The lower words' other halves are the mapped prefix for IPv4, which is not in its pseudo-header. */
	if (packet.is_ipv6)
		sum += (packet.source_low & 0xffffffff) + (packet.destination_low & 0xffffffff) +
		       (packet.source_high & 0xffffffff) + (packet.source_high >> 32) +
		       (packet.destination_high & 0xffffffff) + (packet.destination_high >> 32);
	return crosspoint_sum_of(ctx, crosspoint_payload_offset(&packet) - sizeof(struct udphdr), packet.udp_length, sum) ==
	       0xffff;
}

/* True if the packet may continue. Packet pointers are invalid afterwards. */
static __always_inline int
crosspoint_checksum_holds(struct xdp_md *ctx, const struct crosspoint_packet *packet, int verify)
{
	__u32 offset = crosspoint_payload_offset(packet) - sizeof(struct udphdr);
	struct udphdr *udp = (void *)(long)ctx->data + offset;

	if ((void *)(udp + 1) > (void *)(long)ctx->data_end)
		return 0;
	if (!udp->check)
		return !packet->is_ipv6;
	return !verify || crosspoint_sum_is_right(ctx);
}
