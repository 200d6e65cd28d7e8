/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/*
 * Counters of each AF_XDP socket: one list, from which the ABI takes the numbers and Swift the names.
 */
#pragma once

#define CROSSPOINT_SOCKET_COUNTERS(X) \
	/* By the worker. */ \
	X(RX_PACKETS, "rx_packets") \
	X(TX_PACKETS, "tx_packets") \
	X(TX_WAKEUPS, "tx_wakeups") \
	X(RX_WAKEUPS, "rx_wakeups") \
	X(COPIED_BETWEEN_UMEMS, "copied_between_umems") \
	X(RX_STALE, "rx_stale") \
	X(RX_TRUNCATED, "rx_truncated") \
	/* The kernel's answers to a send. */ \
	X(TX_BUSY, "tx_busy") \
	X(TX_AGAIN, "tx_again") \
	X(TX_NO_BUFFERS, "tx_no_buffers") \
	X(TX_NETWORK_DOWN, "tx_network_down") \
	X(TX_ERRORS, "tx_errors") \
	/* Packets that the worker could not send. */ \
	X(TX_RING_FULL, "tx_ring_full") \
	X(TX_NO_FRAME, "tx_no_frame") \
	/* The kernel's XDP_STATISTICS. */ \
	X(KERNEL_RX_DROPPED, "kernel_rx_dropped") \
	X(KERNEL_RX_INVALID, "kernel_rx_invalid_descriptors") \
	X(KERNEL_TX_INVALID, "kernel_tx_invalid_descriptors") \
	X(KERNEL_RX_RING_FULL, "kernel_rx_ring_full") \
	X(KERNEL_FILL_RING_EMPTY, "kernel_fill_ring_empty") \
	X(KERNEL_TX_RING_EMPTY, "kernel_tx_ring_empty")

enum crosspoint_socket_counter {
#define CROSSPOINT_SOCKET_COUNTER_NUMBER(name, text) CROSSPOINT_SOCKET_##name,
	CROSSPOINT_SOCKET_COUNTERS(CROSSPOINT_SOCKET_COUNTER_NUMBER)
#undef CROSSPOINT_SOCKET_COUNTER_NUMBER
	CROSSPOINT_SOCKET_COUNTER_COUNT,
};

#define CROSSPOINT_SOCKET_COUNTER_SLOTS 30
_Static_assert(CROSSPOINT_SOCKET_COUNTER_COUNT <= CROSSPOINT_SOCKET_COUNTER_SLOTS, "raise CROSSPOINT_SOCKET_COUNTER_SLOTS");
