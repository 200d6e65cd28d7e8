/*
 * AF_XDP: what Debian 12's <linux/if_xdp.h> lacks, the socket options that <sys/socket.h> has and Swift's Glibc module does not,
 * and the kernel's numbers about a socket. All return 0 or a negative errno.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Bind flag: frames of several buffers (6.6). */
#define CROSSPOINT_XDP_USE_SG (1 << 4)
/* In a descriptor's options: the frame continues in the next one. */
#define CROSSPOINT_XDP_PKT_CONTD (1 << 0)

/* Finds out if the socket was bound zero-copy: XDP_OPTIONS. */
int crosspoint_xdp_is_zero_copy(int socket, bool *result);

/* XDP_STATISTICS, in the order of the counters KERNEL_* in bpf/socket_counters.h. */
int crosspoint_xdp_statistics(int socket, uint64_t values[6]);

/* Sets the number of descriptors that one send takes in copy mode (XDP_MAX_TX_SKB_BUDGET, 6.17); an older kernel takes 32. */
int crosspoint_xdp_set_send_budget(int socket, uint32_t descriptors);

/* Bytes that may be under way in copy mode, whatever the limit for ordinary users. */
int crosspoint_set_send_buffer(int socket, int bytes);

/* The driver's queue is polled by the caller's own system calls for `microseconds`, and preferred to interrupts. */
int crosspoint_set_busy_poll(int socket, uint32_t microseconds, uint32_t budget);

/* Has the kernel take what is in the transmit ring, without waiting. */
int crosspoint_xdp_send(int socket);

/* Has the kernel look at the fill ring, without waiting. */
int crosspoint_xdp_receive(int socket);

/* CLOCK_MONOTONIC in nanoseconds. */
uint64_t crosspoint_monotonic(void);
