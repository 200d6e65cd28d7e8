/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/*
 * RTP and RTCP headers: layout (RFC 3550 sections 5.1 and 6.4.1) and the validity checks of appendices A.1 and A.2.
 *
 * Pointers given to these functions have been checked for the fixed header's size; lengths are in bytes, host order.
 */
#pragma once

#include "byte_order.h"
#include "compiler.h"
#include "fastpath_abi.h"

struct crosspoint_rtp_header {
	__u8 first;  /* version 2, padding 1, extension 1, CSRC count 4 bits */
	__u8 second; /* marker 1, payload type 7 bits */
	__be16 sequence;
	__be32 timestamp;
	__be32 ssrc;
};

enum crosspoint_payload_kind {
	CROSSPOINT_PAYLOAD_INVALID = 0,
	CROSSPOINT_PAYLOAD_RTP = 1,
	CROSSPOINT_PAYLOAD_RTCP = 2,
};

/*
 * RTP or RTCP sharing a UDP port (RFC 5761 section 4): a second byte of 192 to 223 is an RTCP packet type. STUN, DTLS
 * and noise have another version. The extension's own length needs bytes beyond the fixed header and is checked by
 * crosspoint_rtp_extension_fits().
 */
static __always_inline enum crosspoint_payload_kind
crosspoint_payload_kind(const struct crosspoint_rtp_header *header, __u32 payload_length)
{
	__u32 csrc_bytes = (header->first & 0xf) * 4;

	if ((header->first & 0xc0) != 0x80)
		return CROSSPOINT_PAYLOAD_INVALID;
	if (header->second >= 192 && header->second <= 223)
		/* Header and a source at least: what lies behind a shorter datagram is not its own. */
		return payload_length < 8 || payload_length % 4 ? CROSSPOINT_PAYLOAD_INVALID : CROSSPOINT_PAYLOAD_RTCP;
	/* Payload types 72 to 76 are RTCP's without the marker bit: a mixed-up sender, not RTP. */
	if ((header->second & 0x7f) >= 72 && (header->second & 0x7f) <= 76)
		return CROSSPOINT_PAYLOAD_INVALID;
	if (payload_length < sizeof(*header) + csrc_bytes)
		return CROSSPOINT_PAYLOAD_INVALID;
	return CROSSPOINT_PAYLOAD_RTP;
}
