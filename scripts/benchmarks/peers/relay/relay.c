/*
 * The strongest relay that plain UDP sockets allow: what Crosspoint is compared with.
 *
 *   peers-relay [--gso] ADDRESS PORT DESTINATION:PORT...
 *
 * Datagrams that arrive at ADDRESS and PORT go to every destination. Up to 64 are received by one recvmmsg() into buffers that stay
 * where they are, and are sent from there by one sendmmsg() for each destination, on a connected socket (so that the route is
 * looked up once), without UDP checksums, as they came. With --gso, datagrams of one size leave as one message that the kernel cuts
 * up (UDP_SEGMENT): it then computes checksums. UDP_GRO is asked for; the kernel merges only datagrams that have a checksum.
 *
 * Its buffers hold some milliseconds of video: what it cannot keep up with is lost, and not kept for later.
 *
 * Prints "ready" when it listens. Ends by a signal.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BATCH 64
#define DATAGRAM 65536
#define DESTINATIONS 64
/* The kernel's limit for one message: segments, and bytes of UDP payload. */
#define SEGMENTS 64
#define SEGMENTED_BYTES 65000

static unsigned char buffers[BATCH][DATAGRAM];
static struct iovec vectors[BATCH];
static struct mmsghdr received[BATCH], sending[BATCH];
static char controls[BATCH][CMSG_SPACE(sizeof(int))];

static void
fail(const char *what)
{
	perror(what);
	exit(1);
}

static struct sockaddr_in
address_of(const char *address, const char *port)
{
	struct sockaddr_in result = { .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port)) };

	if (inet_pton(AF_INET, address, &result.sin_addr) != 1) {
		fprintf(stderr, "%s: is no IPv4 address\n", address);
		exit(2);
	}
	return result;
}

static int
listen_at(const char *address, const char *port)
{
	struct sockaddr_in name = address_of(address, port);
	int descriptor = socket(AF_INET, SOCK_DGRAM, 0), size = 4 << 20, on = 1;

	if (descriptor < 0 || bind(descriptor, (struct sockaddr *)&name, sizeof(name)))
		fail("listen");
	if (setsockopt(descriptor, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)))
		fail("SO_RCVBUFFORCE");
	if (setsockopt(descriptor, IPPROTO_UDP, UDP_GRO, &on, sizeof(on)))
		fail("UDP_GRO");
	return descriptor;
}

static int
connect_to(char *destination, int uses_gso)
{
	char *colon = strchr(destination, ':');
	int descriptor = socket(AF_INET, SOCK_DGRAM, 0), size = 4 << 20, on = 1;
	struct sockaddr_in name;

	if (!colon) {
		fprintf(stderr, "%s: is not ADDRESS:PORT\n", destination);
		exit(2);
	}
	*colon = 0;
	name = address_of(destination, colon + 1);
	if (descriptor < 0 || setsockopt(descriptor, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)))
		fail("socket");
	if (!uses_gso && setsockopt(descriptor, SOL_SOCKET, SO_NO_CHECK, &on, sizeof(on)))
		fail("SO_NO_CHECK");
	if (connect(descriptor, (struct sockaddr *)&name, sizeof(name)))
		fail("connect");
	return descriptor;
}

/* The segment size of a received message: its own length, unless the kernel merged several (UDP_GRO). */
static unsigned
segment_size(struct mmsghdr *message)
{
	for (struct cmsghdr *control = CMSG_FIRSTHDR(&message->msg_hdr); control;
	     control = CMSG_NXTHDR(&message->msg_hdr, control)) {
		if (control->cmsg_level == SOL_UDP && control->cmsg_type == UDP_GRO)
			return (unsigned)*(int *)CMSG_DATA(control);
	}
	return message->msg_len;
}

/* Asks the kernel to cut a message up. */
static void
set_segment_size(struct msghdr *message, char *control, unsigned size)
{
	struct cmsghdr *header;

	message->msg_control = control;
	message->msg_controllen = CMSG_SPACE(sizeof(uint16_t));
	header = CMSG_FIRSTHDR(message);
	header->cmsg_level = SOL_UDP;
	header->cmsg_type = UDP_SEGMENT;
	header->cmsg_len = CMSG_LEN(sizeof(uint16_t));
	*(uint16_t *)CMSG_DATA(header) = (uint16_t)size;
}

/* Makes messages of what was received: one for each datagram, or one for a run of datagrams of one size. Returns how many. */
static int
compose(int count, int uses_gso)
{
	static char segments[BATCH][CMSG_SPACE(sizeof(uint16_t))];
	int messages = 0;

	for (int first = 0; first < count;) {
		struct msghdr *message = &sending[messages].msg_hdr;
		unsigned size = segment_size(&received[first]), bytes = received[first].msg_len;
		int run = 1, is_merged = size < bytes;

		while (uses_gso && !is_merged && first + run < count && run < SEGMENTS &&
		       received[first + run].msg_len == size && segment_size(&received[first + run]) == size &&
		       bytes + size <= SEGMENTED_BYTES) {
			bytes += size;
			run++;
		}
		*message = (struct msghdr){ .msg_iov = &vectors[first], .msg_iovlen = (size_t)run };
		if (run > 1 || is_merged)
			set_segment_size(message, segments[messages], size);
		messages++;
		first += run;
	}
	return messages;
}

int
main(int argc, char **argv)
{
	int uses_gso = argc > 1 && !strcmp(argv[1], "--gso"), first = 1 + uses_gso, listener, count = 0;
	int destinations[DESTINATIONS];

	if (argc < first + 3 || argc - first - 2 > DESTINATIONS) {
		fprintf(stderr, "usage: peers-relay [--gso] ADDRESS PORT DESTINATION:PORT...\n");
		return 2;
	}
	listener = listen_at(argv[first], argv[first + 1]);
	for (int argument = first + 2; argument < argc; argument++)
		destinations[count++] = connect_to(argv[argument], uses_gso);
	puts("ready");
	fflush(stdout);
	for (;;) {
		int datagrams, messages;

		for (int index = 0; index < BATCH; index++) {
			vectors[index] = (struct iovec){ buffers[index], DATAGRAM };
			received[index].msg_hdr = (struct msghdr){
				.msg_iov = &vectors[index],
				.msg_iovlen = 1,
				.msg_control = controls[index],
				.msg_controllen = sizeof(controls[index]),
			};
		}
		datagrams = recvmmsg(listener, received, BATCH, MSG_WAITFORONE, NULL);
		if (datagrams < 0) {
			if (errno == EINTR)
				continue;
			fail("recvmmsg");
		}
		for (int index = 0; index < datagrams; index++)
			vectors[index].iov_len = received[index].msg_len;
		messages = compose(datagrams, uses_gso);
		for (int index = 0; index < count; index++) {
			for (int sent = 0; sent < messages;) {
				int more = sendmmsg(destinations[index], sending + sent, (unsigned)(messages - sent), 0);

				if (more < 0 && errno != EINTR && errno != ECONNREFUSED && errno != ENOBUFS)
					fail("sendmmsg");
				sent += more > 0 ? more : 1;
			}
		}
	}
}
