// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0
/*
 * Traffic for tests and benchmarks: a generator that is run with live frames, and a sink that checks every copy.
 *
 * The generator writes each frame's headers again, since the kernel hands it pages as the last receiver left them. The
 * sink is at the far end of a veth, where copies arrive, and compares each with the copy that its destination must get.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "loadgen_abi.h"
#include "parse.h"
#include "rtp_header.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct loadgen_plan);
} plan SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, LOADGEN_FLOWS);
	__type(key, __u32);
	__type(value, struct loadgen_flow);
} generated SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, LOADGEN_DESTINATIONS);
	__type(key, __u32);
	__type(value, struct loadgen_destination);
} destinations SEC(".maps");

/* Packets that no destination claims, and all packets: one counter for each CPU, so that fast sinks stay cheap. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, LOADGEN_CPUS);
	__type(key, __u32);
	__type(value, struct loadgen_total);
} totals SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_DEVMAP);
	__uint(max_entries, LOADGEN_REDIRECTS);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(struct bpf_devmap_val));
} redirects SEC(".maps");

/* Sends one frame: Ethernet, IPv4, UDP without checksum, RTP, and the flow's number and packet count as payload. */
SEC("xdp.frags")
int generate(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *data_end = (void *)(long)ctx->data_end;
	struct loadgen_frame *frame = data;
	__u32 zero = 0, index;
	struct loadgen_plan *now = bpf_map_lookup_elem(&plan, &zero);
	struct loadgen_flow *flow;
	__u64 packet;
	__u16 sequence;

	if (!now || data + sizeof(now->frame) > data_end)
		return XDP_DROP;
	packet = now->sent++;
	if (!(packet & 1023)) {
		now->last_time = bpf_ktime_get_ns();
		now->timed = packet;
		if (!packet)
			now->first_time = now->last_time;
	}
	index = now->flow_count > 1 ? packet & (now->flow_count - 1) : 0;
	flow = bpf_map_lookup_elem(&generated, &index);
	if (!flow)
		return XDP_DROP;
	/* Everything but sequence, timestamp and UDP port is the same for every frame. */
	for (int word = 0; word < (int)sizeof(now->frame) / 8; word++)
		((__u64 *)data)[word] = ((__u64 *)now->frame)[word];
	frame->udp.dest = NETWORK16((__u16)(HOST16(frame->udp.dest) + index));
	sequence = flow->sequence;
	if (now->drop_every && flow->packets % now->drop_every == now->drop_every - 1)
		sequence++;
	if (now->swap_every && flow->packets % now->swap_every == now->swap_every - 2) {
		/* This one and the next change places. */
		frame->rtp.sequence = NETWORK16((__u16)(sequence + 1));
		flow->swapped = 1;
	} else if (flow->swapped) {
		frame->rtp.sequence = NETWORK16((__u16)(sequence - 1));
		flow->swapped = 0;
	} else if (now->repeat_every && flow->packets % now->repeat_every == now->repeat_every - 1) {
		sequence--;
		frame->rtp.sequence = NETWORK16(sequence);
	} else {
		frame->rtp.sequence = NETWORK16(sequence);
	}
	flow->sequence = sequence + 1;
	frame->rtp.timestamp = NETWORK32(flow->timestamp);
	if (now->packets_per_frame && ++flow->in_frame >= now->packets_per_frame) {
		flow->in_frame = 0;
		flow->timestamp += now->ticks_per_frame;
		frame->rtp.second |= 0x80;
	}
	frame->flow = index;
	frame->packet = flow->packets++;
	return bpf_redirect_map(&redirects, 0, XDP_DROP);
}

static __always_inline int
same(const void *a, const void *b, int words)
{
	const __u32 *left = a, *right = b;
	__u32 difference = 0;

	for (int word = 0; word < words; word++)
		difference |= left[word] ^ right[word];
	return !difference;
}

/* Counts, and drops. */
SEC("xdp.frags")
int count(struct xdp_md *ctx)
{
	__u32 cpu = bpf_get_smp_processor_id();
	struct loadgen_total *total = bpf_map_lookup_elem(&totals, &cpu);

	if (total) {
		total->packets++;
		total->bytes += (long)ctx->data_end - (long)ctx->data;
	}
	return XDP_DROP;
}

/*
 * Checks every copy: its destination is named by its UDP port; everything up to the RTP header must be as the
 * destination has it, and the payload must be the flow's that the destination belongs to. What is not UDP over IPv4
 * to a known destination passes; if it is UDP, it is counted as a stray.
 */
SEC("xdp.frags")
int check(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *data_end = (void *)(long)ctx->data_end;
	__u32 cpu = bpf_get_smp_processor_id(), index, *flow;
	struct loadgen_total *total = bpf_map_lookup_elem(&totals, &cpu);
	struct loadgen_destination *destination;
	struct crosspoint_packet packet;
	struct crosspoint_rtp_header *rtp;
	struct ethhdr *ethernet = data;
	struct iphdr *ip;
	int is_good;

	if (!total || crosspoint_parse(data, data_end, &packet) >= 0 || packet.is_ipv6)
		return XDP_PASS;
	index = HOST16(packet.destination_port) - LOADGEN_FIRST_UDP_PORT;
	destination = bpf_map_lookup_elem(&destinations, &index);
	if (!destination || !destination->in_use) {
		total->strays++;
		return XDP_PASS;
	}
	ip = data + packet.l3_offset;
	rtp = (void *)(ip + 1) + sizeof(struct udphdr);
	flow = (void *)(rtp + 1);
	if ((void *)(ethernet + 1) > data_end || (void *)(flow + 2) > data_end)
		return XDP_PASS;
	total->packets++;
	total->bytes += data_end - data;
	is_good = same(ethernet, destination->ethernet, 3) && packet.vlans == destination->vlans &&
		  ip->saddr == destination->source && ip->daddr == destination->destination &&
		  ip->ttl == destination->ttl && ip->tos == destination->tos &&
		  *flow == destination->flow && ctx->ingress_ifindex == destination->interface_index;
	if (is_good) {
		__u32 number = flow[1];

		destination->good++;
		/* One flow's packets come in order; a copy twice, or one missing, shows here. */
		if (destination->good > 1 && number != destination->last_packet + 1) {
			if (number <= destination->last_packet)
				destination->out_of_order++;
			else
				destination->missing += number - destination->last_packet - 1;
		}
		destination->last_packet = number;
	} else {
		if (!destination->bad)
			bpf_probe_read_kernel(destination->first_bad, sizeof(destination->first_bad), data);
		destination->bad++;
	}
	return XDP_DROP;
}

/* The least that a router could do: what `bare` in the benchmark measures. */
SEC("xdp.frags")
int redirect_only(struct xdp_md *ctx)
{
	(void)ctx;
	return bpf_redirect_map(&redirects, 1, XDP_DROP);
}

/* The same for fan-out: every entry of the inner map. */
#define FAN_OUT(name, legs)                                   \
	struct {                                              \
		__uint(type, BPF_MAP_TYPE_DEVMAP);            \
		__uint(max_entries, legs);                    \
		__uint(key_size, sizeof(__u32));              \
		__uint(value_size, sizeof(struct bpf_devmap_val)); \
	} name SEC(".maps")

FAN_OUT(fan_2, 2);
FAN_OUT(fan_8, 8);
FAN_OUT(fan_32, 32);

SEC("xdp.frags")
int broadcast_2(struct xdp_md *ctx)
{
	(void)ctx;
	return bpf_redirect_map(&fan_2, 0, BPF_F_BROADCAST);
}

SEC("xdp.frags")
int broadcast_8(struct xdp_md *ctx)
{
	(void)ctx;
	return bpf_redirect_map(&fan_8, 0, BPF_F_BROADCAST);
}

SEC("xdp.frags")
int broadcast_32(struct xdp_md *ctx)
{
	(void)ctx;
	return bpf_redirect_map(&fan_32, 0, BPF_F_BROADCAST);
}

/* An egress program that does nothing: what the kernel takes to call one for each copy. */
SEC("xdp.frags/devmap")
int leave(struct xdp_md *ctx)
{
	(void)ctx;
	return XDP_PASS;
}

/* Makes the far end of a veth take redirected frames, and hands everything to its host. */
SEC("xdp.frags")
int pass(struct xdp_md *ctx)
{
	(void)ctx;
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
