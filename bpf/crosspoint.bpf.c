// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0
/*
 * The fast path: control flow only. Ingress finds a packet's flow, accounts it and sends it to its legs; egress
 * writes each copy's headers; two tracepoints count what the kernel and the drivers refuse afterwards.
 *
 * A flow with one leg is rewritten by ingress and leaves by the devmap `tx_ports`. A flow with more is broadcast by
 * the devmap of its shape, and egress rewrites each copy. The kernel does not tell egress which copy it has
 * (dev_map_enqueue_multi clones, bq_xmit_all runs the program), so ingress numbers the broadcasts, and egress counts
 * the copies of one number per CPU and per interface: the kernel leaves out every leg of an interface that is down
 * or too narrow, which would shift any other count and give a copy another leg's header.
 *
 * Every devmap entry carries the egress program, tx_ports' too: the kernel takes the program of a whole bulk from
 * its first frame (bq_enqueue), so frames with and without one must never meet at an interface.
 */
#include <linux/bpf.h>
#include <linux/errno.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "checksum.h"
#include "counters.h"
#include "events.h"
#include "flow_table.h"
#include "metadata.h"
#include "parse.h"
#include "rewrite.h"
#include "rtp_stats.h"

static __always_inline int
hand_to_host(struct xdp_md *ctx, __u32 reason)
{
	crosspoint_count_reason(crosspoint_port(ctx->ingress_ifindex), reason, 1);
	return XDP_PASS;
}

static __always_inline int
drop(__u32 port, __u32 reason)
{
	crosspoint_count_reason(port, reason, 1);
	return XDP_DROP;
}

static __noinline int
not_a_flow(struct xdp_md *ctx, const struct crosspoint_packet *packet)
{
	__u64 place = crosspoint_place(ctx->ingress_ifindex, packet->vlans);
	int reason = crosspoint_guarded(packet, place);

	crosspoint_count_reason(crosspoint_port(ctx->ingress_ifindex), reason, 1);
	return reason == CROSSPOINT_PASS_NOT_OURS ? XDP_PASS : XDP_DROP;
}

/* What becomes of a packet whose destination is a flow's, but whose source is not. */
static __noinline int
wrong_source(const struct crosspoint_packet *packet, const struct crosspoint_flow *flow, __u32 slot)
{
	struct crosspoint_rtp *record = bpf_map_lookup_elem(&rtp, &slot);

	if (record)
		record->wrong_source++;
	if (flow->flags & CROSSPOINT_FLOW_REPORT_UNKNOWN)
		crosspoint_report_stranger(packet, flow, slot);
	if (flow->flags & CROSSPOINT_FLOW_UNKNOWN_TO_HOST) {
		crosspoint_count_reason(flow->port, CROSSPOINT_PASS_UNKNOWN_SOURCE, 1);
		return XDP_PASS;
	}
	return drop(flow->port, CROSSPOINT_DROP_WRONG_SOURCE);
}

/* The flow of a packet among those of one destination; NULL: none of them takes packets from this source. */
static __always_inline struct crosspoint_flow *
flow_of_source(const struct crosspoint_packet *packet, struct crosspoint_flow *flow, __u64 place, __u32 *slot)
{
	__u16 flags = flow->flags;

	if (CROSSPOINT_UNLIKELY(flags & (CROSSPOINT_FLOW_HAS_SOURCES | CROSSPOINT_FLOW_HAS_SOURCE_PORTS))) {
		struct crosspoint_flow *found = NULL;

		if (flags & CROSSPOINT_FLOW_HAS_SOURCE_PORTS)
			found = crosspoint_find_source(packet, place, CROSSPOINT_SLOT_SOURCE_PORT, slot);
		if (!found && (flags & CROSSPOINT_FLOW_HAS_SOURCES))
			found = crosspoint_find_source(packet, place, CROSSPOINT_SLOT_SOURCE, slot);
		if (found)
			return found;
		if (flags & CROSSPOINT_FLOW_DISPATCH_ONLY)
			return NULL;
	}
	if ((flags & CROSSPOINT_FLOW_FILTER_SOURCE) &&
	    (*(__u64 *)&flow->source[2] != packet->source_low || *(__u64 *)&flow->source[0] != packet->source_high))
		return NULL;
	if ((flags & CROSSPOINT_FLOW_FILTER_SOURCE_PORT) && flow->source_port != packet->source_port)
		return NULL;
	return flow;
}

/*
 * Makes the frame as long as its IP packet says: padding of short frames is nobody's payload. Returns a reason, or
 * -1. Packet pointers are invalid afterwards.
 */
static __noinline int
fit_length(struct xdp_md *ctx, __u32 length)
{
	__u32 actual = bpf_xdp_get_buff_len(ctx);

	if (actual < length)
		return CROSSPOINT_DROP_BAD_LENGTH;
	if (actual > length && bpf_xdp_adjust_tail(ctx, (int)length - (int)actual))
		return CROSSPOINT_DROP_BAD_LENGTH;
	return -1;
}

/* Whether what the X and P bits promise is there (RFC 3550 sections 5.1, 5.3.1). */
static __noinline int
rtp_lengths_fit(struct xdp_md *ctx, __u32 payload_offset, __u32 payload_length, __u32 first)
{
	__u32 used = sizeof(struct crosspoint_rtp_header) + (first & 0xf) * 4;

	if (first & 0x10) {
		__be16 extension[2];

		if (used + sizeof(extension) > payload_length ||
		    bpf_xdp_load_bytes(ctx, payload_offset + used, extension, sizeof(extension)))
			return 0;
		used += sizeof(extension) + 4 * HOST16(extension[1]);
		if (used > payload_length)
			return 0;
	}
	if (first & 0x20) {
		__u8 padding;

		if (bpf_xdp_load_bytes(ctx, payload_offset + payload_length - 1, &padding, sizeof(padding)))
			return 0;
		if (!padding || used + padding > payload_length)
			return 0;
	}
	return 1;
}

/* Whether a leg's copy is still held back; the daemon clears the gate of a leg that has begun. */
static __always_inline int
gate_is_closed(const struct crosspoint_leg *leg, __u32 sequence, int has_sequence)
{
	if (CROSSPOINT_LIKELY(!(leg->flags & CROSSPOINT_LEG_GATED)) || !has_sequence)
		return 0;
	return (__s32)(sequence - leg->gate_sequence) < 0 && bpf_ktime_get_ns() < leg->gate_deadline;
}

static __always_inline void
count_copy(__u32 cpu, const struct crosspoint_leg *leg, __u64 bytes)
{
	struct crosspoint_leg_count *count = crosspoint_leg_count(cpu, leg->counter);

	if (count) {
		count->packets++;
		count->bytes += bytes;
	}
}

/* Gives the frame the leg's Ethernet header size and headers. Returns 0 when the frame can't leave so. */
static __always_inline int
rewrite_frame(struct xdp_md *ctx, const struct crosspoint_leg *leg, __u32 l3_offset, int is_ipv6, int is_rtp)
{
	__u32 wanted = crosspoint_leg_l3_offset(leg);

	if (CROSSPOINT_UNLIKELY(l3_offset != wanted) && bpf_xdp_adjust_head(ctx, (int)l3_offset - (int)wanted))
		return 0;
	return !crosspoint_rewrite((void *)(long)ctx->data, (void *)(long)ctx->data_end, leg, is_ipv6, is_rtp);
}

/* One leg: rewritten here, sent by its port. */
static __always_inline int
forward_direct(struct xdp_md *ctx, __u32 cpu, __u32 ingress_port, __u32 leg_index,
	       const struct crosspoint_metadata *what, __u32 length)
{
	struct crosspoint_leg *leg = bpf_map_lookup_elem(&legs, &leg_index);
	struct crosspoint_cpu *state = bpf_map_lookup_elem(&cpus, &cpu);
	struct crosspoint_port_count *egress;
	__u32 bytes;

	if (!leg || !state)
		return drop(ingress_port, CROSSPOINT_COPY_NO_LEG);
	if (gate_is_closed(leg, what->sequence, what->has_sequence)) {
		crosspoint_count_reason(leg->port, CROSSPOINT_COPY_GATED, 1);
		return XDP_DROP;
	}
	bytes = length - what->l3_offset + crosspoint_leg_l3_offset(leg);
	/* Metadata that came with the frame would make egress take it for a copy of a group. */
	if (!crosspoint_metadata_clear(ctx) ||
	    !rewrite_frame(ctx, leg, what->l3_offset, what->is_ipv6, what->is_rtp))
		return drop(leg->port, CROSSPOINT_COPY_REWRITE_FAILED);
	count_copy(cpu, leg, bytes);
	egress = crosspoint_port_count(cpu, leg->port);
	if (egress)
		egress->transmitted_copies++;
	/* The kernel tells of a refused redirect right after this program, on this CPU: on_redirect_error(). */
	state->direct_leg = leg->counter;
	state->direct_port = leg->port;
	state->direct_bytes = bytes;
	return bpf_redirect_map(&tx_ports, leg->port, XDP_DROP);
}

/* Several legs: the kernel copies, egress rewrites. */
static __always_inline int
forward_group(struct xdp_md *ctx, __u32 cpu, __u32 ingress_port, __u32 shape, const struct crosspoint_metadata *what)
{
	struct crosspoint_cpu *state = bpf_map_lookup_elem(&cpus, &cpu);
	void *devmap = bpf_map_lookup_elem(&shapes, &shape);
	struct crosspoint_metadata metadata = *what;

	if (!state || !devmap)
		return drop(ingress_port, CROSSPOINT_COPY_NO_LEG);
	metadata.packet = ++state->packet;
	state->direct_leg = ~0;
	state->direct_port = ingress_port;
	if (!crosspoint_metadata_write(ctx, &metadata))
		return drop(ingress_port, CROSSPOINT_COPY_REWRITE_FAILED);
	return bpf_redirect_map(devmap, 0, BPF_F_BROADCAST);
}

/* Accounts an RTP packet; `what` learns its extended sequence number. */
static __always_inline void
account_rtp(const struct crosspoint_packet *packet, const struct crosspoint_flow *flow, __u32 slot,
	    const struct crosspoint_rtp_header *header, struct crosspoint_metadata *what)
{
	struct crosspoint_rtp *record = bpf_map_lookup_elem(&rtp, &slot);
	struct crosspoint_rtp_packet seen = {
		.sequence = HOST16(header->sequence),
		.payload_type = header->second & 0x7f,
		.timestamp = HOST32(header->timestamp),
		.ssrc = HOST32(header->ssrc),
		.source = crosspoint_fold_source(packet),
	};

	if (!record)
		return;
	if (!(seen.sequence & flow->clock_mask)) {
		seen.arrival = bpf_ktime_get_ns();
		seen.timed = 1;
	}
	crosspoint_rtp_account(flow, record, &seen);
	what->sequence = (__u32)record->highest - (__u16)((__u16)record->highest - seen.sequence);
	what->has_sequence = 1;
}

SEC("xdp.frags")
int ingress(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *data_end = (void *)(long)ctx->data_end;
	struct crosspoint_metadata what = {};
	struct crosspoint_flow_count *count;
	struct crosspoint_port_count *port;
	struct crosspoint_packet packet;
	struct crosspoint_flow *flow, *of_source;
	__u32 cpu, slot, length, payload_offset, payload_length, copies;
	__u64 place, target;
	__u16 flags;
	int reason;

	reason = crosspoint_parse(data, data_end, &packet);
	if (CROSSPOINT_UNLIKELY(reason >= 0))
		return hand_to_host(ctx, reason);
	place = crosspoint_place(ctx->ingress_ifindex, packet.vlans);
	flow = crosspoint_find(&packet, place, crosspoint_selector(&packet, CROSSPOINT_SLOT_DESTINATION), &slot);
	if (CROSSPOINT_UNLIKELY(!flow))
		return not_a_flow(ctx, &packet);
	of_source = flow_of_source(&packet, flow, place, &slot);
	if (CROSSPOINT_UNLIKELY(!of_source))
		return wrong_source(&packet, flow, slot);
	flow = of_source;
	flags = flow->flags;

	if (CROSSPOINT_UNLIKELY(flags & (CROSSPOINT_FLOW_DRAINING | CROSSPOINT_FLOW_ELSEWHERE)))
		return drop(flow->port, flags & CROSSPOINT_FLOW_DRAINING ? CROSSPOINT_DROP_DRAINING
									  : CROSSPOINT_DROP_WRONG_PORT);
	/* What we sent has come back (RFC 3550 section 8.2). The source address lies behind the destination's 6 bytes. */
	if (CROSSPOINT_UNLIKELY(*(__u32 *)(data + ETH_ALEN) == *(__u32 *)flow->ingress_mac &&
				*(__u16 *)(data + ETH_ALEN + 4) == *(__u16 *)&flow->ingress_mac[4]))
		return drop(flow->port, CROSSPOINT_DROP_OWN_PACKET);
	if (CROSSPOINT_UNLIKELY(packet.ttl <= 1)) {
		crosspoint_count_reason(flow->port, CROSSPOINT_PASS_TTL_EXPIRED, 1);
		return XDP_PASS;
	}

	length = packet.l3_offset + packet.l3_length;
	payload_offset = crosspoint_payload_offset(&packet);
	payload_length = (__u32)packet.udp_length - sizeof(struct udphdr);
	if (CROSSPOINT_UNLIKELY(packet.udp_length < sizeof(struct udphdr) ||
				payload_offset + payload_length > length))
		return drop(flow->port, CROSSPOINT_DROP_BAD_LENGTH);
	if (CROSSPOINT_UNLIKELY(data_end - data != length)) {
		reason = fit_length(ctx, length);
		if (reason >= 0)
			return drop(flow->port, reason);
		data = (void *)(long)ctx->data;
		data_end = (void *)(long)ctx->data_end;
	}
	if (CROSSPOINT_UNLIKELY((flags & CROSSPOINT_FLOW_VERIFY_CHECKSUM) || packet.is_ipv6)) {
		if (!crosspoint_checksum_holds(ctx, &packet, flags & CROSSPOINT_FLOW_VERIFY_CHECKSUM))
			return drop(flow->port, CROSSPOINT_DROP_BAD_CHECKSUM);
		data = (void *)(long)ctx->data;
		data_end = (void *)(long)ctx->data_end;
	}

	cpu = bpf_get_smp_processor_id();
	count = crosspoint_flow_count(cpu, slot);
	port = crosspoint_port_count(cpu, flow->port);
	if (!count || !port)
		return XDP_DROP;
	if (CROSSPOINT_UNLIKELY((flags & CROSSPOINT_FLOW_REPORT_FIRST) && !count->packets))
		crosspoint_report(&packet, flow, slot, CROSSPOINT_EVENT_FIRST_PACKET, 0, 0);

	what.l3_offset = packet.l3_offset;
	what.is_ipv6 = packet.is_ipv6;
	target = *(volatile __u64 *)&flow->target;
	if (flags & (CROSSPOINT_FLOW_RTP | CROSSPOINT_FLOW_RTCP)) {
		struct crosspoint_rtp_header *header = data + payload_offset;
		enum crosspoint_payload_kind kind = CROSSPOINT_PAYLOAD_INVALID;
		int may_be_rtp = flags & CROSSPOINT_FLOW_RTP;

		/* RTCP has a header of 8 bytes at least; a BYE without a source has 4, and is of no use to anybody. */
		if (CROSSPOINT_LIKELY((void *)(header + 1) <= data_end))
			kind = crosspoint_payload_kind(header, payload_length);
		else if ((void *)header + 8 <= data_end && payload_length >= 8 &&
			 crosspoint_payload_kind(header, payload_length) == CROSSPOINT_PAYLOAD_RTCP)
			kind = CROSSPOINT_PAYLOAD_RTCP;
		if (CROSSPOINT_UNLIKELY(kind != CROSSPOINT_PAYLOAD_RTP || !may_be_rtp)) {
			struct crosspoint_rtp *record = bpf_map_lookup_elem(&rtp, &slot);

			if (!record)
				return XDP_DROP;
			if (kind != CROSSPOINT_PAYLOAD_RTCP) {
				record->invalid++;
				return drop(flow->port, may_be_rtp ? CROSSPOINT_DROP_NOT_RTP : CROSSPOINT_DROP_NOT_RTCP);
			}
			record->rtcp_packets++;
			target = *(volatile __u64 *)&flow->rtcp_target;
		} else {
			if (CROSSPOINT_UNLIKELY(header->first & 0x30)) {
				if (!rtp_lengths_fit(ctx, payload_offset, payload_length, header->first)) {
					struct crosspoint_rtp *record = bpf_map_lookup_elem(&rtp, &slot);

					if (record)
						record->invalid++;
					return drop(flow->port, CROSSPOINT_DROP_NOT_RTP);
				}
				data = (void *)(long)ctx->data;
				data_end = (void *)(long)ctx->data_end;
				header = data + payload_offset;
				if ((void *)(header + 1) > data_end)
					return XDP_DROP;
			}
			what.is_rtp = 1;
			if (flags & CROSSPOINT_FLOW_ACCOUNT)
				account_rtp(&packet, flow, slot, header, &what);
		}
	}

	copies = target >> 48;
	count->packets++;
	count->bytes += length;
	count->copies += copies;
	if (CROSSPOINT_UNLIKELY(!what.has_sequence || flow->clock_mask))
		count->last_seen = bpf_ktime_get_coarse_ns();
	if (CROSSPOINT_UNLIKELY(flags & CROSSPOINT_FLOW_TO_HOST)) {
		crosspoint_count_reason(flow->port, CROSSPOINT_PASS_TO_HOST, 1);
		return XDP_PASS;
	}
	if (CROSSPOINT_UNLIKELY(!copies))
		return drop(flow->port, CROSSPOINT_DROP_NO_LEG);
	port->forwarded_packets++;
	port->forwarded_bytes += length;
	port->requested_copies += copies;

	what.group = (__u32)target;
	if ((__u16)(target >> 32) == CROSSPOINT_SHAPE_DIRECT)
		return forward_direct(ctx, cpu, flow->port, (__u32)target, &what, length);
	return forward_group(ctx, cpu, flow->port, (__u16)(target >> 32), &what);
}

/* A copy that egress itself drops: the tracepoint of its bulk tells of it as of one that the driver refused. */
static __always_inline int
drop_copy(struct crosspoint_port_count *state, __u32 port, __u32 reason)
{
	state->dropped_copies++;
	return drop(port, reason);
}

/* The body of egress, apart so that a test can run it as a plain XDP program. */
static __always_inline int
egress_copy(struct xdp_md *ctx, __u32 interface_index)
{
	const struct crosspoint_metadata *stored = crosspoint_metadata_of(ctx);
	struct crosspoint_port_count *state;
	struct crosspoint_metadata what;
	struct crosspoint_group *group;
	struct crosspoint_leg *leg;
	__u32 cpu, port, index, ordinal;

	/* A direct forward: ingress has written its headers. */
	if (!stored)
		return XDP_PASS;
	what = *stored;
	cpu = bpf_get_smp_processor_id();
	port = crosspoint_port(interface_index);
	state = crosspoint_port_count(cpu, port);
	group = bpf_map_lookup_elem(&groups, &what.group);
	if (port >= CROSSPOINT_MAX_PORTS || !state)
		return drop(port, CROSSPOINT_COPY_NO_LEG);
	if (!group)
		return drop_copy(state, port, CROSSPOINT_COPY_NO_LEG);

	ordinal = state->last_packet == what.packet ? state->ordinal : 0;
	state->last_packet = what.packet;
	state->ordinal = ordinal + 1;
	if (ordinal >= group->sections[port].count)
		return drop_copy(state, port, CROSSPOINT_COPY_NO_LEG);
	index = group->first_leg + group->sections[port].first + ordinal;
	leg = bpf_map_lookup_elem(&legs, &index);
	/* A leg of another port here would be a copy with another destination's header: the one thing never to send. */
	if (!leg || leg->port != port)
		return drop_copy(state, port, CROSSPOINT_COPY_NO_LEG);
	if (gate_is_closed(leg, what.sequence, what.has_sequence))
		return drop_copy(state, port, CROSSPOINT_COPY_GATED);
	if (what.l3_offset > CROSSPOINT_MAX_L3_OFFSET ||
	    !rewrite_frame(ctx, leg, what.l3_offset, what.is_ipv6, what.is_rtp))
		return drop_copy(state, port, CROSSPOINT_COPY_REWRITE_FAILED);
	/* Groups are never fragmented frames: the kernel refuses to clone those (dev_map_enqueue_multi). */
	count_copy(cpu, leg, (__u32)((void *)(long)ctx->data_end - (void *)(long)ctx->data));
	state->transmitted_copies++;
	return XDP_PASS;
}

SEC("xdp.frags/devmap")
int egress(struct xdp_md *ctx)
{
	return egress_copy(ctx, ctx->egress_ifindex);
}

/* What tests run in place of egress(), since the kernel does not test-run devmap programs; the interface is ingress'. */
SEC("xdp.frags")
int egress_under_test(struct xdp_md *ctx)
{
	return egress_copy(ctx, ctx->ingress_ifindex);
}

/* The kernel's own records, as far as they are read here; offsets come from its BTF. */
struct net {
	__u64 net_cookie;
} __attribute__((preserve_access_index));
typedef struct {
	struct net *net;
} possible_net_t;
struct net_device {
	int ifindex;
	possible_net_t nd_net;
} __attribute__((preserve_access_index));
struct bpf_prog_aux {
	__u32 id;
} __attribute__((preserve_access_index));
struct bpf_prog {
	struct bpf_prog_aux *aux;
} __attribute__((preserve_access_index));

static __always_inline struct crosspoint_node *
this_node(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&node, &zero);
}

/* bq_xmit_all(): what the egress program let through and the driver did not take. */
SEC("tp_btf/xdp_devmap_xmit")
int on_devmap_transmit(__u64 *arguments)
{
	struct net_device *to = (void *)arguments[1];
	int drops = (int)arguments[3];
	struct crosspoint_port_count *count;
	struct crosspoint_node *self;
	__u32 port;

	if (CROSSPOINT_LIKELY(drops <= 0))
		return 0;
	self = this_node();
	if (!self || to->nd_net.net->net_cookie != self->network_namespace)
		return 0;
	port = crosspoint_port(to->ifindex);
	count = crosspoint_port_count(bpf_get_smp_processor_id(), port);
	if (port < CROSSPOINT_MAX_PORTS && count)
		count->refused_copies += drops;
	return 0;
}

/* xdp_do_redirect(): what never reached an egress program. A group is told of once, however many copies are missing. */
SEC("tp_btf/xdp_redirect_err")
int on_redirect_error(__u64 *arguments)
{
	struct bpf_prog *program = (void *)arguments[1];
	int error = (int)arguments[3];
	__u32 cpu = bpf_get_smp_processor_id(), reason = CROSSPOINT_COPY_REFUSED;
	struct crosspoint_node *self = this_node();
	struct crosspoint_cpu *state = bpf_map_lookup_elem(&cpus, &cpu);
	struct crosspoint_port_count *egress;
	struct crosspoint_leg_count *count;

	if (!self || !state || program->aux->id != self->ingress_program)
		return 0;
	if (error == -ENETDOWN)
		reason = CROSSPOINT_COPY_INTERFACE_DOWN;
	else if (error == -EMSGSIZE)
		reason = CROSSPOINT_COPY_TOO_LONG;
	else if (error == -EOPNOTSUPP)
		reason = CROSSPOINT_COPY_NOT_SUPPORTED;
	else if (error == -ENOMEM)
		reason = CROSSPOINT_COPY_NO_MEMORY;
	crosspoint_count_reason(state->direct_port, reason, 1);
	if (state->direct_leg == ~0u)
		return 0;
	count = crosspoint_leg_count(cpu, state->direct_leg);
	if (count) {
		count->refused_packets++;
		count->refused_bytes += state->direct_bytes;
	}
	egress = crosspoint_port_count(cpu, state->direct_port);
	if (egress)
		egress->refused_copies++;
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
