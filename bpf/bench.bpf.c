// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0
/*
 * Traffic that qualifies a node: a generator that keeps a pace, and sinks that count, or tell how long packets took.
 *
 * The generator is run with live frames, again and again without a pause, and looks at the clock: while no packet is due
 * it drops its frame. So flows are spread in time as their senders' own would be, packet by packet in turn, and the time
 * between two looks at which nothing was due is what the processor had to spare.
 */
#include <linux/bpf.h>
#include <linux/in.h>
#include <bpf/bpf_helpers.h>

#include "bench_abi.h"
#include "byte_order.h"
#include "compiler.h"

/* A longer time between two looks was not spent waiting. */
#define LONGEST_LOOK 1000

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct bench_plan);
} plan SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, BENCH_FLOWS);
	__type(key, __u32);
	__type(value, struct bench_flow);
} generated SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, BENCH_FLOWS);
	__type(key, __u32);
	__type(value, struct bench_arrival);
} arrivals SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, BENCH_CPUS);
	__type(key, __u32);
	__type(value, struct bench_total);
} totals SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_DEVMAP);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(struct bpf_devmap_val));
} outlet SEC(".maps");

/* True if a packet may go now; looks at the clock once for each quantum. */
static __always_inline int
is_due(struct bench_plan *now)
{
	__u64 time, due;

	if (now->credit)
		goto goes;
	if (now->sent >= now->limit)
		return 0;
	time = bpf_ktime_get_ns();
	if (!now->start)
		now->start = time;
	if (time - now->start > now->duration)
		return 0;
	/* The last of the quantum must be due: none leaves early. */
	due = now->start + (((now->sent + now->quantum - 1) * now->interval) >> 16);
	if ((__s64)(time - due) < 0) {
		__u64 passed = time - now->previous;

		if (now->previous && passed < LONGEST_LOOK)
			now->idle += passed;
		now->previous = time;
		return 0;
	}
	if (time - due > now->largest_delay)
		now->largest_delay = time - due;
	now->previous = 0;
	now->last_time = time;
	now->credit = now->quantum;
goes:
	now->credit--;
	now->sent++;
	return 1;
}

/* Sends one frame, or none: Ethernet, IPv4, UDP without checksum, RTP, and the payload by which sinks know it. */
SEC("xdp.frags")
int generate(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *data_end = (void *)(long)ctx->data_end;
	struct bench_frame *frame = data;
	__u32 zero = 0, index, sum;
	struct bench_plan *now = bpf_map_lookup_elem(&plan, &zero);
	struct bench_flow *flow;

	if (!now || data + sizeof(now->frame) > data_end || !is_due(now))
		return XDP_DROP;
	index = now->next_flow;
	now->next_flow = index + 1 < now->flow_count ? index + 1 : 0;
	flow = bpf_map_lookup_elem(&generated, &index);
	if (!flow)
		return XDP_DROP;
	for (int word = 0; word < (int)sizeof(now->frame) / 8; word++)
		((__u64 *)data)[word] = ((__u64 *)now->frame)[word];
	sum = now->address_sum + index;
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	frame->ip.check = NETWORK16((__u16)~sum);
	frame->ip.daddr |= NETWORK32(index);
	frame->rtp.sequence = NETWORK16((__u16)flow->sequence);
	frame->rtp.timestamp = NETWORK32((__u32)(flow->timestamp >> 16));
	flow->sequence++;
	if (++flow->in_frame >= now->packets_per_frame) {
		flow->in_frame = 0;
		flow->timestamp += now->ticks_per_frame;
		frame->rtp.second |= 0x80;
	}
	frame->payload.flow = index;
	if (now->is_stamped)
		frame->payload.time = now->last_time;
	return bpf_redirect_map(&outlet, 0, XDP_DROP);
}

/* A packet of ours: UDP over IPv4 without tags, with the magic number behind its RTP header. */
static __always_inline struct bench_frame *
ours(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *data_end = (void *)(long)ctx->data_end;
	struct bench_frame *frame = data;

	if ((void *)(frame + 1) > data_end || frame->ethernet.h_proto != NETWORK16(ETH_P_IP) ||
	    frame->ip.protocol != IPPROTO_UDP || frame->payload.magic != BENCH_MAGIC)
		return 0;
	return frame;
}

/* Counts our packets, and drops them; everything else goes to the host. */
SEC("xdp.frags")
int count(struct xdp_md *ctx)
{
	__u32 cpu = bpf_get_smp_processor_id();
	struct bench_total *total = bpf_map_lookup_elem(&totals, &cpu);

	if (!total || !ours(ctx))
		return XDP_PASS;
	total->packets++;
	total->bytes += (long)ctx->data_end - (long)ctx->data;
	return XDP_DROP;
}

/* The bucket of a latency. */
static __always_inline __u32
bucket(__u64 latency)
{
	__u32 exponent = 0;
	__u64 rest = latency;

	for (int shift = 32; shift; shift >>= 1) {
		if (rest >> shift) {
			rest >>= shift;
			exponent += shift;
		}
	}
	if (exponent <= BENCH_STEP_BITS)
		return latency;
	exponent -= BENCH_STEP_BITS;
	return (exponent << BENCH_STEP_BITS) + (latency >> exponent);
}

/* Counts, and measures the latency of our packets from the generator: a histogram, and the jitter of each flow. */
SEC("xdp.frags")
int measure(struct xdp_md *ctx)
{
	__u32 cpu = bpf_get_smp_processor_id(), index;
	struct bench_total *total = bpf_map_lookup_elem(&totals, &cpu);
	struct bench_frame *frame = ours(ctx);
	struct bench_arrival *arrival;
	__u64 latency, difference;

	if (!total || !frame)
		return XDP_PASS;
	total->packets++;
	total->bytes += (long)ctx->data_end - (long)ctx->data;
	if (!frame->payload.time)
		return XDP_DROP;
	latency = bpf_ktime_get_ns() - frame->payload.time;
	index = bucket(latency);
	if (index >= BENCH_BUCKETS)
		index = BENCH_BUCKETS - 1;
	total->buckets[index]++;
	total->stamped++;
	total->sum += latency;
	if (latency > total->largest)
		total->largest = latency;
	index = frame->payload.flow;
	arrival = bpf_map_lookup_elem(&arrivals, &index);
	if (!arrival || frame->udp.dest != NETWORK16(BENCH_FIRST_UDP_PORT))
		return XDP_DROP;
	/* Transit times differ by what arrival times differ more than sending times. */
	difference = latency > arrival->transit ? latency - arrival->transit : arrival->transit - latency;
	if (arrival->packets++)
		arrival->jitter += difference - ((arrival->jitter + 8) >> 4);
	arrival->transit = latency;
	return XDP_DROP;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
