/*
 * The media of many calls at once: sends numbered RTP from both ends of every call, and counts what comes to the others. Prints one
 * line of JSON.
 *
 *   sip-benchmark-media --rate PACKETS --seconds N CALLERS CALLEES <places
 *
 * CALLERS and CALLEES name network namespaces by a file, as /run/netns/NAME. A line of `places` is one end of a call:
 *
 *   caller|callee ADDRESS UDPPORT REMOTE_ADDRESS REMOTE_UDPPORT
 *
 * All ends together send PACKETS packets a second, in turns, each packet 20 ms of G.711 (214 bytes on the wire). A thread of its own
 * receives. A packet is counted when it has the length, the version and the payload type that were sent; how many came twice is not
 * looked at, so that "received" is at most "sent" unless somebody multiplies packets.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define ENDS_MAX 20002
#define PAYLOAD 160

struct packet {
	uint8_t version, payload_type;
	uint16_t sequence;
	uint32_t timestamp, ssrc;
	uint8_t payload[PAYLOAD];
};

struct end {
	int fd;
	uint16_t sequence;
	uint64_t sent, received;
	bool is_caller;
};

static struct end ends[ENDS_MAX];
static int end_count, poller;
static uint64_t wrong;
static atomic_bool is_over;

static double
now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void
fail(const char *what)
{
	fprintf(stderr, "sip-benchmark-media: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* A socket belongs to the namespace that it was made in, wherever its process goes. */
static void
enter(const char *namespace)
{
	int fd = open(namespace, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || setns(fd, CLONE_NEWNET))
		fail(namespace);
	close(fd);
}

static struct sockaddr_in
name(const char *address, int port)
{
	struct sockaddr_in name = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };

	if (inet_pton(AF_INET, address, &name.sin_addr) != 1) {
		errno = EINVAL;
		fail(address);
	}
	return name;
}

static void
add_end(bool is_caller, const char *address, int port, const char *remote_address, int remote_port)
{
	struct sockaddr_in local = name(address, port), remote = name(remote_address, remote_port);
	struct epoll_event event = { .events = EPOLLIN, .data.u32 = (uint32_t)end_count };
	struct end *end = &ends[end_count];
	int space = 4 << 20;

	if (end_count == ENDS_MAX) {
		errno = E2BIG;
		fail("places");
	}
	end->is_caller = is_caller;
	end->fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	if (end->fd < 0)
		fail("socket");
	setsockopt(end->fd, SOL_SOCKET, SO_RCVBUFFORCE, &space, sizeof(space));
	setsockopt(end->fd, SOL_SOCKET, SO_SNDBUFFORCE, &space, sizeof(space));
	if (bind(end->fd, (struct sockaddr *)&local, sizeof(local)))
		fail("bind");
	if (connect(end->fd, (struct sockaddr *)&remote, sizeof(remote)))
		fail("connect");
	if (epoll_ctl(poller, EPOLL_CTL_ADD, end->fd, &event))
		fail("epoll_ctl");
	end_count++;
}

static void *
receive(void *unused)
{
	struct epoll_event events[256];
	struct mmsghdr messages[64];
	struct iovec pieces[64];
	static struct packet packets[64];

	(void)unused;
	memset(messages, 0, sizeof(messages));
	for (int index = 0; index < 64; index++) {
		pieces[index] = (struct iovec){ &packets[index], sizeof(packets[index]) };
		messages[index].msg_hdr.msg_iov = &pieces[index];
		messages[index].msg_hdr.msg_iovlen = 1;
	}
	while (!atomic_load(&is_over)) {
		int ready = epoll_wait(poller, events, 256, 50);

		for (int index = 0; index < ready; index++) {
			struct end *end = &ends[events[index].data.u32];
			int count = recvmmsg(end->fd, messages, 64, MSG_DONTWAIT, NULL);

			for (int number = 0; number < count; number++) {
				if (messages[number].msg_len == sizeof(struct packet) && packets[number].version == 0x80 &&
				    packets[number].payload_type == 0)
					end->received++;
				else
					wrong++;
			}
		}
	}
	return NULL;
}

/* Sends what is owed, a millisecond's worth at a time; what could not be sent in time is not sent later. */
static double
transmit(double rate, double seconds)
{
	struct packet packet = { .version = 0x80 };
	double began = now(), elapsed = 0;
	uint64_t owed, done = 0;
	int next = 0;

	while ((elapsed = now() - began) < seconds) {
		owed = (uint64_t)(elapsed * rate);
		for (; done < owed; done++) {
			struct end *end = &ends[next];

			packet.sequence = htons(end->sequence);
			packet.timestamp = htonl((uint32_t)end->sequence * PAYLOAD);
			packet.ssrc = htonl((uint32_t)next + 1);
			end->sequence++;
			if (send(end->fd, &packet, sizeof(packet), 0) == sizeof(packet))
				end->sent++;
			next = (next + 1) % end_count;
		}
		usleep(500);
	}
	return elapsed;
}

int
main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "rate", required_argument, NULL, 'r' }, { "seconds", required_argument, NULL, 's' }, { 0 },
	};
	struct rlimit files = { 65536, 65536 };
	uint64_t sent[2] = { 0 }, received[2] = { 0 };
	double rate = 0, seconds = 0, elapsed;
	char side[16], address[64], remote[64];
	int option, port, remote_port;
	bool is_caller_namespace;
	pthread_t receiver;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'r')
			rate = atof(optarg);
		else if (option == 's')
			seconds = atof(optarg);
		else
			return 64;
	}
	if (argc - optind != 2 || rate <= 0 || seconds <= 0) {
		fprintf(stderr, "usage: sip-benchmark-media --rate PACKETS --seconds N CALLERS CALLEES <places\n");
		return 64;
	}
	setrlimit(RLIMIT_NOFILE, &files);
	poller = epoll_create1(0);
	enter(argv[optind]);
	is_caller_namespace = true;
	while (scanf("%15s %63s %d %63s %d", side, address, &port, remote, &remote_port) == 5) {
		bool is_caller = strcmp(side, "caller") == 0;

		if (is_caller != is_caller_namespace)
			enter(argv[optind + (is_caller ? 0 : 1)]);
		is_caller_namespace = is_caller;
		add_end(is_caller, address, port, remote, remote_port);
	}
	if (end_count == 0) {
		errno = ENOENT;
		fail("places");
	}
	if (pthread_create(&receiver, NULL, receive, NULL))
		fail("pthread_create");
	elapsed = transmit(rate, seconds);
	/* Packets that are on their way arrive. */
	usleep(500000);
	atomic_store(&is_over, true);
	pthread_join(receiver, NULL);
	for (int index = 0; index < end_count; index++) {
		sent[ends[index].is_caller ? 0 : 1] += ends[index].sent;
		received[ends[index].is_caller ? 1 : 0] += ends[index].received;
	}
	printf("{\"ends\": %d, \"sent\": %llu, \"received\": %llu, \"to_callees\": {\"sent\": %llu, \"received\": %llu}, "
	       "\"to_callers\": {\"sent\": %llu, \"received\": %llu}, \"wrong\": %llu, \"packets_per_second\": %.0f}\n",
	       end_count, (unsigned long long)(sent[0] + sent[1]), (unsigned long long)(received[0] + received[1]),
	       (unsigned long long)sent[0], (unsigned long long)received[0], (unsigned long long)sent[1],
	       (unsigned long long)received[1], (unsigned long long)wrong, (double)(sent[0] + sent[1]) / elapsed);
	return 0;
}
