/* Network namespaces of a thread. */
#include <errno.h>
#include <sched.h>

#include "namespace_shim.h"

int crosspoint_enter_network_namespace(int fd)
{
	return setns(fd, CLONE_NEWNET) == 0 ? 0 : -errno;
}

int crosspoint_new_network_namespace(void)
{
	return unshare(CLONE_NEWNET) == 0 ? 0 : -errno;
}
