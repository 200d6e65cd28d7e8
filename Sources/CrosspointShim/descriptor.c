/* Passing file descriptors between processes, and starting one that outlives us. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include "descriptor_shim.h"

extern char **environ;

union control {
	struct cmsghdr header;
	char room[CMSG_SPACE(CROSSPOINT_DESCRIPTORS_MAX * sizeof(int))];
};

static ssize_t send_message(int socket, struct msghdr *message, const int *descriptors, size_t count)
{
	union control control;

	if (count > CROSSPOINT_DESCRIPTORS_MAX)
		return -EINVAL;
	if (count > 0) {
		memset(&control, 0, sizeof(control));
		message->msg_control = &control;
		message->msg_controllen = CMSG_SPACE(count * sizeof(int));
		struct cmsghdr *header = CMSG_FIRSTHDR(message);
		header->cmsg_level = SOL_SOCKET;
		header->cmsg_type = SCM_RIGHTS;
		header->cmsg_len = CMSG_LEN(count * sizeof(int));
		memcpy(CMSG_DATA(header), descriptors, count * sizeof(int));
	}
	for (;;) {
		ssize_t sent = sendmsg(socket, message, MSG_NOSIGNAL);
		if (sent >= 0 || errno != EINTR)
			return sent >= 0 ? sent : -errno;
	}
}

ssize_t crosspoint_send_descriptors(int socket, const void *data, size_t length, const int *descriptors, size_t count)
{
	struct iovec part = {.iov_base = (void *)data, .iov_len = length};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};

	return send_message(socket, &message, descriptors, count);
}

ssize_t crosspoint_send_descriptors_to(int socket, const char *path, const void *data, size_t length,
				       const int *descriptors, size_t count)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct iovec part = {.iov_base = (void *)data, .iov_len = length};
	size_t path_length = strlen(path);

	if (path_length == 0 || path_length >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.sun_path, path, path_length);
	if (path[0] == '@')
		address.sun_path[0] = '\0';
	struct msghdr message = {
		.msg_name = &address,
		.msg_namelen = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + path_length),
		.msg_iov = &part,
		.msg_iovlen = 1,
	};
	return send_message(socket, &message, descriptors, count);
}

ssize_t crosspoint_receive_descriptors(int socket, void *data, size_t capacity, int *descriptors, size_t *count)
{
	union control control;
	struct iovec part = {.iov_base = data, .iov_len = capacity};
	struct msghdr message = {
		.msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)};
	ssize_t received;

	*count = 0;
	do {
		received = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
	} while (received < 0 && errno == EINTR);
	if (received < 0)
		return -errno;
	for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header; header = CMSG_NXTHDR(&message, header)) {
		if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS)
			continue;
		size_t number = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		memcpy(descriptors + *count, CMSG_DATA(header), number * sizeof(int));
		*count += number;
	}
	if (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) {
		while (*count > 0)
			close(descriptors[--*count]);
		return -EMSGSIZE;
	}
	return received;
}

int crosspoint_peer_user(int socket, uint32_t *user)
{
	struct ucred credentials;
	socklen_t length = sizeof(credentials);

	if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &length) != 0)
		return -errno;
	*user = credentials.uid;
	return 0;
}

pid_t crosspoint_spawn_session(char *const argv[])
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none, all;
	pid_t process;
	int error;

	if ((error = posix_spawn_file_actions_init(&actions)) != 0)
		return -error;
	if ((error = posix_spawnattr_init(&attributes)) != 0) {
		posix_spawn_file_actions_destroy(&actions);
		return -error;
	}
	sigemptyset(&none);
	sigfillset(&all);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setsigdefault(&attributes, &all);
	if ((error = posix_spawnattr_setflags(
		     &attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF)) == 0 &&
	    (error = posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)) == 0 &&
	    (error = posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0)) == 0 &&
	    (error = posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)) == 0 &&
	    (error = posix_spawn_file_actions_addclosefrom_np(&actions, 3)) == 0)
		error = posix_spawn(&process, argv[0], &actions, &attributes, argv, environ);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	return error == 0 ? process : -error;
}
