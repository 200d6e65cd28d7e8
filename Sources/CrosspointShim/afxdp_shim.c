/* Socket options of AF_XDP. */
#include <errno.h>
#include <linux/if_xdp.h>
#include <sys/socket.h>
#include <time.h>

#include "afxdp_shim.h"

#ifndef SOL_XDP
#define SOL_XDP 283
#endif
#ifndef XDP_MAX_TX_SKB_BUDGET
#define XDP_MAX_TX_SKB_BUDGET 9
#endif
#ifndef SO_PREFER_BUSY_POLL
#define SO_PREFER_BUSY_POLL 69
#endif
#ifndef SO_BUSY_POLL_BUDGET
#define SO_BUSY_POLL_BUDGET 70
#endif

int
crosspoint_xdp_is_zero_copy(int socket, bool *result)
{
	struct xdp_options options = { 0 };
	socklen_t size = sizeof(options);

	if (getsockopt(socket, SOL_XDP, XDP_OPTIONS, &options, &size))
		return -errno;
	*result = options.flags & XDP_OPTIONS_ZEROCOPY;
	return 0;
}

int
crosspoint_xdp_statistics(int socket, uint64_t values[6])
{
	struct xdp_statistics statistics = { 0 };
	socklen_t size = sizeof(statistics);

	if (getsockopt(socket, SOL_XDP, XDP_STATISTICS, &statistics, &size))
		return -errno;
	values[0] = statistics.rx_dropped;
	values[1] = statistics.rx_invalid_descs;
	values[2] = statistics.tx_invalid_descs;
	values[3] = statistics.rx_ring_full;
	values[4] = statistics.rx_fill_ring_empty_descs;
	values[5] = statistics.tx_ring_empty_descs;
	return 0;
}

static int
set_option(int socket, int level, int name, int value)
{
	return setsockopt(socket, level, name, &value, sizeof(value)) ? -errno : 0;
}

int
crosspoint_xdp_set_send_budget(int socket, uint32_t descriptors)
{
	return set_option(socket, SOL_XDP, XDP_MAX_TX_SKB_BUDGET, (int)descriptors);
}

int
crosspoint_set_send_buffer(int socket, int bytes)
{
	return set_option(socket, SOL_SOCKET, SO_SNDBUFFORCE, bytes);
}

int
crosspoint_set_busy_poll(int socket, uint32_t microseconds, uint32_t budget)
{
	int error = set_option(socket, SOL_SOCKET, SO_PREFER_BUSY_POLL, 1);

	if (!error)
		error = set_option(socket, SOL_SOCKET, SO_BUSY_POLL, (int)microseconds);
	return error ? error : set_option(socket, SOL_SOCKET, SO_BUSY_POLL_BUDGET, (int)budget);
}

int
crosspoint_xdp_send(int socket)
{
	return sendto(socket, NULL, 0, MSG_DONTWAIT, NULL, 0) < 0 ? -errno : 0;
}

int
crosspoint_xdp_receive(int socket)
{
	return recvfrom(socket, NULL, 0, MSG_DONTWAIT, NULL, NULL) < 0 ? -errno : 0;
}

uint64_t
crosspoint_monotonic(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}
