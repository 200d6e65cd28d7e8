/* The worker: receive, copy, rewrite, send. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <xdp/xsk.h>

#include "../../../../bpf/drop_reasons.h"
#include "../../../../bpf/rewrite.h"
#include "reference.h"

#define FRAME_SHIFT 12
#define FRAME_SIZE (1 << FRAME_SHIFT)
#define HEADROOM 256
#define BATCH 64
#define RING 2048
#define MOST_SOCKETS 16

struct copy {
	uint32_t counter, bytes;
};

struct channel {
	struct xsk_ring_cons *rx;
	struct xsk_ring_prod *tx;
	struct xsk_ring_prod *fill;
	struct xsk_ring_cons *completion;
	uint64_t *counters;
	struct xsk_socket *socket;
	int descriptor;
	int receives;
	uint8_t port;
	uint32_t longest_frame, fill_limit, filled, pending, outstanding;
	/* The positions of libxdp's own rings. */
	struct xsk_ring_cons own_rx, own_completion;
	struct xsk_ring_prod own_tx, own_fill;
};

struct reference {
	struct reference_tables tables;
	char *base;
	uint32_t frames, free_count;
	uint32_t *free;
	uint16_t *references;
	struct copy *copies;
	struct xsk_umem *umem;
	struct xsk_ring_prod umem_fill;
	struct xsk_ring_cons umem_completion;
	struct channel channels[MOST_SOCKETS];
	struct channel *by_port[CROSSPOINT_MAX_PORTS];
	uint32_t count;
	uint64_t now;
};

struct reference *
reference_create(const struct reference_tables *tables, void *base, uint32_t frames)
{
	struct reference *worker = calloc(1, sizeof(*worker));
	struct xsk_umem_config config = { .fill_size = RING, .comp_size = RING, .frame_size = FRAME_SIZE };

	if (!worker)
		return NULL;
	worker->tables = *tables;
	worker->frames = worker->free_count = frames;
	worker->free = calloc(frames, sizeof(*worker->free));
	worker->references = calloc(frames, sizeof(*worker->references));
	worker->copies = calloc(frames, sizeof(*worker->copies));
	for (uint32_t frame = 0; frame < frames; frame++)
		worker->free[frame] = frames - 1 - frame;
	worker->base = base;
	if (base)
		return worker;
	worker->base = mmap(NULL, (size_t)frames << FRAME_SHIFT, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (worker->base == MAP_FAILED ||
	    xsk_umem__create(&worker->umem, worker->base, (uint64_t)frames << FRAME_SHIFT, &worker->umem_fill,
			     &worker->umem_completion, &config)) {
		free(worker);
		return NULL;
	}
	return worker;
}

void
reference_destroy(struct reference *worker)
{
	for (uint32_t index = 0; index < worker->count; index++)
		if (worker->channels[index].socket)
			xsk_socket__delete(worker->channels[index].socket);
	if (worker->umem) {
		xsk_umem__delete(worker->umem);
		munmap(worker->base, (size_t)worker->frames << FRAME_SHIFT);
	}
	free(worker->free);
	free(worker->references);
	free(worker->copies);
	free(worker);
}

static struct channel *
new_channel(struct reference *worker, uint8_t port, int receives, uint64_t *counters)
{
	struct channel *channel = &worker->channels[worker->count++];

	channel->port = port;
	channel->receives = receives;
	channel->counters = counters;
	channel->descriptor = -1;
	channel->longest_frame = 1518;
	channel->fill_limit = worker->frames / 2 < RING ? worker->frames / 2 : RING;
	worker->by_port[port] = channel;
	return channel;
}

void
reference_add(struct reference *worker, uint8_t port, int receives, struct xsk_ring_cons *rx, struct xsk_ring_prod *tx,
	      struct xsk_ring_prod *fill, struct xsk_ring_cons *completion, uint64_t *counters)
{
	struct channel *channel = new_channel(worker, port, receives, counters);

	channel->rx = rx;
	channel->tx = tx;
	channel->fill = fill;
	channel->completion = completion;
}

int
reference_open(struct reference *worker, const char *interface, uint8_t port, int receives, uint64_t *counters)
{
	struct channel *channel = new_channel(worker, port, receives, counters);
	struct xsk_socket_config config = {
		.rx_size = RING,
		.tx_size = RING,
		.libxdp_flags = XSK_LIBXDP_FLAGS__INHIBIT_PROG_LOAD,
		.bind_flags = XDP_COPY | XDP_USE_NEED_WAKEUP | 1 << 4,
	};
	int budget = 256, bytes = 16 << 20, error;

	channel->rx = &channel->own_rx;
	channel->tx = &channel->own_tx;
	channel->fill = &channel->own_fill;
	channel->completion = &channel->own_completion;
	error = xsk_socket__create_shared(&channel->socket, interface, 0, worker->umem, channel->rx, channel->tx, channel->fill,
					  channel->completion, &config);
	if (error) {
		worker->count--;
		return error;
	}
	channel->descriptor = xsk_socket__fd(channel->socket);
	setsockopt(channel->descriptor, 283, 9, &budget, sizeof(budget));
	setsockopt(channel->descriptor, SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof(bytes));
	return channel->descriptor;
}

static inline void
release(struct reference *worker, uint64_t address)
{
	uint32_t frame = (uint32_t)(address >> FRAME_SHIFT);

	if (!--worker->references[frame])
		worker->free[worker->free_count++] = frame;
}

static inline uint32_t
take(struct reference *worker)
{
	uint32_t frame = worker->free[--worker->free_count];

	worker->references[frame] = 1;
	return frame;
}

static inline void
reap(struct reference *worker, struct channel *channel)
{
	uint32_t first, count = xsk_ring_cons__peek(channel->completion, ~0u, &first);

	for (uint32_t index = 0; index < count; index++)
		release(worker, *xsk_ring_cons__comp_addr(channel->completion, first + index));
	if (count)
		xsk_ring_cons__release(channel->completion, count);
	channel->outstanding -= count;
}

static inline void
refill(struct reference *worker, struct channel *channel)
{
	uint32_t wanted = channel->fill_limit - channel->filled, first;

	if (wanted > worker->free_count)
		wanted = worker->free_count;
	if (wanted < 32 && (!wanted || channel->filled >= 32))
		return;
	if (xsk_prod_nb_free(channel->fill, wanted) < wanted || !xsk_ring_prod__reserve(channel->fill, wanted, &first))
		return;
	for (uint32_t index = 0; index < wanted; index++)
		*xsk_ring_prod__fill_addr(channel->fill, first + index) = (uint64_t)take(worker) << FRAME_SHIFT;
	xsk_ring_prod__submit(channel->fill, wanted);
	channel->filled += wanted;
	if (channel->descriptor >= 0 && xsk_ring_prod__needs_wakeup(channel->fill))
		recvfrom(channel->descriptor, NULL, 0, MSG_DONTWAIT, NULL, NULL);
}

static void
flush(struct reference *worker, struct channel *channel)
{
	int patience = 16;
	uint32_t before;

	if (channel->pending) {
		channel->outstanding += channel->pending;
		xsk_ring_prod__submit(channel->tx, channel->pending);
		channel->pending = 0;
	}
	if (channel->descriptor >= 0) {
		before = __atomic_load_n(channel->tx->consumer, __ATOMIC_ACQUIRE);
		while (before != *channel->tx->producer && patience) {
			uint32_t after;

			channel->counters[CROSSPOINT_SOCKET_TX_WAKEUPS]++;
			if (sendto(channel->descriptor, NULL, 0, MSG_DONTWAIT, NULL, 0) < 0 && errno != EAGAIN && errno != EBUSY)
				break;
			after = __atomic_load_n(channel->tx->consumer, __ATOMIC_ACQUIRE);
			if (after == before) {
				patience--;
				reap(worker, channel);
			}
			before = after;
		}
	}
	reap(worker, channel);
}

static inline void
count_reason(struct reference *worker, uint32_t port, uint32_t reason)
{
	worker->tables.reasons[port * worker->tables.reason_slots + reason]++;
}

static inline int
reserve(struct reference *worker, struct channel *output, uint32_t *place)
{
	if (xsk_ring_prod__reserve(output->tx, 1, place))
		return 1;
	flush(worker, output);
	if (xsk_ring_prod__reserve(output->tx, 1, place))
		return 1;
	output->counters[CROSSPOINT_SOCKET_TX_RING_FULL]++;
	count_reason(worker, output->port, CROSSPOINT_COPY_REFUSED);
	return 0;
}

/* Sends one leg's copy. Returns whether the received frame itself is on its way. */
static inline int
send_copy(struct reference *worker, char *start, uint64_t address, uint32_t length, const struct crosspoint_metadata *note,
	  uint32_t index, int is_last)
{
	const struct crosspoint_leg *leg = &worker->tables.legs[index];
	const struct crosspoint_leg_detail *detail = &worker->tables.leg_details[index];
	uint32_t flags = __atomic_load_n(&leg->flags, __ATOMIC_ACQUIRE), place, frame;
	uint32_t port = leg->port & (CROSSPOINT_MAX_PORTS - 1);
	int growth = (int)leg->l3_offset - (int)(note->frame & CROSSPOINT_FRAME_L3_OFFSET);
	struct channel *output = worker->by_port[port];
	char *data = start;
	struct xdp_desc *descriptor;

	if (flags & (CROSSPOINT_LEG_SHUT | CROSSPOINT_LEG_GATED)) {
		if ((flags & CROSSPOINT_LEG_SHUT) ||
		    ((note->frame & CROSSPOINT_FRAME_SEQUENCE) && (int32_t)(note->sequence - leg->gate_sequence) < 0 &&
		     worker->now < detail->gate_deadline)) {
			count_reason(worker, port, CROSSPOINT_COPY_GATED);
			return 0;
		}
	}
	if (!output) {
		count_reason(worker, port, CROSSPOINT_COPY_INTERFACE_DOWN);
		return 0;
	}
	if (length + growth > output->longest_frame) {
		count_reason(worker, port, CROSSPOINT_COPY_TOO_LONG);
		return 0;
	}
	if (!is_last && !worker->free_count) {
		flush(worker, output);
		if (!worker->free_count) {
			output->counters[CROSSPOINT_SOCKET_TX_NO_FRAME]++;
			count_reason(worker, port, CROSSPOINT_COPY_NO_MEMORY);
			return 0;
		}
	}
	if (!reserve(worker, output, &place))
		return 0;
	if (!is_last) {
		frame = take(worker);
		address = ((uint64_t)frame << FRAME_SHIFT) + HEADROOM;
		data = worker->base + address;
		memcpy(data, start, length);
	}
	if (crosspoint_rewrite(data - growth, data + length, leg, detail, !!(note->frame & CROSSPOINT_FRAME_IPV6),
			       !!(note->frame & CROSSPOINT_FRAME_RTP), (__u16)(note->frame >> CROSSPOINT_FRAME_WITHOUT))) {
		output->tx->cached_prod--;
		if (!is_last)
			release(worker, address);
		count_reason(worker, port, CROSSPOINT_COPY_REWRITE_FAILED);
		return 0;
	}
	descriptor = xsk_ring_prod__tx_desc(output->tx, place);
	descriptor->addr = address - growth;
	descriptor->len = length + growth;
	descriptor->options = 0;
	if (leg->counter < worker->tables.leg_counters) {
		worker->tables.leg_counts[leg->counter].packets++;
		worker->tables.leg_counts[leg->counter].bytes += length + growth;
	}
	worker->copies[address >> FRAME_SHIFT] = (struct copy){ leg->counter, length + growth };
	worker->tables.ports[port].transmitted_copies++;
	output->pending++;
	output->counters[CROSSPOINT_SOCKET_TX_PACKETS]++;
	return is_last;
}

static inline void
process(struct reference *worker, struct channel *channel, const struct xdp_desc *descriptor)
{
	char *start = worker->base + descriptor->addr;
	struct crosspoint_metadata note;
	uint32_t leg, legs, sent = 0;
	uint64_t target;

	channel->filled--;
	memcpy(&note, start - sizeof(note), sizeof(note));
	if (note.group >= worker->tables.flow_slots ||
	    (uint32_t)worker->tables.flow_details[note.group].generation != note.packet) {
		channel->counters[CROSSPOINT_SOCKET_RX_STALE]++;
		release(worker, descriptor->addr);
		return;
	}
	target = __atomic_load_n(note.frame & CROSSPOINT_FRAME_RTCP ? &worker->tables.flow_details[note.group].rtcp_target
								    : &worker->tables.flows[note.group].target,
				 __ATOMIC_RELAXED);
	leg = (uint32_t)target;
	legs = target >> 48;
	if (legs && (uint16_t)(target >> 32) != CROSSPOINT_SHAPE_DIRECT)
		leg = leg < worker->tables.group_slots ? worker->tables.groups[leg].first_leg : ~0u;
	if (!legs || (uint64_t)leg + legs > worker->tables.leg_slots) {
		count_reason(worker, channel->port, CROSSPOINT_COPY_NO_LEG);
		release(worker, descriptor->addr);
		return;
	}
	for (uint32_t index = 0; index < legs; index++)
		sent = send_copy(worker, start, descriptor->addr, descriptor->len, &note, leg + index, index + 1 == legs);
	if (!sent)
		release(worker, descriptor->addr);
}

uint32_t
reference_pass(struct reference *worker, uint64_t now)
{
	uint32_t received = 0;

	worker->now = now;
	for (uint32_t index = 0; index < worker->count; index++) {
		struct channel *channel = &worker->channels[index];
		uint32_t first, count;

		if (channel->outstanding)
			reap(worker, channel);
		if (!channel->receives)
			continue;
		refill(worker, channel);
		count = xsk_ring_cons__peek(channel->rx, BATCH, &first);
		for (uint32_t packet = 0; packet < count; packet++)
			process(worker, channel, xsk_ring_cons__rx_desc(channel->rx, first + packet));
		if (count)
			xsk_ring_cons__release(channel->rx, count);
		channel->counters[CROSSPOINT_SOCKET_RX_PACKETS] += count;
		received += count;
	}
	for (uint32_t index = 0; index < worker->count; index++)
		if (worker->channels[index].pending)
			flush(worker, &worker->channels[index]);
	return received;
}

void
reference_run(struct reference *worker, volatile uint64_t *heartbeat, const volatile int *stop)
{
	while (!*stop) {
		struct timespec time;
		struct pollfd set[MOST_SOCKETS];
		uint32_t waiting = 0, count = 0;

		clock_gettime(CLOCK_MONOTONIC, &time);
		*heartbeat = (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
		if (reference_pass(worker, *heartbeat))
			continue;
		for (uint32_t index = 0; index < worker->count; index++) {
			waiting += worker->channels[index].outstanding;
			if (worker->channels[index].receives)
				set[count++] = (struct pollfd){ worker->channels[index].descriptor, POLLIN, 0 };
		}
		poll(set, count, waiting ? 1 : 20);
	}
}
