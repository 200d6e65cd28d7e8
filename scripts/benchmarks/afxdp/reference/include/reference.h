/*
 * An AF_XDP worker in C, of the same shape as the engine's: what the engine is measured against.
 *
 * The same rings (libxdp's), the same tables and header rules (bpf/), the same books about frames and the same counters. Not
 * part of the product.
 */
#pragma once

#include <stdint.h>

#include "../../../../../bpf/fastpath_abi.h"

struct xsk_ring_prod;
struct xsk_ring_cons;

/* The parts of the fast path's maps that a worker reads and writes. */
struct reference_tables {
	const struct crosspoint_flow *flows;
	const struct crosspoint_flow_detail *flow_details;
	const struct crosspoint_leg *legs;
	const struct crosspoint_leg_detail *leg_details;
	const struct crosspoint_group *groups;
	struct crosspoint_leg_count *leg_counts;
	struct crosspoint_leg_count *leg_refusals;
	struct crosspoint_port_count *ports;
	uint64_t *reasons; /* of each port, CROSSPOINT_REASON_SLOTS */
	uint32_t flow_slots, leg_slots, group_slots, leg_counters, reason_slots;
};

struct reference;

/* A worker over `frames` frames of 4,096 bytes at `base`; with `base` NULL it takes memory and registers it with the kernel. */
struct reference *reference_create(const struct reference_tables *tables, void *base, uint32_t frames);
void reference_destroy(struct reference *worker);

/* Adds a socket whose rings somebody else made. */
void reference_add(struct reference *worker, uint8_t port, int receives, struct xsk_ring_cons *rx, struct xsk_ring_prod *tx,
		   struct xsk_ring_prod *fill, struct xsk_ring_cons *completion, uint64_t *counters);

/* Opens a socket in copy mode at queue 0 of an interface. Returns its descriptor, or a negative errno. */
int reference_open(struct reference *worker, const char *interface, uint8_t port, int receives, uint64_t *counters);

/* Looks once at every socket. Returns how many packets came. */
uint32_t reference_pass(struct reference *worker, uint64_t now);

/*
 * Nanoseconds that libsrtp takes to encrypt a copy of an RTP packet by AES-128-GCM, with sequence numbers that go up; negative when it
 * refuses. Whoever calls has set the library up. `key` has the master key's 16 bytes and the master salt's 12.
 */
double reference_srtp_nanoseconds(const uint8_t *packet, uint32_t length, const uint8_t *key, uint32_t packets);

/* Serves the sockets until `*stop`, beating at `heartbeat`. */
void reference_run(struct reference *worker, volatile uint64_t *heartbeat, const volatile int *stop);
