/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/*
 * The records that the BPF programs and the daemon share: the one description of every map's contents.
 *
 * Included by the BPF programs, by the C shim and through it by Swift. Fields are in host byte order unless their
 * comment says "network order". Padding is explicit, every size is asserted.
 *
 * Whoever changes the layout raises CROSSPOINT_ABI_VERSION. A daemon that finds tables of another version makes its own beside
 * them, and carries over what both have, by the names of maps and fields (Sources/FastPath/Generations). So these stay:
 *  - a field, flag or value of an enumeration keeps its meaning as long as it has its name, and no bit or number is used again;
 *  - slots, groups, legs and counters keep their numbers; another hash of flow keys is another name for `flow_lines`;
 *  - what packets write (rtp, rtp_details, flow_counts, leg_counts, leg_refusals, lanes, reason_counts) is shared by both versions
 *    as long as it has the same records: then not a packet is missing in it. What is to be counted besides goes to a map of its own;
 *  - struct crosspoint_note: for the length of a burst, copies of one version's ingress meet the other's egress program.
 */
#pragma once

#include <linux/types.h>

#include "socket_counters.h"

#define CROSSPOINT_ABI_VERSION 8

/* Ports (network interfaces) that one node can attach. Port numbers are indices into everything that is per port. */
#define CROSSPOINT_MAX_PORTS 64
/* Slots of the table that finds a port by its interface index; a power of two, sparsely filled. */
#define CROSSPOINT_PORT_SLOTS 1024
/* Probes that a lookup makes at most. The daemon inserts nothing that would need more. */
#define CROSSPOINT_PORT_PROBES 8
#define CROSSPOINT_FLOW_PROBES 32
/* Sequence numbers, in words of 64, for which the fast path remembers which ones came. */
#define CROSSPOINT_HISTORY_WORDS 64
#define CROSSPOINT_MAX_LEGS 512
/* Receive queues of one port on which AF_XDP sockets can be. */
#define CROSSPOINT_MAX_QUEUES 64
/* AF_XDP workers at most; each has a lane of its own behind those of the CPUs. */
#define CROSSPOINT_MAX_WORKERS 8
/* A worker that was silent for longer gets no packets, ns. */
#define CROSSPOINT_HEARTBEAT_LIMIT 100000000

/* ---- Flow table -------------------------------------------------------------------------------------------- */

/* The purpose of a slot of the flow table. Written last on insertion: a slot exists when its kind is there, and goes with it. */
enum crosspoint_slot_kind {
	CROSSPOINT_SLOT_FREE = 0,
	/* Matches ingress interface, VLANs, destination address and UDP port. */
	CROSSPOINT_SLOT_DESTINATION = 1,
	/* The same and the source address. */
	CROSSPOINT_SLOT_SOURCE = 2,
	/* The same and the source UDP port. */
	CROSSPOINT_SLOT_SOURCE_PORT = 3,
	/* A group that the node joined, or an address and UDP port that it reserved: what has no flow there is dropped. */
	CROSSPOINT_SLOT_GUARD = 4,
};

enum crosspoint_flow_flag {
	/* Payload is validated as RTP (RFC 3550 appendix A.1), with RTCP beside it (RFC 5761). */
	CROSSPOINT_FLOW_RTP = 1 << 0,
	/* Payload is RTCP. */
	CROSSPOINT_FLOW_RTCP = 1 << 1,
	/* RTP accounting is on. */
	CROSSPOINT_FLOW_ACCOUNT = 1 << 2,
	/* Only packets from `source` belong to the flow. */
	CROSSPOINT_FLOW_FILTER_SOURCE = 1 << 3,
	/* Only packets from `source_port` belong to the flow. */
	CROSSPOINT_FLOW_FILTER_SOURCE_PORT = 1 << 4,
	/* Slots of kind SOURCE, or SOURCE_PORT, exist for the same destination and go first. */
	CROSSPOINT_FLOW_HAS_SOURCES = 1 << 5,
	CROSSPOINT_FLOW_HAS_SOURCE_PORTS = 1 << 6,
	/* The slot only leads to slots with sources: whatever matches none of them is from a wrong source. */
	CROSSPOINT_FLOW_DISPATCH_ONLY = 1 << 7,
	/* The route was removed while its source may still send. */
	CROSSPOINT_FLOW_DRAINING = 1 << 8,
	/* An unknown source is reported with its first packet. */
	CROSSPOINT_FLOW_REPORT_UNKNOWN = 1 << 9,
	/* Packets of unknown sources go to the host instead of being dropped. */
	CROSSPOINT_FLOW_UNKNOWN_TO_HOST = 1 << 10,
	/* Packets of the flow go to the host after accounting. */
	CROSSPOINT_FLOW_TO_HOST = 1 << 11,
	/* The flow's first packet is reported. */
	CROSSPOINT_FLOW_REPORT_FIRST = 1 << 12,
	/* The UDP checksum is verified before anything else is believed. */
	CROSSPOINT_FLOW_VERIFY_CHECKSUM = 1 << 13,
	/* Packets go to the AF_XDP worker of their port and queue while there is one; else the kernel engine has them. */
	CROSSPOINT_FLOW_AFXDP = 1 << 14,
	/* With CROSSPOINT_FLOW_AFXDP: without a worker they are dropped, never sent as they are. */
	CROSSPOINT_FLOW_AFXDP_ONLY = 1 << 15,
	/* Frames come to the port's own address, or to that of the destination's group, and to no other. */
	CROSSPOINT_FLOW_OWN_MAC = 1 << 16,
	/* Whatever asks for a look at the source. */
	CROSSPOINT_FLOW_SOURCES = CROSSPOINT_FLOW_FILTER_SOURCE | CROSSPOINT_FLOW_FILTER_SOURCE_PORT |
				  CROSSPOINT_FLOW_HAS_SOURCES | CROSSPOINT_FLOW_HAS_SOURCE_PORTS |
				  CROSSPOINT_FLOW_DISPATCH_ONLY,
	/* Whatever the short way through ingress does not do. */
	CROSSPOINT_FLOW_SPECIAL = CROSSPOINT_FLOW_RTCP | CROSSPOINT_FLOW_HAS_SOURCES | CROSSPOINT_FLOW_HAS_SOURCE_PORTS |
				  CROSSPOINT_FLOW_DISPATCH_ONLY | CROSSPOINT_FLOW_DRAINING | CROSSPOINT_FLOW_TO_HOST |
				  CROSSPOINT_FLOW_VERIFY_CHECKSUM | CROSSPOINT_FLOW_AFXDP | CROSSPOINT_FLOW_AFXDP_ONLY,
};

/* Rules that only few packets need to be checked against. */
enum crosspoint_flow_rule {
	/* Payload is encrypted (SRTP): of what lies behind the headers nothing can be said. */
	CROSSPOINT_RULE_ENCRYPTED = 1 << 0,
};

/*
 * The destinations of a flow's packets, in 64 bits so that one store changes it: bits 0-31 the index of the leg record
 * or of the group, bits 32-47 the shape, bits 48-63 the number of legs.
 */
#define CROSSPOINT_SHAPE_NONE 0   /* no legs: packets are accounted and dropped as no_leg */
#define CROSSPOINT_SHAPE_DIRECT 1 /* one leg: index is the leg record */
#define CROSSPOINT_SHAPE_FIRST 2  /* shapes of groups: index is the group, the shape selects the devmap */
#define CROSSPOINT_MAX_SHAPES 4096

/*
 * Hot and cold halves of a record lie in arrays of their own, so that thousands of flows find room in a core's cache:
 * a packet of a flow with one leg touches one line each of its slot, its accounting and its leg. They are filled from
 * the front, so that flows which were made together, and mostly send together, lie together. Only the entries that
 * lead to them lie where a hash says: 4 bytes each instead of a line.
 */

/*
 * A cache line of the entries by which slots are found, written by the daemon only: an open-addressed hash table.
 *
 * There are as many entries as slots, a power of two: the lower bits of an entry are its slot, the others those of the
 * key's crosspoint_flow_hash(). The hash's lower bits are the place where a search begins; collisions go to the next
 * entry. Zero ends a search. Slot 0 is never used: an entry that leads there is a removed one, and the search continues.
 */
#define CROSSPOINT_FLOW_LINE_ENTRIES 16
struct crosspoint_flow_line {
	__u32 entries[CROSSPOINT_FLOW_LINE_ENTRIES];
};
_Static_assert(sizeof(struct crosspoint_flow_line) == 64, "one cache line");

/* One flow, or what keeps packets from the host, written by the daemon only. */
struct crosspoint_flow {
	/* Key, with crosspoint_flow_detail.source. Addresses are in network order, IPv4 as ::ffff:a.b.c.d. */
	__u32 destination[4];
	__u32 interface_index;
	/* VLAN identifiers, outer in bits 16-27, inner in bits 0-11; a single tag is the outer one, 0 is none. Bit 31 is
	 * never set here: it is in what parse.h makes of a packet whose innermost tag is not of 802.1Q. */
	__u32 vlans;
	__u16 destination_port; /* network order */
	__u8 kind;              /* enum crosspoint_slot_kind, written last */
	__u8 key_reserved;
	__u32 index; /* the flow's index in the arrays of its counters */
	/* From here to `flags` one word, which the daemon stores at once. */
	__u16 source_port; /* network order; key of SOURCE_PORT slots, filter of others */
	__u8 clock_mask;   /* the clock is read for sequence numbers with none of these bits */
	__u8 port;         /* the ingress port's number */
	__u32 flags;       /* enum crosspoint_flow_flag */
	__u64 target;      /* of RTP and raw packets */
	__u16 nanoseconds_per_tick[3]; /* of the RTP clock, in 1/65536 ns, lowest word first; 0: unknown, no jitter */
	__u8 ingress_mac[6];           /* the ingress port's own address: a packet from it is our own, come back */
	__u32 outage; /* silence that 16-bit sequence numbers can't bridge at the flow's rate, in 2^20 ns; 0: any */
};
_Static_assert(sizeof(struct crosspoint_flow) == 64, "one cache line");
_Static_assert(__builtin_offsetof(struct crosspoint_flow, source_port) == 32 &&
		       __builtin_offsetof(struct crosspoint_flow, nanoseconds_per_tick) == 48, "whole words");

/* The RTP clock's tick in 1/65536 ns: 48 bits, up to four seconds. */
static inline __attribute__((always_inline)) __u64
crosspoint_flow_tick(const struct crosspoint_flow *flow)
{
	return *(const __u64 *)flow->nanoseconds_per_tick & 0xffffffffffffULL;
}

/* The part of a slot that few packets need. Index: slot. */
struct crosspoint_flow_detail {
	__u32 source[4];   /* network order; key of SOURCE and SOURCE_PORT slots, filter of others */
	__u64 rtcp_target; /* of RTCP packets */
	__u64 generation;  /* changes with every use of the slot; for the daemon */
	__u16 max_dropout;  /* RFC 3550 appendix A.1, scaled to the flow's rate */
	__u16 max_misorder; /* likewise; at most 64 * (CROSSPOINT_HISTORY_WORDS - 2) */
	__u32 rules;        /* enum crosspoint_flow_rule */
	__u64 second_target; /* reserved for copies that go elsewhere too; like `target`, and none */
	__u8 route[16];      /* the route's identifier (RFC 9562), 0 where there is none */
	__u16 route_source;  /* the flow's place among the route's sources, from 0 */
	__u16 reserved[31];
};
_Static_assert(sizeof(struct crosspoint_flow_detail) == 128, "two cache lines");

/*
 * RTP accounting of one flow, written by the fast path only, by one CPU at a time (a flow arrives on one queue).
 * Touched by every packet. Index: crosspoint_flow.index.
 */
struct crosspoint_rtp {
	__u64 highest;      /* extended: wraps are counted above bit 15 */
	__u64 received;     /* since base */
	__u64 last_arrival; /* CLOCK_MONOTONIC, ns; of any packet, RTP or not */
	__u64 window;       /* which of the 64 sequence numbers around `highest` came: bit n for number (n mod 64) */
	__u64 jitter;       /* RFC 3550 section 6.4.1, in 1/16 ns */
	__u32 last_timestamp;
	__u32 ssrc;
	__u32 largest_gap;    /* between two packets, in units of 1024 ns */
	__u32 largest_jitter; /* ns */
	__u32 source;         /* the source address, folded */
	__u16 bad_sequence;   /* the number that would confirm a restart; valid with CROSSPOINT_RTP_BAD_SEQUENCE */
	__u8 state;           /* enum crosspoint_rtp_state bits; attempts of probation in the upper half */
	__u8 payload_type;
};
_Static_assert(sizeof(struct crosspoint_rtp) == 64, "one cache line");

/* The part that is touched by what should not happen, and every 64 packets. Index: crosspoint_flow.index. */
struct crosspoint_rtp_detail {
	__u64 base;            /* extended sequence number of the first packet since the last start */
	__u64 expected_before; /* expected and received before the last start */
	__u64 received_before;
	__u64 loss_events;
	__u64 reordered;
	__u64 duplicates;
	__u64 late;
	__u64 ssrc_changes;
	__u64 source_changes;
	__u64 sequence_resets;
	__u64 outages;
	__u64 largest_gap_packets;
	__u64 rtcp_packets;
	__u64 invalid;
	__u64 wrong_source;
	__u64 reserved;
	/* The sequence numbers that came, a word for each 64 of them, at (number / 64) mod CROSSPOINT_HISTORY_WORDS. */
	__u64 history[CROSSPOINT_HISTORY_WORDS];
};
_Static_assert(sizeof(struct crosspoint_rtp_detail) == 128 + 8 * CROSSPOINT_HISTORY_WORDS, "whole cache lines");

enum crosspoint_rtp_state {
	CROSSPOINT_RTP_STARTED = 1 << 0,      /* a packet came */
	CROSSPOINT_RTP_VALID = 1 << 1,        /* two in sequence came (MIN_SEQUENTIAL) */
	CROSSPOINT_RTP_BAD_SEQUENCE = 1 << 2, /* bad_sequence is set */
	CROSSPOINT_RTP_TIMED = 1 << 3,        /* last_arrival and sampled_timestamp are set */
};

/* Packets of a flow on one CPU: exact whatever the number of CPUs. Index: CPU * flows + crosspoint_flow.index. */
struct crosspoint_flow_count {
	__u64 packets;
	__u64 bytes;
};
_Static_assert(sizeof(struct crosspoint_flow_count) == 16, "a quarter of a cache line");

/* ---- Legs and groups --------------------------------------------------------------------------------------- */

enum crosspoint_leg_flag {
	CROSSPOINT_LEG_KEEP_SOURCE = 1 << 0,
	CROSSPOINT_LEG_KEEP_SOURCE_PORT = 1 << 1,
	/* The RTP header is rewritten. */
	CROSSPOINT_LEG_RTP = 1 << 2,
	CROSSPOINT_LEG_SET_PAYLOAD_TYPE = 1 << 3,
	CROSSPOINT_LEG_SET_SSRC = 1 << 4,
	/* Packets before gate_sequence are held back until gate_deadline. */
	CROSSPOINT_LEG_GATED = 1 << 5,
	/* Nothing is sent. The daemon opens a leg by one store that clears this and may set CROSSPOINT_LEG_GATED. */
	CROSSPOINT_LEG_SHUT = 1 << 6,
	/* The leg's addresses are of the other family than the flow's. */
	CROSSPOINT_LEG_CHANGE_FAMILY = 1 << 7,
	/* The leg's frames have VLAN tags. */
	CROSSPOINT_LEG_TAGGED = 1 << 8,
	/* TTL or DSCP by the leg's own rule, not the usual one: one hop less, the same class. */
	CROSSPOINT_LEG_REMARK = 1 << 9,
	/* The leg's copies leave encrypted (SRTP), by an AF_XDP worker; the kernel engine sends none (copy_no_worker). */
	CROSSPOINT_LEG_PROTECT = 1 << 10,
	/* Whatever the short way through egress does not do. */
	CROSSPOINT_LEG_SPECIAL = CROSSPOINT_LEG_RTP | CROSSPOINT_LEG_GATED | CROSSPOINT_LEG_SHUT |
				 CROSSPOINT_LEG_CHANGE_FAMILY | CROSSPOINT_LEG_TAGGED | CROSSPOINT_LEG_PROTECT,
};

/*
 * The form in which one copy leaves. Immutable while a flow or a group refers to it, but for `flags` and
 * `gate_sequence` when a shut leg is opened. Aligned, or the compiler halves wide loads.
 */
struct crosspoint_leg {
	__u32 flags; /* enum crosspoint_leg_flag */
	__u8 port;   /* the egress port's number */
	__u8 tag_count;
	__u8 ttl_add; /* the TTL or hop limit becomes (old & ttl_keep) + ttl_add, modulo 256 */
	__u8 dscp_keep; /* the traffic class becomes (old & dscp_keep) | dscp_set */
	__u8 destination_mac[6];
	__u8 source_mac[6];
	__u8 dscp_set;
	__u8 payload_type;
	__u16 address_sum;      /* ones' complement sum of the new addresses */
	__u32 tags[2];          /* network order: TPID, priority 0 and VLAN identifier, outer first */
	__u16 source_port;      /* network order; 0 where it is kept */
	__u16 destination_port; /* network order */
	__u32 counter;          /* the leg's index among the counters: stays when the record is replaced */
	__u32 source_ipv4;      /* network order */
	__u32 destination_ipv4; /* network order */
	__u32 ssrc;             /* network order */
	__u32 timestamp_offset;
	__u16 sequence_offset;
	__u8 ttl_keep;
	__u8 l3_offset; /* where the IP header begins in the leg's frames: 14 and 4 for each tag */
	__u32 gate_sequence; /* low half of the extended sequence number from which the leg begins */
} __attribute__((aligned(8)));
_Static_assert(sizeof(struct crosspoint_leg) == 64, "one cache line");

/* The part of a leg that few packets need. Index: the leg's. */
struct crosspoint_leg_detail {
	__u32 source_ipv6[4];      /* network order */
	__u32 destination_ipv6[4]; /* network order */
	__u64 gate_deadline;       /* CLOCK_MONOTONIC, ns */
	__u32 reserved[22];
};
_Static_assert(sizeof(struct crosspoint_leg_detail) == 128, "two cache lines");

/*
 * A set of legs, contiguous in the leg array and sorted by port; immutable while a flow refers to it. A section says
 * which of them leave through one port: the first one's index in the lower 20 bits, their number above.
 */
struct crosspoint_group {
	__u32 first_leg;
	__u32 leg_count;
	__u32 reserved[2];
	__u32 sections[CROSSPOINT_MAX_PORTS];
};
_Static_assert(sizeof(struct crosspoint_group) == 16 + 4 * CROSSPOINT_MAX_PORTS, "no padding");
#define CROSSPOINT_SECTION_BITS 20
#define CROSSPOINT_SECTION_FIRST(section) ((section) & ((1u << CROSSPOINT_SECTION_BITS) - 1))
#define CROSSPOINT_SECTION_COUNT(section) ((section) >> CROSSPOINT_SECTION_BITS)

/* Copies of a leg on one CPU. Index: CPU * leg counters + leg.counter. */
struct crosspoint_leg_count {
	__u64 packets;
	__u64 bytes;
};
_Static_assert(sizeof(struct crosspoint_leg_count) == 16, "a quarter of a cache line");

/* The findings of ingress about a frame, in one word. */
enum crosspoint_frame_flag {
	CROSSPOINT_FRAME_L3_OFFSET = 0xff, /* mask */
	CROSSPOINT_FRAME_IPV6 = 1 << 8,
	CROSSPOINT_FRAME_RTP = 1 << 9,      /* an RTP header follows the UDP header */
	CROSSPOINT_FRAME_SEQUENCE = 1 << 10, /* `sequence` is set */
	CROSSPOINT_FRAME_RTCP = 1 << 11,     /* goes to rtcp_target */
	CROSSPOINT_FRAME_WITHOUT = 16,       /* shift: from here on crosspoint_without_ipv4() of the packet */
};

/*
 * The knowledge of ingress about a frame when it has found its flow.
 *
 * An AF_XDP worker finds it in front of the frame, as XDP metadata. `group` is the flow's slot there, and `packet` the lower half of
 * its generation: the worker reads the target when it comes to the packet, since the one of now may be in other use by then.
 */
struct crosspoint_metadata {
	__u32 group;
	__u32 packet;   /* counts the broadcasts of one CPU */
	__u32 sequence; /* low half of the extended RTP sequence number */
	__u32 frame;    /* where the IP header begins, and enum crosspoint_frame_flag */
};
_Static_assert(sizeof(struct crosspoint_metadata) == 16, "a multiple of 4, at most 32");

/*
 * The note of ingress to egress about a copy: written over the Ethernet addresses, which every leg replaces, so that egress
 * touches no other cache line than the headers'. A frame without the mark has its headers already.
 */
struct crosspoint_note {
	__u32 packet;
	__u16 frame;   /* the lower half of crosspoint_metadata.frame */
	__u8 mark;     /* CROSSPOINT_NOTE_MARK */
	__u8 sequence; /* bits 16 to 23 of crosspoint_metadata.sequence: the lower ones are in the RTP header */
	__u32 group;
};
_Static_assert(sizeof(struct crosspoint_note) == 12, "two Ethernet addresses");
/* The mark in place of the beginning of a source address: a group's address, which no interface sends from. */
#define CROSSPOINT_NOTE_MARK 0xff

/* ---- Ports ------------------------------------------------------------------------------------------------- */

/* Finds a port by interface index; open-addressed, written by the daemon. */
struct crosspoint_port_slot {
	__u32 interface_index; /* 0: free */
	__u32 port;            /* CROSSPOINT_MAX_PORTS: removed, continue */
};

/* The counts of one CPU at one port. */
struct crosspoint_port_count {
	__u64 forwarded_packets; /* ingress */
	__u64 forwarded_bytes;
	__u64 requested_copies;
	__u64 transmitted_copies; /* egress: seen by the egress program */
	__u64 refused_copies;     /* egress: seen, then refused by the driver; with dropped_copies among them */
	__u32 last_packet;        /* egress: the broadcast whose copies are leaving */
	__u32 legs;               /* egress: the section of its copies that are still to come */
	__u64 dropped_copies;     /* egress: dropped by the egress program, which the kernel reports as refused */
	/* Ingress: the last packet's single leg and its length, in case the kernel refuses it. */
	__u32 direct_leg; /* counter, or one of CROSSPOINT_NOT_DIRECT_* */
	__u16 direct_port;
	__u16 direct_bytes;
};
_Static_assert(sizeof(struct crosspoint_port_count) == 64, "one cache line");

/* crosspoint_port_count.direct_leg of a packet that went elsewhere than to one leg. */
#define CROSSPOINT_NOT_DIRECT_GROUP 0xffffffffu
#define CROSSPOINT_NOT_DIRECT_WORKER 0xfffffffeu

/* One CPU's lane, or one AF_XDP worker's behind them. Index: CPU, or number of CPUs + worker. */
struct crosspoint_lane {
	struct crosspoint_port_count ports[CROSSPOINT_MAX_PORTS];
	/* The ports' interfaces, written by the daemon; a number is the lower bits of its interface's index where free. */
	__u32 interfaces[CROSSPOINT_MAX_PORTS];
	__u32 packet;       /* the last broadcast's number */
	__u32 event_second; /* events are limited per second of 2^30 ns */
	__u32 event_count;
	__u32 reserved[13];
};
_Static_assert(sizeof(struct crosspoint_lane) == 68 * CROSSPOINT_MAX_PORTS + 64, "whole cache lines");

/* ---- AF_XDP sockets ---------------------------------------------------------------------------------------- */

enum crosspoint_socket_flag {
	CROSSPOINT_SOCKET_OPEN = 1 << 0,
	CROSSPOINT_SOCKET_ZERO_COPY = 1 << 1,
	/* Frames of several buffers are received and sent. */
	CROSSPOINT_SOCKET_MULTI_BUFFER = 1 << 2,
};

/*
 * One AF_XDP socket of a port's queue, written by its worker only. Index: port * CROSSPOINT_MAX_QUEUES + queue, as in the map
 * of the sockets themselves.
 */
struct crosspoint_socket {
	__u64 heartbeat; /* CLOCK_MONOTONIC, ns; 0: takes no packets */
	__u32 flags;     /* enum crosspoint_socket_flag */
	__u32 worker;
	__u64 counters[CROSSPOINT_SOCKET_COUNTER_SLOTS]; /* enum crosspoint_socket_counter */
};
_Static_assert(sizeof(struct crosspoint_socket) == 256, "whole cache lines");

/* ---- Node -------------------------------------------------------------------------------------------------- */

/* The values that the programs and the readers of the pins must agree on; one record, written by the daemon. */
struct crosspoint_node {
	__u32 abi_version;
	__u32 lane_count; /* of the per-CPU arrays: CPUs and AF_XDP workers */
	__u32 flow_slots;
	__u32 flows;
	__u32 leg_slots;
	__u32 group_slots;
	__u32 leg_counters;
	__u32 worker_lanes; /* the last ones of the lanes */
	__u64 network_namespace; /* cookie: distinguishes our interfaces from equal numbers elsewhere */
	__u32 tx_ports_map;      /* id of the devmap of direct forwards */
	__u32 ingress_program;   /* id */
	char name[64];
	char program_version[64];
	__u64 created; /* ns since the epoch */
};
_Static_assert(sizeof(struct crosspoint_node) == 184, "no padding");

/* Sizes that the programs are loaded with: read-only data, which the verifier knows. */
struct crosspoint_sizes {
	__u32 flow_mask; /* flow slots, and the entries that lead to them, a power of two, less one */
	__u32 flows;
	__u32 leg_counters;
	__u32 reserved;
};

/* The label of a flow, for readers of the pins without the daemon. Index: crosspoint_flow.index. UTF-8, zero-terminated. */
struct crosspoint_flow_label {
	char route[64];
	char from[160];
	__u32 clock_rate;
	__u8 payload;    /* 0 rtp, 1 rtcp, 2 raw */
	__u8 accounting; /* 0 full, 1 sampled, 2 counters */
	__u8 in_use;
	__u8 engine_reason; /* why the flow has its engine; the daemon's numbers */
	__u32 slot;
	__u8 padding[20];
};
_Static_assert(sizeof(struct crosspoint_flow_label) == 256, "no padding");

/* The label of a leg. Index: leg.counter. */
struct crosspoint_leg_label {
	__u32 flow;   /* crosspoint_flow.index */
	__u32 number; /* within its route */
	__u8 in_use;
	__u8 reserved[7];
	char to[176];
};
_Static_assert(sizeof(struct crosspoint_leg_label) == 192, "no padding");

enum crosspoint_event_kind {
	CROSSPOINT_EVENT_FIRST_PACKET = 1,
	CROSSPOINT_EVENT_UNKNOWN_SOURCE = 2,
};

struct crosspoint_event {
	__u32 kind; /* enum crosspoint_event_kind */
	__u32 flow; /* slot */
	__u64 generation;
	__u64 time; /* CLOCK_MONOTONIC, ns */
	__u32 source[4]; /* network order */
	__u16 source_port; /* network order */
	__u16 reserved[3];
};
_Static_assert(sizeof(struct crosspoint_event) == 48, "no padding");

/* The reasons for which a packet for a flow's destination is not the flow's. The lowest bit is its place in crosspoint_watch. */
enum crosspoint_sighting_kind {
	/* The flow's address and UDP port, and another VLAN or interface. */
	CROSSPOINT_SIGHTED_ELSEWHERE = 0,
	/* The flow's, with a TTL or hop limit that ends here. */
	CROSSPOINT_SIGHTED_TTL = 1,
	/* The flow's group, and another UDP port. */
	CROSSPOINT_SIGHTED_UDP_PORT = 2,
	/* The flow's address, in fragments, which have no UDP port but the first. */
	CROSSPOINT_SIGHTED_FRAGMENT = 3,
};

/* The latest packet of one kind; fields of two packets may be mixed where two CPUs write at once. */
struct crosspoint_sighting {
	__u64 packets;
	__u64 time;             /* CLOCK_MONOTONIC, ns; 0: none came */
	__u32 source[4];        /* network order */
	__u32 kind;             /* enum crosspoint_sighting_kind */
	__u32 interface_index;
	__u32 vlans;            /* as in crosspoint_flow */
	__u16 source_port;      /* network order */
	__u16 udp_port;         /* network order */
	__u32 reserved[4];
};
_Static_assert(sizeof(struct crosspoint_sighting) == 64, "one cache line");

/* A destination that some flow has: with its UDP port, or with 0. */
struct crosspoint_watch_key {
	__u32 destination[4]; /* network order */
	__u16 udp_port;       /* network order */
	__u16 reserved;
};
_Static_assert(sizeof(struct crosspoint_watch_key) == 20, "no padding");

struct crosspoint_watch {
	struct crosspoint_sighting sightings[2];
};
_Static_assert(sizeof(struct crosspoint_watch) == 128, "two cache lines");

/* The hash of a flow key; the same in BPF, C and Swift (through the shim). `selector` is destination_port | kind << 16. */
static inline __attribute__((always_inline)) __u32
crosspoint_flow_hash(__u64 destination_high, __u64 destination_low, __u64 place, __u32 selector)
{
	/* Independent products first: a chain of three would cost twice as long. */
	__u64 hash = destination_low * 0x9e3779b97f4a7c15ULL + destination_high * 0xff51afd7ed558ccdULL +
		     place * 0xc4ceb9fe1a85ec53ULL + selector * 0xd6e8feb86659fd93ULL;

	hash ^= hash >> 32;
	return (__u32)(hash * 0x9fb21c651e98df25ULL >> 32);
}

/* Folds a source into the `place` of a key of kind SOURCE or SOURCE_PORT (source_port 0 for SOURCE). */
static inline __attribute__((always_inline)) __u64
crosspoint_source_place(__u64 place, __u64 source_high, __u64 source_low, __u16 source_port)
{
	__u64 mixed = (source_low ^ (source_high * 0x9e3779b97f4a7c15ULL) ^ source_port) * 0xd6e8feb86659fd93ULL;

	return place ^ mixed ^ (mixed >> 29);
}
