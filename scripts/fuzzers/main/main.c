/*
 * rtsp-fuzz TARGET [libFuzzer's options and corpora]: feeds one of the targets with what libFuzzer comes up with.
 * In C, since main is libFuzzer's own and SwiftPM wants one in a Swift program.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

typedef int (*target)(const uint8_t *data, size_t size);

/* RTSPFuzz.swift: NULL when there is none of that name. */
target rtsp_fuzz_target(const char *name);

static target chosen;

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	chosen = *argc > 1 ? rtsp_fuzz_target((*argv)[1]) : NULL;
	if (!chosen) {
		fprintf(stderr, "rtsp-fuzz: name one of decoder, server, client, sdp, headers\n");
		exit(64);
	}
	/* libFuzzer does not know our argument; its first is the program's name. */
	(*argv)[1] = (*argv)[0];
	(*argv)++;
	(*argc)--;
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return chosen(data, size);
}
