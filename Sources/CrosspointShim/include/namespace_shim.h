/*
 * Network namespaces: setns(2) and unshare(2) are GNU declarations that Swift's Glibc module does not have.
 *
 * Both change the calling thread only. Never call them on a thread of Swift's cooperative pool.
 * They return 0, or a negative errno.
 */
#pragma once

/* Moves the calling thread into the network namespace behind `fd` (an open /run/netns/NAME or /proc/PID/ns/net). */
int crosspoint_enter_network_namespace(int fd);

/* Gives the calling thread a new, empty network namespace. */
int crosspoint_new_network_namespace(void);

/*
 * Gives the calling thread a mount namespace of its own, with an empty BPF file system at /sys/fs/bpf and an empty memory file
 * system at /dev/shm, and a network namespace of its own if `network` is not 0. Needs CAP_SYS_ADMIN.
 */
int crosspoint_enter_private_namespaces(int network);
