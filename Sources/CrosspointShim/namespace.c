/* Network namespaces of a thread. */
#include <errno.h>
#include <sched.h>
#include <sys/mount.h>

#include "namespace_shim.h"

int crosspoint_enter_network_namespace(int fd)
{
	return setns(fd, CLONE_NEWNET) == 0 ? 0 : -errno;
}

int crosspoint_new_network_namespace(void)
{
	return unshare(CLONE_NEWNET) == 0 ? 0 : -errno;
}

int crosspoint_enter_private_namespaces(int network)
{
	if (unshare(CLONE_NEWNS | (network ? CLONE_NEWNET : 0)))
		return -errno;
	/* Nobody else sees what is mounted from now on; what others unmount, namespaces above all, goes here too. */
	if (mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) || mount("bpf", "/sys/fs/bpf", "bpf", 0, NULL) ||
	    mount("tmpfs", "/dev/shm", "tmpfs", MS_NOSUID | MS_NODEV, NULL))
		return -errno;
	return 0;
}
