/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/*
 * Every reason for which a packet is not forwarded, or a copy is not sent: one list, from which BPF takes the
 * numbers and Swift the names (with the `drop_`, `pass_` and `copy_` that say what became of it). Two versions may count in the same
 * array (fastpath_abi.h): a reason keeps its number, and new ones come last.
 */
#pragma once

#define CROSSPOINT_REASONS(X) \
	/* Handed to the host's own stack. */ \
	X(PASS_NOT_IP, "pass_not_ip") \
	X(PASS_NOT_UDP, "pass_not_udp") \
	X(PASS_NOT_OURS, "pass_not_ours") \
	X(PASS_TOO_MANY_VLANS, "pass_too_many_vlans") \
	X(PASS_MALFORMED, "pass_malformed") \
	X(PASS_IP_OPTIONS, "pass_ip_options") \
	X(PASS_FRAGMENT, "pass_fragment") \
	X(PASS_TTL_EXPIRED, "pass_ttl_expired") \
	X(PASS_UNKNOWN_SOURCE, "pass_unknown_source") \
	X(PASS_TO_HOST, "pass_to_host") \
	/* Dropped: ours, but not wanted. */ \
	X(DROP_NO_FLOW, "drop_no_flow") \
	X(DROP_DRAINING, "drop_draining") \
	X(DROP_WRONG_SOURCE, "drop_wrong_source") \
	X(DROP_WRONG_PORT, "drop_wrong_port") \
	X(DROP_OWN_PACKET, "drop_own_packet") \
	X(DROP_NO_LEG, "drop_no_leg") \
	X(DROP_NOT_RTP, "drop_not_rtp") \
	X(DROP_NOT_RTCP, "drop_not_rtcp") \
	X(DROP_BAD_LENGTH, "drop_bad_length") \
	X(DROP_BAD_CHECKSUM, "drop_bad_checksum") \
	X(DROP_MAPPED_ADDRESS, "drop_mapped_address") \
	X(DROP_NO_WORKER, "drop_no_worker") \
	/* Copies that were asked for and not sent. */ \
	X(COPY_GATED, "copy_gated") \
	X(COPY_NO_LEG, "copy_no_leg") \
	X(COPY_REWRITE_FAILED, "copy_rewrite_failed") \
	X(COPY_INTERFACE_DOWN, "copy_interface_down") \
	X(COPY_TOO_LONG, "copy_too_long") \
	X(COPY_NOT_SUPPORTED, "copy_not_supported") \
	X(COPY_NO_MEMORY, "copy_no_memory") \
	X(COPY_REFUSED, "copy_refused") \
	X(COPY_WORKER_BUSY, "copy_worker_busy") \
	/* SRTP: by the worker, before the packet's copies or of one copy. */ \
	X(COPY_SRTP_AUTHENTICATION, "copy_srtp_authentication") \
	X(COPY_SRTP_REPLAY, "copy_srtp_replay") \
	X(COPY_SRTP_UNKNOWN_KEY, "copy_srtp_unknown_key") \
	X(COPY_SRTP_MALFORMED, "copy_srtp_malformed") \
	X(COPY_SRTP_KEY_LIMIT, "copy_srtp_key_limit") \
	X(COPY_SRTP_NO_KEY, "copy_srtp_no_key") \
	X(COPY_SRTP_FAILED, "copy_srtp_failed") \
	/* Dropped: ours by its destination, but nothing that a router sends on (soundness.h). */ \
	X(DROP_MARTIAN_SOURCE, "drop_martian_source") \
	X(DROP_WRONG_MAC, "drop_wrong_mac") \
	X(DROP_BAD_HEADER_CHECKSUM, "drop_bad_header_checksum") \
	/* A copy that an AF_XDP worker encrypts, of a packet that no worker took. */ \
	X(COPY_NO_WORKER, "copy_no_worker")

enum crosspoint_reason {
#define CROSSPOINT_REASON_NUMBER(name, text) CROSSPOINT_##name,
	CROSSPOINT_REASONS(CROSSPOINT_REASON_NUMBER)
#undef CROSSPOINT_REASON_NUMBER
	CROSSPOINT_REASON_COUNT,
};

/* Reasons of one port on one CPU. Index: CPU * CROSSPOINT_MAX_PORTS + port; port CROSSPOINT_MAX_PORTS - 1 takes what has none. */
#define CROSSPOINT_REASON_SLOTS 64
_Static_assert(CROSSPOINT_REASON_COUNT <= CROSSPOINT_REASON_SLOTS, "raise CROSSPOINT_REASON_SLOTS");

struct crosspoint_reason_count {
	unsigned long long packets[CROSSPOINT_REASON_SLOTS];
};
