/* libsrtp in a bare loop: what encryption alone costs on this machine, with this build of the library. */
#include <srtp2/srtp.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include "reference.h"

#define BATCH 32
/* Packets lie as they do in a UMEM: in frames of a page, behind headroom and headers. */
#define ROOM 4096
#define OFFSET (256 + 42)

static uint64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

double reference_srtp_nanoseconds(const uint8_t *packet, uint32_t length, const uint8_t *key, uint32_t packets)
{
	static _Alignas(4096) uint8_t frames[BATCH][ROOM];
	srtp_policy_t policy = {.window_size = 1024, .key = (unsigned char *)key};
	uint64_t spent = 0;
	uint32_t done = 0;
	srtp_t session;

	if (OFFSET + length + SRTP_MAX_TRAILER_LEN > ROOM)
		return -1;
	srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtp);
	srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtcp);
	policy.ssrc.type = ssrc_any_outbound;
	if (srtp_create(&session, &policy) != srtp_err_status_ok)
		return -1;
	while (done < packets) {
		uint64_t began;

		for (int index = 0; index < BATCH; index++) {
			uint32_t sequence = done + (uint32_t)index;

			memcpy(frames[index] + OFFSET, packet, length);
			frames[index][OFFSET + 2] = (uint8_t)(sequence >> 8);
			frames[index][OFFSET + 3] = (uint8_t)sequence;
		}
		began = now();
		for (int index = 0; index < BATCH; index++) {
			int size = (int)length;

			if (srtp_protect(session, frames[index] + OFFSET, &size) != srtp_err_status_ok) {
				srtp_dealloc(session);
				return -1;
			}
		}
		spent += now() - began;
		done += BATCH;
	}
	srtp_dealloc(session);
	return (double)spent / done;
}
