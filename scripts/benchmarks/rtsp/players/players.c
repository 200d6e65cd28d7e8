/*
 * RTSP players by UDP, hundreds at a time, on one thread: sets sessions up (OPTIONS, DESCRIBE, SETUP, PLAY), receives, and takes
 * them down again. Prints what it measured as one line of JSON.
 *
 *   rtsp-benchmark-players --sessions N --concurrency N --hold SECONDS --tcp-port PORT --path PATH SERVER,LOCAL...
 *
 * Sessions go round the pairs of a server's address and the local address to play from. So many are under way at a time as
 * --concurrency says, each on a TCP connection of its own; when the last one plays, all are held for --hold seconds.
 *
 * The measured values, and their measurement:
 *   sessions_per_second   from the first connect() to the last reply to PLAY
 *   first_packet_ms       from the reply to PLAY to the first packet at the RTP socket, both as the kernel stamped them when they
 *                         came in (SO_TIMESTAMPNS): this program's own delay is not in it. A packet that came before the reply
 *                         counts as 0 and is reported as "early", with the longest such time
 *   announced_wrong       sessions whose first packet is not the one that RTP-Info of the reply to PLAY names
 *   missing               sequence numbers between a session's first packet and its last that did not come
 *   after_teardown        packets whose stamp is later than that of the reply to TEARDOWN
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define TARGETS_MAX 64
#define FIRST_UDP_PORT 20000

enum state { IDLE, CONNECTING, OPTIONS, DESCRIBE, SETUP, PLAY, PLAYING, TEARDOWN, DONE, FAILED };

struct session {
	enum state state;
	int tcp, rtp, rtcp;
	const char *server, *local;
	uint16_t udp_port;
	uint32_t cseq;
	char id[128], base[256], control[256];
	char input[16384];
	size_t length;
	int64_t began, play_reply, first_packet, teardown_reply;
	uint64_t packets, missing, disorder, after_teardown;
	uint16_t first_sequence, last_sequence;
	/* RTP-Info's seq; -1 without one. */
	int announced;
};

/* The subject of an epoll event: a session's number, and the one of its sockets. */
#define TAG(number, is_udp) ((uint64_t)(number) << 1 | (is_udp))

static struct session *sessions;
static const char *servers[TARGETS_MAX], *locals[TARGETS_MAX];
static int target_count, session_count, concurrency = 16, poller, tcp_port = 8554;
static int started, under_way, playing, ended, failed;
static const char *path = "/cam1";
static char first_failure[256];

static int64_t
clock_ns(clockid_t clock)
{
	struct timespec time;

	clock_gettime(clock, &time);
	return time.tv_sec * 1000000000LL + time.tv_nsec;
}

static void
fail(struct session *session, const char *reason)
{
	if (session->state == FAILED)
		return;
	if (!first_failure[0])
		snprintf(first_failure, sizeof(first_failure), "%s in state %d", reason, session->state);
	if (session->state < PLAYING)
		under_way--;
	session->state = FAILED;
	failed++;
	if (session->tcp >= 0)
		close(session->tcp);
	session->tcp = -1;
}

static int
udp_socket(const char *local, uint16_t udp_port)
{
	struct sockaddr_in name = { .sin_family = AF_INET, .sin_port = htons(udp_port) };
	int one = 1, fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);

	inet_pton(AF_INET, local, &name.sin_addr);
	setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&name, sizeof(name))) {
		perror("bind");
		exit(1);
	}
	return fd;
}

static void
watch(int fd, uint32_t events, uint64_t tag, int operation)
{
	struct epoll_event event = { .events = events, .data.u64 = tag };

	if (epoll_ctl(poller, operation, fd, &event)) {
		perror("epoll_ctl");
		exit(1);
	}
}

static void
start(int number)
{
	struct session *session = &sessions[number];
	struct sockaddr_in name = { .sin_family = AF_INET, .sin_port = htons(tcp_port) }, own = { .sin_family = AF_INET };
	int one = 1;

	session->server = servers[number % target_count];
	session->local = locals[number % target_count];
	session->udp_port = FIRST_UDP_PORT + 2 * number;
	session->rtp = udp_socket(session->local, session->udp_port);
	session->rtcp = udp_socket(session->local, session->udp_port + 1);
	watch(session->rtp, EPOLLIN, TAG(number, 1), EPOLL_CTL_ADD);
	session->tcp = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	setsockopt(session->tcp, SOL_SOCKET, SO_TIMESTAMPNS, &one, sizeof(one));
	setsockopt(session->tcp, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	inet_pton(AF_INET, session->server, &name.sin_addr);
	inet_pton(AF_INET, session->local, &own.sin_addr);
	bind(session->tcp, (struct sockaddr *)&own, sizeof(own));
	session->began = clock_ns(CLOCK_REALTIME);
	session->state = CONNECTING;
	under_way++;
	if (connect(session->tcp, (struct sockaddr *)&name, sizeof(name)) && errno != EINPROGRESS)
		fail(session, strerror(errno));
	else
		watch(session->tcp, EPOLLOUT, TAG(number, 0), EPOLL_CTL_ADD);
}

static void
send_request(struct session *session, const char *method, const char *url, const char *fields)
{
	char request[1024], id[160] = "";
	int length;

	if (session->id[0])
		snprintf(id, sizeof(id), "Session: %s\r\n", session->id);
	length = snprintf(request, sizeof(request), "%s %s RTSP/1.0\r\nCSeq: %u\r\n%s%s\r\n", method, url, ++session->cseq, id,
			  fields);
	/* A request is far smaller than a send buffer. */
	if (send(session->tcp, request, length, MSG_NOSIGNAL) != length)
		fail(session, "send");
}

static void
presentation(const struct session *session, char *url, size_t size)
{
	snprintf(url, size, "rtsp://%s:%d%s", session->server, tcp_port, path);
}

/* The value of a header field, up to one of `ends`. */
static void
field(const char *head, const char *name, char *value, size_t size, const char *ends)
{
	const char *line = strcasestr(head, name);

	value[0] = 0;
	if (!line)
		return;
	line += strlen(name);
	line += strspn(line, " ");
	snprintf(value, size, "%.*s", (int)strcspn(line, ends), line);
}

static void
describe_reply(struct session *session, const char *head, const char *body)
{
	const char *medium = strstr(body, "\nm="), *control = medium ? strstr(medium, "a=control:") : NULL;

	field(head, "\r\nContent-Base:", session->base, sizeof(session->base), "\r\n");
	if (!session->base[0])
		presentation(session, session->base, sizeof(session->base));
	if (!control) {
		fail(session, "no control URL");
		return;
	}
	control += 10;
	if (!strncmp(control, "rtsp://", 7))
		snprintf(session->control, sizeof(session->control), "%.*s", (int)strcspn(control, "\r\n"), control);
	else
		snprintf(session->control, sizeof(session->control), "%s%s%.*s", session->base,
			 session->base[strlen(session->base) - 1] == '/' ? "" : "/", (int)strcspn(control, "\r\n"), control);
}

/* One response, whole; `stamp` is when its end came in. */
static void
reply(struct session *session, const char *head, const char *body, int64_t stamp)
{
	char url[300], fields[200];

	presentation(session, url, sizeof(url));
	if (strncmp(head, "RTSP/1.0 200", 12)) {
		snprintf(fields, sizeof(fields), "%.*s", (int)strcspn(head, "\r\n"), head);
		fail(session, fields);
		return;
	}
	switch (session->state) {
	case OPTIONS:
		session->state = DESCRIBE;
		send_request(session, "DESCRIBE", url, "Accept: application/sdp\r\n");
		break;
	case DESCRIBE:
		describe_reply(session, head, body);
		if (session->state == FAILED)
			break;
		session->state = SETUP;
		snprintf(fields, sizeof(fields), "Transport: RTP/AVP;unicast;client_port=%u-%u\r\n", session->udp_port,
			 session->udp_port + 1);
		send_request(session, "SETUP", session->control, fields);
		break;
	case SETUP:
		field(head, "\r\nSession:", session->id, sizeof(session->id), ";\r\n");
		session->state = PLAY;
		send_request(session, "PLAY", url, "");
		break;
	case PLAY:
		session->state = PLAYING;
		session->play_reply = stamp;
		field(head, "\r\nRTP-Info:", fields, sizeof(fields), "\r\n");
		session->announced = strstr(fields, "seq=") ? atoi(strstr(fields, "seq=") + 4) : -1;
		under_way--;
		playing++;
		break;
	case TEARDOWN:
		session->state = DONE;
		session->teardown_reply = stamp;
		ended++;
		break;
	default:
		break;
	}
}

/* recvmsg() with the kernel's stamp. */
static ssize_t
receive(int fd, void *buffer, size_t size, int64_t *stamp)
{
	char control[128];
	struct iovec vector = { buffer, size };
	struct msghdr message = { .msg_iov = &vector, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control) };
	ssize_t count = recvmsg(fd, &message, MSG_DONTWAIT);
	struct cmsghdr *header;

	*stamp = 0;
	if (count <= 0)
		return count;
	for (header = CMSG_FIRSTHDR(&message); header; header = CMSG_NXTHDR(&message, header))
		if (header->cmsg_level == SOL_SOCKET && header->cmsg_type == SO_TIMESTAMPNS) {
			struct timespec time;

			memcpy(&time, CMSG_DATA(header), sizeof(time));
			*stamp = time.tv_sec * 1000000000LL + time.tv_nsec;
		}
	if (!*stamp)
		*stamp = clock_ns(CLOCK_REALTIME);
	return count;
}

static void
tcp_event(struct session *session, int number)
{
	char url[300];
	int64_t stamp;
	ssize_t count;

	if (session->state == CONNECTING) {
		int error = 0;
		socklen_t size = sizeof(error);

		getsockopt(session->tcp, SOL_SOCKET, SO_ERROR, &error, &size);
		if (error) {
			fail(session, strerror(error));
			return;
		}
		watch(session->tcp, EPOLLIN, TAG(number, 0), EPOLL_CTL_MOD);
		session->state = OPTIONS;
		presentation(session, url, sizeof(url));
		send_request(session, "OPTIONS", url, "");
		return;
	}
	count = receive(session->tcp, session->input + session->length, sizeof(session->input) - 1 - session->length, &stamp);
	if (count < 0 && errno == EAGAIN)
		return;
	if (count <= 0) {
		if (session->state == DONE) {
			close(session->tcp);
			session->tcp = -1;
		} else {
			fail(session, "closed by the server");
		}
		return;
	}
	session->length += count;
	session->input[session->length] = 0;
	for (;;) {
		char *body = strstr(session->input, "\r\n\r\n"), *text;
		size_t content = 0, whole;
		char value[16];

		if (!body)
			return;
		body += 4;
		body[-2] = 0;
		field(session->input, "\r\nContent-Length:", value, sizeof(value), "\r\n");
		content = strtoul(value, NULL, 10);
		whole = body - session->input + content;
		if (session->length < whole) {
			body[-2] = '\r';
			return;
		}
		text = strndup(body, content);
		reply(session, session->input, text, stamp);
		free(text);
		if (session->state == FAILED)
			return;
		memmove(session->input, session->input + whole, session->length - whole + 1);
		session->length -= whole;
	}
}

static void
udp_event(struct session *session)
{
	uint8_t packet[2048];
	int64_t stamp;
	ssize_t count;

	while ((count = receive(session->rtp, packet, sizeof(packet), &stamp)) > 0) {
		uint16_t sequence, step;

		if (count < 12 || packet[0] >> 6 != 2)
			continue;
		sequence = packet[2] << 8 | packet[3];
		if (session->state == DONE && stamp > session->teardown_reply) {
			session->after_teardown++;
			continue;
		}
		if (!session->packets++) {
			session->first_packet = stamp;
			session->first_sequence = session->last_sequence = sequence;
			continue;
		}
		step = sequence - session->last_sequence;
		if (!step || step >= 0x8000) {
			session->disorder++;
			continue;
		}
		session->missing += step - 1;
		session->last_sequence = sequence;
	}
}

static void
turn(int milliseconds)
{
	struct epoll_event events[256];
	int count = epoll_wait(poller, events, 256, milliseconds);

	for (int at = 0; at < count; at++) {
		int number = events[at].data.u64 >> 1;
		struct session *session = &sessions[number];

		if (events[at].data.u64 & 1)
			udp_event(session);
		else if (session->tcp >= 0)
			tcp_event(session, number);
	}
}

static void
turns(int64_t nanoseconds)
{
	int64_t end = clock_ns(CLOCK_MONOTONIC) + nanoseconds;

	while (clock_ns(CLOCK_MONOTONIC) < end)
		turn(5);
}

static int
by_value(const void *one, const void *other)
{
	int64_t left = *(const int64_t *)one, right = *(const int64_t *)other;

	return left < right ? -1 : left > right;
}

static void
print_times(const char *name, int64_t *times, int count)
{
	qsort(times, count, sizeof(*times), by_value);
	if (count)
		printf("\"%s\": {\"p50\": %.3f, \"p99\": %.3f, \"max\": %.3f}, ", name, times[count / 2] / 1e6,
		       times[count * 99 / 100] / 1e6, times[count - 1] / 1e6);
}

static void
report(int64_t began)
{
	int64_t *first = calloc(session_count, sizeof(*first)), *setup = calloc(session_count, sizeof(*setup)), last = began;
	int64_t earliest = 0;
	uint64_t packets = 0, missing = 0, disorder = 0, after_teardown = 0;
	int set_up = 0, heard = 0, early = 0, announced = 0, announced_wrong = 0;

	for (int number = 0; number < session_count; number++) {
		struct session *session = &sessions[number];

		packets += session->packets;
		missing += session->missing;
		disorder += session->disorder;
		after_teardown += session->after_teardown;
		if (!session->play_reply)
			continue;
		if (session->play_reply > last)
			last = session->play_reply;
		setup[set_up++] = session->play_reply - session->began;
		if (!session->packets)
			continue;
		early += session->first_packet < session->play_reply;
		if (session->play_reply - session->first_packet > earliest)
			earliest = session->play_reply - session->first_packet;
		announced += session->announced >= 0;
		announced_wrong += session->announced >= 0 && session->announced != session->first_sequence;
		first[heard++] = session->first_packet < session->play_reply ? 0 : session->first_packet - session->play_reply;
	}
	printf("{\"sessions\": %d, \"failed\": %d, \"first_failure\": \"%s\", ", session_count, failed, first_failure);
	if (set_up)
		printf("\"setup_seconds\": %.4f, \"sessions_per_second\": %.1f, ", (last - began) / 1e9, set_up * 1e9 / (last - began));
	print_times("setup_ms", setup, set_up);
	print_times("first_packet_ms", first, heard);
	printf("\"announced\": %d, \"announced_wrong\": %d, ", announced, announced_wrong);
	printf("\"early\": %d, \"earliest_ms\": %.3f, \"without_packets\": %d, \"packets\": %llu, \"missing\": %llu, \"disorder\": %llu, \"after_teardown\": %llu}\n",
	       early, earliest / 1e6, set_up - heard, (unsigned long long)packets, (unsigned long long)missing, (unsigned long long)disorder,
	       (unsigned long long)after_teardown);
	free(first);
	free(setup);
}

int
main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "sessions", required_argument, NULL, 's' }, { "concurrency", required_argument, NULL, 'c' },
		{ "hold", required_argument, NULL, 'h' },     { "tcp-port", required_argument, NULL, 't' },
		{ "path", required_argument, NULL, 'p' },     { 0 },
	};
	struct rlimit limit;
	double hold = 1;
	int64_t began, deadline;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
		switch (option) {
		case 's': session_count = atoi(optarg); break;
		case 'c': concurrency = atoi(optarg); break;
		case 'h': hold = atof(optarg); break;
		case 't': tcp_port = atoi(optarg); break;
		case 'p': path = optarg; break;
		default: return 64;
		}
	for (; optind < argc && target_count < TARGETS_MAX; optind++) {
		servers[target_count] = strtok(argv[optind], ",");
		locals[target_count++] = strtok(NULL, ",");
	}
	if (session_count < 1 || session_count > 20000 || concurrency < 1 || !target_count || !locals[target_count - 1]) {
		fprintf(stderr, "rtsp-benchmark-players: --sessions N --concurrency N --hold SECONDS SERVER,LOCAL...\n");
		return 64;
	}
	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	sessions = calloc(session_count, sizeof(*sessions));
	poller = epoll_create1(0);

	began = clock_ns(CLOCK_REALTIME);
	deadline = clock_ns(CLOCK_MONOTONIC) + 60000000000LL;
	while (playing + failed < session_count && clock_ns(CLOCK_MONOTONIC) < deadline) {
		while (started < session_count && under_way < concurrency)
			start(started++);
		turn(5);
	}
	for (int number = 0; number < started; number++)
		if (sessions[number].state < PLAYING)
			fail(&sessions[number], "not set up in a minute");
	turns((int64_t)(hold * 1e9));
	for (int number = 0; number < started; number++) {
		char url[300];

		if (sessions[number].state != PLAYING)
			continue;
		sessions[number].state = TEARDOWN;
		presentation(&sessions[number], url, sizeof(url));
		send_request(&sessions[number], "TEARDOWN", url, "");
		turn(0);
	}
	deadline = clock_ns(CLOCK_MONOTONIC) + 10000000000LL;
	while (ended + failed < session_count && clock_ns(CLOCK_MONOTONIC) < deadline)
		turn(5);
	turns(200000000);
	report(began);
	return 0;
}
