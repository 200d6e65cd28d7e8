/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/* The record by which the redirect probe and `crosspoint check` talk. Host byte order. */
#pragma once

#include <linux/types.h>

struct crosspoint_probe {
	/* Asked: whose frame is it, and where is it to leave. */
	__u64 namespace_device; /* of the PID namespace in which `process` is a number, as stat() reports it */
	__u64 namespace_inode;
	__u32 process; /* the process that sends it */
	__u32 program; /* the program that redirects it */
	__u32 interface_index;
	/* Answered by the kernel. */
	__u32 transmitted; /* frames that the driver took */
	__u32 refused;     /* frames that the driver did not take */
	__u32 failed;      /* frames that never got as far as the driver */
	__s32 error;       /* of the last that was refused or failed: -errno, or 0 */
	__u32 reserved;
};
