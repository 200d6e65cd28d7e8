/* System calls without a function in glibc. */
#include <malloc.h>
#include <sched.h>

#include <linux/magic.h>
#include <linux/membarrier.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "kernel_shim.h"

#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71
#endif

int
crosspoint_grace_period(void)
{
	return (int)syscall(__NR_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0);
}

uint64_t
crosspoint_network_namespace_cookie(void)
{
	uint64_t cookie = 0;
	socklen_t size = sizeof(cookie);
	int descriptor = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (descriptor < 0)
		return 0;
	if (getsockopt(descriptor, SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &size))
		cookie = 0;
	close(descriptor);
	return cookie;
}

bool
crosspoint_is_bpf_filesystem(const char *path)
{
	struct statfs status;

	return !statfs(path, &status) && status.f_type == BPF_FS_MAGIC;
}

int
crosspoint_eventfd(void)
{
	return eventfd(0, EFD_CLOEXEC);
}

int
crosspoint_pin_to_cpu(uint32_t cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	return sched_setaffinity(0, sizeof(set), &set);
}

void
crosspoint_release_free_memory(void)
{
	malloc_trim(0);
}
