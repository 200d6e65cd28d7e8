/*
 * The kernel's rtnetlink and generic netlink headers, which Swift's Glibc module does not have, what Debian 12's
 * copies of them lack, and ethtool's ioctls, whose structures end in flexible arrays.
 */
#pragma once
#include <linux/genetlink.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <stdint.h>

/* The information of ethtool on an interface. A field that the driver does not report stays at the value named. */
struct crosspoint_ethtool {
	uint64_t bits_per_second;	/* 0: not known, or no link */
	uint32_t receive_queues;	/* 0: not known */
	int32_t receive_vlan_offload;	/* 1: on, 0: off, -1: not known */
	char driver[32];		/* "": not known; zero-terminated */
};

/*
 * Reads the information of ethtool on the interface called `name` in the namespace of `socket`, which may be of any
 * family. Returns 0, or a negative errno: -ENODEV if the interface does not exist. A driver that knows nothing is not
 * an error.
 */
int crosspoint_read_ethtool(int socket, const char *name, struct crosspoint_ethtool *result);

/*
 * Turns transmit checksum offload off and GRO on at the interface called `name` in the namespace of `socket`.
 * Returns 0, or a negative errno.
 */
int crosspoint_set_veth_offloads(int socket, const char *name);

/* Per-interface settings of IPv4 (linux/ip.h, which clashes with Glibc's netinet/ip.h). */
enum crosspoint_ipv4_setting {
	CROSSPOINT_IPV4_FORWARDING = 1,
	CROSSPOINT_IPV4_RP_FILTER = 8,
};

/*
 * Writes the name of the interface with the index in the namespace of `socket`, zero-terminated.
 * Returns 0, or a negative errno: -ENODEV if there is none. (if_indextoname looks in the calling thread's namespace.)
 */
int crosspoint_interface_name(int socket, uint32_t index, char name[16]);

/*
 * The generic netlink family "netdev" (linux/netdev.h), which came with 6.3 and is not in Debian 12's headers.
 */
enum crosspoint_netdev {
	CROSSPOINT_NETDEV_CMD_DEV_GET = 1,
	CROSSPOINT_NETDEV_A_DEV_IFINDEX = 1,
	CROSSPOINT_NETDEV_A_DEV_XDP_FEATURES = 3,
};
