/* The fast path's pure parts, compiled natively. */
#include "../../bpf/parse.h"
#include "../../bpf/rewrite.h"
#include "../../bpf/rtp_stats.h"

#include "rtp_shim.h"

void
crosspoint_native_account(const struct crosspoint_flow *flow, const struct crosspoint_flow_detail *limits,
			  struct crosspoint_rtp *rtp, struct crosspoint_rtp_detail *detail, uint16_t sequence,
			  uint32_t timestamp, uint32_t ssrc, uint8_t payload_type, uint32_t source, uint64_t arrival)
{
	struct crosspoint_rtp_packet packet = {
		.sequence = sequence,
		.payload_type = payload_type,
		.timed = !(sequence & flow->clock_mask),
		.timestamp = timestamp,
		.ssrc = ssrc,
		.source = source,
		.arrival = arrival,
	};

	rtp->payload_type = payload_type;
	if ((crosspoint_rtp_next(flow, rtp, &packet) || crosspoint_rtp_irregular(flow, limits, rtp, detail, &packet)) &&
	    packet.timed)
		crosspoint_rtp_time(flow, rtp, &packet);
}

int
crosspoint_native_rewrite(void *frame, size_t size, const struct crosspoint_leg *leg,
			  const struct crosspoint_leg_detail *detail, int is_ipv6, int is_rtp)
{
	const struct iphdr *ip = (const void *)((char *)frame + crosspoint_leg_l3_offset(leg));
	__u16 without = 0;

	if (!is_ipv6 && (char *)(ip + 1) <= (char *)frame + size)
		without = crosspoint_without_ipv4(ip->saddr, ip->daddr);
	return crosspoint_rewrite(frame, (char *)frame + size, leg, detail, is_ipv6, is_rtp, without);
}

int
crosspoint_native_parse(const void *frame, size_t size)
{
	struct crosspoint_packet packet;

	return crosspoint_parse((void *)frame, (char *)frame + size, &packet);
}
