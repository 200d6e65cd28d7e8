/* UDP sockets that say which of the host's addresses a datagram leaves from: control messages, which Swift does not import. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* An address of 4 or 16 bytes in network byte order, by `family` AF_INET or AF_INET6, and a UDP port in host byte order. */
struct crosspoint_place {
	int family;
	uint8_t address[16];
	uint16_t udp_port;
};

/* A non-blocking UDP socket bound to the place; an IPv6 one takes no IPv4. Returns the descriptor or a negative errno. */
int crosspoint_datagram_socket(const struct crosspoint_place *place, int receive_buffer);

/* The UDP port that a socket is bound to; 0 on failure. */
uint16_t crosspoint_datagram_port(int socket);

/*
 * Sends one datagram, from the address of `source` where it is given (its UDP port does not matter). Returns 0 or a
 * negative errno.
 */
int crosspoint_datagram_send(int socket, const void *data, size_t length, const struct crosspoint_place *destination,
			     const struct crosspoint_place *source);

/* The host's address that the kernel would send from to `peer`, into `local`. Returns 0 or a negative errno. */
int crosspoint_local_address(const struct crosspoint_place *peer, struct crosspoint_place *local);

/*
 * A non-blocking socket for the ICMP errors of a family (AF_INET or AF_INET6) that say that a destination cannot be
 * reached. Returns the descriptor or a negative errno: EPERM without CAP_NET_RAW.
 */
int crosspoint_unreachable_socket(int family);

/*
 * Reads one such error: `quoted` gets the first bytes behind the UDP header of the datagram that it answers, and
 * `place` where that was sent to. Returns the number of bytes, 0 for an error of something else, or a negative errno:
 * EAGAIN when there are none left.
 */
int crosspoint_unreachable_read(int socket, struct crosspoint_place *place, void *quoted, size_t capacity);
