/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/*
 * The records by which the daemon looks at what arrives at a port: samples of frames, one lane for each CPU. Host byte order.
 *
 * The daemon reads all samples many times a second and raises `limit`: a program never overwrites what was not read. A daemon that is
 * gone raises nothing, and `deadline` passes: the first packet after it ends the scan on its CPU. So nothing has to be undone.
 */
#pragma once

#include <linux/types.h>

/* Samples of one CPU that wait for the daemon at most; a power of two. */
#define CROSSPOINT_SCAN_SAMPLES 512
/* Bytes of a frame's beginning in a sample: two tags, IPv6, UDP, and the first bytes of the payload. */
#define CROSSPOINT_SCAN_BYTES 112
/* The longest stride. */
#define CROSSPOINT_SCAN_STRIDE 65536

/* The scan on one CPU. Index: CPU. */
struct crosspoint_scan_lane {
	/* Written by the daemon. */
	__u32 interface_index; /* of the port that is looked at */
	__u32 stride;          /* one packet of so many is taken, on average */
	__u32 limit;           /* `taken` never gets beyond it */
	__u32 reserved;
	__u64 deadline; /* CLOCK_MONOTONIC, ns: the scan ends by itself */
	/* Counted down by the program, begun by the daemon where it is 0: packets until the next look; 0: no scan. */
	__u32 countdown;
	/* Written by the program. */
	__u32 interval; /* the value that the countdown began with */
	__u32 waiting;  /* packets since the last sample, before this countdown */
	__u32 taken;    /* samples */
	__u64 reserved_for_program[3];
};
_Static_assert(sizeof(struct crosspoint_scan_lane) == 64, "one cache line");

/* One frame. Index: CPU * CROSSPOINT_SCAN_SAMPLES + number mod CROSSPOINT_SCAN_SAMPLES. */
struct crosspoint_scan_sample {
	__u32 weight; /* the packets that it is one of */
	__u32 length; /* of the frame, bytes, without FCS */
	__u64 time;   /* CLOCK_MONOTONIC, ns */
	__u8 bytes[CROSSPOINT_SCAN_BYTES];
};
_Static_assert(sizeof(struct crosspoint_scan_sample) == 128, "two cache lines");
