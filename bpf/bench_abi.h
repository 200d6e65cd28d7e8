/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/* The records that the bench's generator and sinks share with the program that runs them. Host byte order unless said. */
#pragma once

#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/types.h>
#include <linux/udp.h>

#include "rtp_header.h"

#define BENCH_FLOWS 32768
#define BENCH_CPUS 256
/* The magic number in a packet of ours, and the UDP port of the first leg. */
#define BENCH_MAGIC 0x78426e63
#define BENCH_FIRST_UDP_PORT 20000

/*
 * The histogram of latencies is logarithmic, with 32 steps between powers of two: a bucket is 3 % wide at most. Bucket n
 * below 64 is n nanoseconds.
 */
#define BENCH_STEP_BITS 5
#define BENCH_BUCKETS 1024

/* The payload that follows the RTP header of a generated packet. */
struct bench_payload {
	__u32 magic;
	__u32 flow;
	__u64 time; /* the look at the clock that let it go, CLOCK_MONOTONIC, ns; 0: not stamped */
} __attribute__((packed, aligned(2)));

/* The head of a generated frame; the rest is as the page had it. Network order but for the payload. */
struct bench_frame {
	struct ethhdr ethernet;
	struct iphdr ip;
	struct udphdr udp;
	struct crosspoint_rtp_header rtp;
	struct bench_payload payload;
} __attribute__((packed, aligned(2)));

/* The packets that are sent. The program that runs the generator writes the first part before a run, the generator the second. */
struct bench_plan {
	__u8 frame[72];		/* struct bench_frame, and two bytes more */
	__u64 interval;		/* between packets, of all flows together, in 1/65536 ns */
	__u64 limit;		/* packets to send */
	__u64 duration;		/* nothing is sent later than this, ns from the first packet */
	__u64 ticks_per_frame;	/* of the RTP clock, in 1/65536 */
	__u32 packets_per_frame;
	__u32 flow_count;	/* flow n goes to the frame's address + n, which begins with zeros in its last 16 bits */
	__u32 address_sum;	/* ones' complement sum of the IP header without checksum, host order */
	__u32 quantum;		/* packets of one look at the clock, each of another flow */
	__u32 is_stamped;
	__u32 reserved;

	__u64 start;		/* of the first packet, CLOCK_MONOTONIC, ns */
	__u64 sent;
	__u64 last_time;	/* of the last look at the clock that let packets go */
	__u64 previous;		/* the last look at the clock, if nothing was sent at it; else 0 */
	__u64 idle;		/* ns that passed between two looks at which no packet was due */
	__u64 largest_delay;	/* by which a packet left later than planned, ns */
	__u32 credit;		/* packets that may go without another look */
	__u32 next_flow;
};

struct bench_flow {
	__u64 timestamp; /* in 1/65536 ticks */
	__u32 in_frame;
	__u32 sequence;
};

/* The packets of one flow that arrived at its first leg. */
struct bench_arrival {
	__u64 transit; /* of the packet before, ns */
	__u64 jitter;  /* interarrival jitter (RFC 3550 section 6.4.1), in 1/16 ns */
	__u64 packets;
	__u64 reserved;
};

/* The totals of a CPU's sinks. */
struct bench_total {
	__u64 packets;
	__u64 bytes;
	__u64 stamped;
	__u64 largest; /* latency, ns */
	__u64 sum;     /* of latencies, ns */
	__u64 reserved[3];
	__u64 buckets[BENCH_BUCKETS];
};
