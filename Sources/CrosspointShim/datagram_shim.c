#include "datagram_shim.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static socklen_t to_socket_address(const struct crosspoint_place *place, struct sockaddr_storage *storage)
{
	memset(storage, 0, sizeof(*storage));
	if (place->family == AF_INET) {
		struct sockaddr_in *v4 = (struct sockaddr_in *)storage;

		v4->sin_family = AF_INET;
		v4->sin_port = htons(place->udp_port);
		memcpy(&v4->sin_addr, place->address, 4);
		return sizeof(*v4);
	}
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)storage;

	v6->sin6_family = AF_INET6;
	v6->sin6_port = htons(place->udp_port);
	memcpy(&v6->sin6_addr, place->address, 16);
	return sizeof(*v6);
}

static int failed(int socket)
{
	int error = errno;

	close(socket);
	return -error;
}

int crosspoint_datagram_socket(const struct crosspoint_place *place, int receive_buffer)
{
	struct sockaddr_storage address;
	socklen_t length = to_socket_address(place, &address);
	int one = 1;
	int fd = socket(place->family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_UDP);

	if (fd < 0)
		return -errno;
	if (place->family == AF_INET6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one)) < 0)
		return failed(fd);
	/* A smaller buffer than asked for is not a reason not to listen. */
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof(receive_buffer));
	if (bind(fd, (struct sockaddr *)&address, length) < 0)
		return failed(fd);
	return fd;
}

uint16_t crosspoint_datagram_port(int socket)
{
	struct sockaddr_storage address;
	socklen_t length = sizeof(address);

	if (getsockname(socket, (struct sockaddr *)&address, &length) < 0)
		return 0;
	return ntohs(address.ss_family == AF_INET ? ((struct sockaddr_in *)&address)->sin_port
						  : ((struct sockaddr_in6 *)&address)->sin6_port);
}

int crosspoint_datagram_send(int socket, const void *data, size_t length, const struct crosspoint_place *destination,
			     const struct crosspoint_place *source)
{
	struct sockaddr_storage address;
	union {
		struct cmsghdr header;
		char v4[CMSG_SPACE(sizeof(struct in_pktinfo))];
		char v6[CMSG_SPACE(sizeof(struct in6_pktinfo))];
	} control;
	struct iovec part = { .iov_base = (void *)data, .iov_len = length };
	struct msghdr message = {
		.msg_name = &address,
		.msg_namelen = to_socket_address(destination, &address),
		.msg_iov = &part,
		.msg_iovlen = 1,
	};

	if (source && source->family == destination->family) {
		memset(&control, 0, sizeof(control));
		message.msg_control = &control;
		if (source->family == AF_INET) {
			struct in_pktinfo information = { 0 };

			memcpy(&information.ipi_spec_dst, source->address, 4);
			message.msg_controllen = sizeof(control.v4);
			control.header.cmsg_level = IPPROTO_IP;
			control.header.cmsg_type = IP_PKTINFO;
			control.header.cmsg_len = CMSG_LEN(sizeof(information));
			memcpy(CMSG_DATA(&control.header), &information, sizeof(information));
		} else {
			struct in6_pktinfo information = { 0 };

			memcpy(&information.ipi6_addr, source->address, 16);
			message.msg_controllen = sizeof(control.v6);
			control.header.cmsg_level = IPPROTO_IPV6;
			control.header.cmsg_type = IPV6_PKTINFO;
			control.header.cmsg_len = CMSG_LEN(sizeof(information));
			memcpy(CMSG_DATA(&control.header), &information, sizeof(information));
		}
	}
	return sendmsg(socket, &message, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

int crosspoint_local_address(const struct crosspoint_place *peer, struct crosspoint_place *local)
{
	struct sockaddr_storage address;
	socklen_t length = to_socket_address(peer, &address);
	int fd = socket(peer->family, SOCK_DGRAM | SOCK_CLOEXEC, IPPROTO_UDP);

	if (fd < 0)
		return -errno;
	/* Connecting a UDP socket sends nothing; any UDP port will do. */
	if (peer->family == AF_INET)
		((struct sockaddr_in *)&address)->sin_port = htons(9);
	else
		((struct sockaddr_in6 *)&address)->sin6_port = htons(9);
	if (connect(fd, (struct sockaddr *)&address, length) < 0)
		return failed(fd);
	length = sizeof(address);
	if (getsockname(fd, (struct sockaddr *)&address, &length) < 0)
		return failed(fd);
	close(fd);
	memset(local, 0, sizeof(*local));
	local->family = peer->family;
	if (peer->family == AF_INET)
		memcpy(local->address, &((struct sockaddr_in *)&address)->sin_addr, 4);
	else
		memcpy(local->address, &((struct sockaddr_in6 *)&address)->sin6_addr, 16);
	return 0;
}
