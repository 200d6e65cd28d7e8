/*
 * crosspoint-fuzz PROTOCOL TARGET [libFuzzer's options and corpora]: feeds one of the targets with what libFuzzer comes up with.
 * In C, since main is libFuzzer's own and SwiftPM wants one in a Swift program.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef int (*target)(const uint8_t *data, size_t size);

/* RTSPFuzz.swift, SIPFuzz.swift and SRTPFuzz.swift: NULL when there is none of that name. */
target rtsp_fuzz_target(const char *name);
target sip_fuzz_target(const char *name);
target srtp_fuzz_target(const char *name);

static target chosen;

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	if (*argc > 2 && strcmp((*argv)[1], "rtsp") == 0)
		chosen = rtsp_fuzz_target((*argv)[2]);
	else if (*argc > 2 && strcmp((*argv)[1], "sip") == 0)
		chosen = sip_fuzz_target((*argv)[2]);
	else if (*argc > 2 && strcmp((*argv)[1], "srtp") == 0)
		chosen = srtp_fuzz_target((*argv)[2]);
	if (!chosen) {
		fprintf(stderr, "crosspoint-fuzz: name a protocol and a target (scripts/fuzz --help lists them)\n");
		exit(64);
	}
	/* libFuzzer does not know our arguments; its first is the program's name. */
	(*argv)[2] = (*argv)[0];
	*argv += 2;
	*argc -= 2;
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return chosen(data, size);
}
