/* ioctls on interfaces: ethtool's (driver, speed, queues, VLAN stripping), and the name for an index. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <linux/ethtool.h>
#include <linux/if.h>
#include <linux/sockios.h>

#include "netlink_shim.h"

/* The three bitmaps that follow struct ethtool_link_settings have at most 127 words each (link_mode_masks_nwords). */
#define LINK_MODE_WORDS (3 * 127)

static int ethtool(int socket, const char *name, void *command)
{
	struct ifreq request = {.ifr_data = command};

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	return ioctl(socket, SIOCETHTOOL, &request) == 0 ? 0 : -errno;
}

static uint64_t speed(int socket, const char *name)
{
	union {
		struct ethtool_link_settings settings;
		char room[sizeof(struct ethtool_link_settings) + LINK_MODE_WORDS * sizeof(uint32_t)];
	} link;

	/* The first call says, as a negative number, how many words the bitmaps have; the second one answers. */
	memset(&link, 0, sizeof(link));
	link.settings.cmd = ETHTOOL_GLINKSETTINGS;
	if (ethtool(socket, name, &link) != 0 || link.settings.link_mode_masks_nwords >= 0)
		return 0;
	int words = -link.settings.link_mode_masks_nwords;
	memset(&link, 0, sizeof(link));
	link.settings.cmd = ETHTOOL_GLINKSETTINGS;
	link.settings.link_mode_masks_nwords = words;
	if (ethtool(socket, name, &link) != 0)
		return 0;
	if (link.settings.speed == 0 || link.settings.speed == (uint32_t)SPEED_UNKNOWN)
		return 0;
	return (uint64_t)link.settings.speed * 1000000;
}

int crosspoint_read_ethtool(int socket, const char *name, struct crosspoint_ethtool *result)
{
	struct ethtool_drvinfo driver = {.cmd = ETHTOOL_GDRVINFO};
	struct ethtool_channels channels = {.cmd = ETHTOOL_GCHANNELS};
	struct ethtool_value flags = {.cmd = ETHTOOL_GFLAGS};

	memset(result, 0, sizeof(*result));
	result->receive_vlan_offload = -1;
	int error = ethtool(socket, name, &driver);
	if (error == -ENODEV)
		return error;
	if (error == 0)
		snprintf(result->driver, sizeof(result->driver), "%.*s", (int)sizeof(driver.driver), driver.driver);
	if (ethtool(socket, name, &channels) == 0)
		result->receive_queues = channels.rx_count + channels.combined_count;
	if (ethtool(socket, name, &flags) == 0)
		result->receive_vlan_offload = (flags.data & ETH_FLAG_RXVLAN) != 0;
	result->bits_per_second = speed(socket, name);
	return 0;
}

int crosspoint_set_veth_offloads(int socket, const char *name)
{
	struct ethtool_value checksums = {.cmd = ETHTOOL_STXCSUM, .data = 0};
	struct ethtool_value gro = {.cmd = ETHTOOL_SGRO, .data = 1};
	int error = ethtool(socket, name, &checksums);

	return error ? error : ethtool(socket, name, &gro);
}

int crosspoint_interface_name(int socket, uint32_t index, char name[16])
{
	struct ifreq request = {.ifr_ifindex = (int)index};

	if (ioctl(socket, SIOCGIFNAME, &request) != 0)
		return -errno;
	snprintf(name, 16, "%.15s", request.ifr_name);
	return 0;
}
