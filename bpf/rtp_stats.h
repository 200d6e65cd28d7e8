/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/*
 * RTP reception accounting of one flow (RFC 3550 section 6.4.1 and appendices A.1, A.3, A.8).
 *
 * Pure: no helper, no map, no clock, so that the same lines run in the kernel and in native tests. Callers have
 * checked the RTP header, give its fields in host byte order, and are the only writer of the record.
 *
 * Differences from RFC 3550's sample code, and why:
 *  - Sequence numbers are extended to 64 bits: 16 bits wrap every 0.25 s at studio rates. They start at 2^32, so that
 *    the low 32 bits are those that receiver reports carry, and a packet older than the first needs no negative number.
 *  - MAX_DROPOUT and MAX_MISORDER come from the flow: the RFC chose its constants for 50 packets a second.
 *  - Arrival times stay in nanoseconds: one tick of a 90 kHz clock is longer than the spacing of video packets.
 *  - The packets of probation and of a confirmed restart are counted, since they are forwarded.
 *  - Duplicates are distinguished from reordering by remembering which numbers came.
 */
#pragma once

#include "compiler.h"
#include "fastpath_abi.h"

#define CROSSPOINT_SEQUENCE_START (1ULL << 32)

/* The values that the accounting takes from a packet. */
struct crosspoint_rtp_packet {
	__u16 sequence;
	__u8 payload_type;
	__u8 timed; /* `arrival` was read */
	__u32 timestamp;
	__u32 ssrc;
	__u32 source;  /* the source address, folded */
	__u64 arrival; /* ns */
};

static __always_inline void
crosspoint_history_clear(struct crosspoint_rtp_detail *detail)
{
	for (int word = 0; word < CROSSPOINT_HISTORY_WORDS; word++)
		detail->history[word] = 0;
}

/* Begins to count at `first`, with `received` packets of it seen so far. */
static __always_inline void
crosspoint_rtp_begin(struct crosspoint_rtp *rtp, struct crosspoint_rtp_detail *detail, __u64 first, __u64 highest)
{
	crosspoint_history_clear(detail);
	detail->base = first;
	rtp->highest = highest;
	rtp->received = highest - first + 1;
	rtp->window = 1ULL << (highest & 63);
	if (first != highest) {
		if ((first ^ highest) >> 6)
			detail->history[(first >> 6) & (CROSSPOINT_HISTORY_WORDS - 1)] = 1ULL << (first & 63);
		else
			rtp->window |= 1ULL << (first & 63);
	}
	rtp->state = (rtp->state | CROSSPOINT_RTP_STARTED) & ~CROSSPOINT_RTP_BAD_SEQUENCE;
}

/* Ends one count and begins another: expected and received so far are kept, as totals only ever grow. */
static __always_inline void
crosspoint_rtp_restart(struct crosspoint_rtp *rtp, struct crosspoint_rtp_detail *detail, __u64 first, __u64 highest)
{
	detail->expected_before += rtp->highest - detail->base + 1;
	detail->received_before += rtp->received;
	crosspoint_rtp_begin(rtp, detail, first, highest);
}

/* Moves `highest` forward by `delta` >= 1 and remembers that the new number came. */
static __always_inline void
crosspoint_rtp_advance(struct crosspoint_rtp *rtp, struct crosspoint_rtp_detail *detail, __u32 delta)
{
	__u64 old = rtp->highest;
	__u64 new = old + delta;
	__u64 blocks = (new >> 6) - (old >> 6);

	rtp->highest = new;
	if (CROSSPOINT_LIKELY(!blocks)) {
		rtp->window |= 1ULL << (new & 63);
		return;
	}
	detail->history[(old >> 6) & (CROSSPOINT_HISTORY_WORDS - 1)] = rtp->window;
	if (blocks > 1) {
		/* Blocks in between came not at all; beyond the whole history there is nothing more to forget. */
		for (__u32 skipped = 1; skipped < CROSSPOINT_HISTORY_WORDS; skipped++) {
			if (skipped >= blocks)
				break;
			detail->history[((old >> 6) + skipped) & (CROSSPOINT_HISTORY_WORDS - 1)] = 0;
		}
	}
	rtp->window = 1ULL << (new & 63);
}

/* Accounts a number that is `age` >= 0 behind `highest`: reordered, duplicate, or too old to tell. */
static __always_inline void
crosspoint_rtp_behind(struct crosspoint_rtp *rtp, struct crosspoint_rtp_detail *detail, __u32 age)
{
	__u64 number = rtp->highest - age;
	__u64 bit = 1ULL << (number & 63);
	__u64 blocks = (rtp->highest >> 6) - (number >> 6);
	__u64 *word = &rtp->window;

	if (blocks >= CROSSPOINT_HISTORY_WORDS) {
		detail->late++;
		return;
	}
	if (blocks)
		word = &detail->history[(number >> 6) & (CROSSPOINT_HISTORY_WORDS - 1)];
	if (*word & bit) {
		detail->duplicates++;
	} else {
		*word |= bit;
		detail->reordered++;
	}
}

/* Appendix A.8, in sixteenths of a nanosecond, and the largest gap between arrivals. */
static __always_inline void
crosspoint_rtp_time(const struct crosspoint_flow *flow, struct crosspoint_rtp *rtp,
		    const struct crosspoint_rtp_packet *packet)
{
	if (CROSSPOINT_LIKELY(rtp->state & CROSSPOINT_RTP_TIMED)) {
		__s64 elapsed = packet->arrival - rtp->last_arrival;
		__s64 ticks = (__s32)(packet->timestamp - rtp->last_timestamp);
		__u64 gap = (__u64)elapsed >> 10, tick = crosspoint_flow_tick(flow);

		if (gap > rtp->largest_gap)
			rtp->largest_gap = gap > 0xffffffff ? 0xffffffff : (__u32)gap;
		/* Half a day of timestamps at 90 kHz is a discontinuity, and its product might not fit. */
		if (tick && ticks < (1LL << 29) && ticks > -(1LL << 29)) {
			__s64 difference = elapsed - ((ticks * (__s64)tick) >> 16);
			__u64 jitter = rtp->jitter;

			if (difference < 0)
				difference = -difference;
			jitter += difference - ((jitter + 8) >> 4);
			rtp->jitter = jitter;
			jitter >>= 4;
			if (jitter > rtp->largest_jitter)
				rtp->largest_jitter = jitter > 0xffffffff ? 0xffffffff : (__u32)jitter;
		}
	}
	rtp->state |= CROSSPOINT_RTP_TIMED;
	rtp->last_arrival = packet->arrival;
	rtp->last_timestamp = packet->timestamp;
}

/* The packets that are not simply the next one. Returns whether the packet's time is accounted. */
static __noinline int
crosspoint_rtp_irregular(const struct crosspoint_flow *flow, const struct crosspoint_flow_detail *limits,
			 struct crosspoint_rtp *rtp, struct crosspoint_rtp_detail *detail,
			 const struct crosspoint_rtp_packet *packet)
{
	__u64 start = CROSSPOINT_SEQUENCE_START | packet->sequence;
	__u16 delta = packet->sequence - (__u16)rtp->highest;
	__u16 age = -delta;

	if (!(rtp->state & CROSSPOINT_RTP_STARTED)) {
		rtp->ssrc = packet->ssrc;
		rtp->source = packet->source;
		crosspoint_rtp_begin(rtp, detail, start, start);
		return 1;
	}
	if (packet->ssrc != rtp->ssrc) {
		detail->ssrc_changes++;
		rtp->ssrc = packet->ssrc;
		rtp->source = packet->source;
		/* Another source has another clock: the interval to its first packet is nobody's jitter. Its probation
		 * begins again too. */
		rtp->state = 0;
		crosspoint_rtp_restart(rtp, detail, start, start);
		return 1;
	}
	if (packet->source != rtp->source) {
		detail->source_changes++;
		rtp->source = packet->source;
	}
	if (packet->timed && (rtp->state & CROSSPOINT_RTP_TIMED) && flow->outage &&
	    (packet->arrival - rtp->last_arrival) >> 20 > flow->outage) {
		__u64 gap = (packet->arrival - rtp->last_arrival) >> 10;

		detail->outages++;
		if (gap > rtp->largest_gap)
			rtp->largest_gap = gap > 0xffffffff ? 0xffffffff : (__u32)gap;
		rtp->state &= ~CROSSPOINT_RTP_TIMED;
		crosspoint_rtp_restart(rtp, detail, start, start);
		return 1;
	}
	if (!(rtp->state & CROSSPOINT_RTP_VALID)) {
		/* Probation. The upper half of the state counts attempts, lest a stream that loses every other packet
		 * stays on probation for ever and shows no loss. */
		if (delta == 1 || rtp->state >= 0xf0) {
			rtp->state |= CROSSPOINT_RTP_VALID;
		} else {
			rtp->state += 0x10;
			crosspoint_rtp_begin(rtp, detail, start, start);
			return 1;
		}
	}
	if (delta && delta < limits->max_dropout) {
		if (delta > 1) {
			detail->loss_events++;
			if (delta - 1u > detail->largest_gap_packets)
				detail->largest_gap_packets = delta - 1u;
		}
		crosspoint_rtp_advance(rtp, detail, delta);
	} else if (age <= limits->max_misorder) {
		crosspoint_rtp_behind(rtp, detail, age);
	} else if ((rtp->state & CROSSPOINT_RTP_BAD_SEQUENCE) && packet->sequence == rtp->bad_sequence) {
		detail->sequence_resets++;
		crosspoint_rtp_restart(rtp, detail, start - 1, start);
		return 1;
	} else {
		rtp->bad_sequence = packet->sequence + 1;
		rtp->state |= CROSSPOINT_RTP_BAD_SEQUENCE;
		return 0;
	}
	rtp->received++;
	return 1;
}

/*
 * Accounts the packet if it is simply the next one, within a block of 64 numbers: what nearly all are. Returns 0 for
 * any other, which crosspoint_rtp_irregular() takes; that one needs the details, and every 64th packet's block ends.
 */
static __always_inline int
crosspoint_rtp_next(const struct crosspoint_flow *flow, struct crosspoint_rtp *rtp,
		    const struct crosspoint_rtp_packet *packet)
{
	__u64 next = rtp->highest + 1;

	if (packet->sequence != (__u16)next || packet->ssrc != rtp->ssrc || packet->source != rtp->source ||
	    !(rtp->state & CROSSPOINT_RTP_VALID) || !(next & 63))
		return 0;
	if (packet->timed && flow->outage && (packet->arrival - rtp->last_arrival) >> 20 > flow->outage)
		return 0;
	rtp->highest = next;
	rtp->window |= 1ULL << (next & 63);
	rtp->received++;
	return 1;
}
