/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/* The records that the load generator and the sink share with tests and benchmarks. Host byte order unless said. */
#pragma once

#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/types.h>
#include <linux/udp.h>

#include "rtp_header.h"

#define LOADGEN_FLOWS 65536
#define LOADGEN_DESTINATIONS 8192
#define LOADGEN_FIRST_UDP_PORT 20000
#define LOADGEN_CPUS 256
#define LOADGEN_REDIRECTS 16

/* The head of a generated frame; the rest is as the page had it. Network order but for the last two. */
struct loadgen_frame {
	struct ethhdr ethernet;
	struct iphdr ip;
	struct udphdr udp;
	struct crosspoint_rtp_header rtp;
	__u32 flow;
	__u32 packet;
} __attribute__((packed, aligned(2)));

/* The packets that are sent. Written by the test before a run. */
struct loadgen_plan {
	__u8 frame[64]; /* struct loadgen_frame, and two bytes more */
	__u32 flow_count; /* a power of two; flow n has the frame's UDP port + n */
	__u32 packets_per_frame;
	__u32 ticks_per_frame;
	__u32 drop_every;   /* of each so many packets of a flow, one sequence number is left out; 0: none */
	__u32 swap_every;   /* of each so many, two change places */
	__u32 repeat_every; /* of each so many, one repeats the number before it */
	__u64 sent;
	__u64 first_time; /* of the first packet, CLOCK_MONOTONIC, ns */
	__u64 last_time;  /* of the packet that made `timed` packets, every 1024 */
	__u64 timed;
};

struct loadgen_flow {
	__u32 timestamp;
	__u32 in_frame;
	__u32 packets;
	__u16 sequence;
	__u8 swapped;
	__u8 reserved;
};

/* The copies that must arrive at one UDP port of the sink, and those that did. */
struct loadgen_destination {
	__u8 ethernet[12]; /* destination and source address */
	__u32 source;      /* network order */
	__u32 destination; /* network order */
	__u32 vlans;       /* as struct crosspoint_flow has them */
	__u32 interface_index;
	__u32 flow;
	__u8 ttl;
	__u8 tos;
	__u8 in_use;
	__u8 reserved;
	__u32 last_packet;
	__u64 good;
	__u64 bad;
	__u64 missing;
	__u64 out_of_order;
	__u8 first_bad[64];
};

struct loadgen_total {
	__u64 packets;
	__u64 bytes;
	__u64 strays; /* UDP packets that a checking sink knows no destination for */
	__u64 reserved[5];
};
