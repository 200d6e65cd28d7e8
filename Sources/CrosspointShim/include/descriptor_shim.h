/*
 * Passing file descriptors between processes, and starting one that outlives us. Swift imports neither the CMSG
 * macros nor GNU's ucred, POSIX_SPAWN_SETSID and posix_spawn_file_actions_addclosefrom_np.
 *
 * All functions return 0 or a count, or a negative errno.
 */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Most descriptors that one message carries (the kernel's SCM_MAX_FD). */
#define CROSSPOINT_DESCRIPTORS_MAX 253

/* Sends one message, with `count` descriptors if there are any, to the peer of a connected socket. No SIGPIPE. */
ssize_t crosspoint_send_descriptors(int socket, const void *data, size_t length, const int *descriptors, size_t count);

/*
 * The same to the datagram socket at `path`; a leading '@' means the abstract namespace, as in $NOTIFY_SOCKET.
 */
ssize_t crosspoint_send_descriptors_to(int socket, const char *path, const void *data, size_t length,
				       const int *descriptors, size_t count);

/*
 * Receives one message. Its descriptors, which are closed on exec, go to `descriptors` (room for
 * CROSSPOINT_DESCRIPTORS_MAX) and their number to `count`. -EMSGSIZE if the message or its descriptors did not fit;
 * none is left open then. Returns the length of the data; 0 when the peer has closed.
 */
ssize_t crosspoint_receive_descriptors(int socket, void *data, size_t capacity, int *descriptors, size_t *count);

/* The effective user of the process at the other end of a connected Unix socket (SO_PEERCRED). */
int crosspoint_peer_user(int socket, uint32_t *user);

/*
 * Starts `argv[0]` (a path) in a session of its own, with /dev/null as standard streams, no other descriptor of this
 * process, and all signals at their defaults. Returns its process id.
 */
pid_t crosspoint_spawn_session(char *const argv[]);
