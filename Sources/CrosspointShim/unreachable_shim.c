#include "datagram_shim.h"

#include <errno.h>
#include <linux/icmp.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/udp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* The ICMP header, of both families. */
#define ICMP_BYTES 8

int crosspoint_unreachable_socket(int family)
{
	int is_ipv6 = family == AF_INET6;
	int fd = socket(family, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, is_ipv6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP);
	int result;

	if (fd < 0)
		return -errno;
	if (is_ipv6) {
		struct icmp6_filter filter;

		ICMP6_FILTER_SETBLOCKALL(&filter);
		ICMP6_FILTER_SETPASS(ICMP6_DST_UNREACH, &filter);
		ICMP6_FILTER_SETPASS(ICMP6_PARAM_PROB, &filter);
		result = setsockopt(fd, IPPROTO_ICMPV6, ICMP6_FILTER, &filter, sizeof(filter));
	} else {
		/* A set bit blocks its type. */
		struct icmp_filter filter = { .data = ~(1u << ICMP_DEST_UNREACH | 1u << ICMP_PARAMETERPROB) };

		result = setsockopt(fd, SOL_RAW, ICMP_FILTER, &filter, sizeof(filter));
	}
	if (result < 0) {
		result = -errno;
		close(fd);
		return result;
	}
	return fd;
}

int crosspoint_unreachable_read(int socket, struct crosspoint_place *place, void *quoted, size_t capacity)
{
	uint8_t bytes[1500];
	struct sockaddr_storage from;
	socklen_t length = sizeof(from);
	ssize_t count = recvfrom(socket, bytes, sizeof(bytes), 0, (struct sockaddr *)&from, &length);
	size_t size, at, inner;

	if (count < 0)
		return -errno;
	size = (size_t)count;
	memset(place, 0, sizeof(*place));
	if (from.ss_family == AF_INET6) {
		struct ip6_hdr header;

		at = ICMP_BYTES;
		if (size < at + sizeof(header) + sizeof(struct udphdr))
			return 0;
		memcpy(&header, bytes + at, sizeof(header));
		if (header.ip6_nxt != IPPROTO_UDP)
			return 0;
		place->family = AF_INET6;
		memcpy(place->address, &header.ip6_dst, 16);
		inner = at + sizeof(header);
	} else {
		struct iphdr header;

		if (size < sizeof(header))
			return 0;
		/* The kernel gives the IPv4 header, too. */
		at = (bytes[0] & 0xf) * 4u;
		if (at < sizeof(header) || size < at + ICMP_BYTES + sizeof(header))
			return 0;
		/* A router whose link takes shorter packets has said nothing of the destination. */
		if (bytes[at] == ICMP_DEST_UNREACH && bytes[at + 1] == ICMP_FRAG_NEEDED)
			return 0;
		at += ICMP_BYTES;
		memcpy(&header, bytes + at, sizeof(header));
		inner = at + header.ihl * 4u;
		if (header.ihl < 5 || header.protocol != IPPROTO_UDP || size < inner + sizeof(struct udphdr))
			return 0;
		place->family = AF_INET;
		memcpy(place->address, &header.daddr, 4);
	}
	place->udp_port = (uint16_t)(bytes[inner + 2] << 8 | bytes[inner + 3]);
	inner += sizeof(struct udphdr);
	if (size - inner < capacity)
		capacity = size - inner;
	memcpy(quoted, bytes + inner, capacity);
	return (int)capacity;
}
