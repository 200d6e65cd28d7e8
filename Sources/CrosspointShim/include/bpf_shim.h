/* libbpf calls that take option structures by macro, and its messages. File descriptors and -errno, as libbpf has it. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct bpf_object;

/* Reasons that the fast path counts: their number and names (bpf/drop_reasons.h). */
uint32_t crosspoint_reason_count(void);
const char *crosspoint_reason_name(uint32_t reason);

/* The counters of AF_XDP sockets: number and names (bpf/socket_counters.h). */
uint32_t crosspoint_socket_counter_count(void);
const char *crosspoint_socket_counter_name(uint32_t counter);

/* Keeps libbpf's warnings to itself: the last ones are handed out, and the buffer emptied, by the second function. */
void crosspoint_libbpf_keep_messages(void);
size_t crosspoint_libbpf_take_messages(char *buffer, size_t size);

/* Opens a BPF object in memory; NULL with errno on failure. */
struct bpf_object *crosspoint_bpf_object_open(const void *bytes, size_t size, const char *name);

/* Attaches an XDP program in native mode to an interface by bpf_link. Returns the link's descriptor or -errno. */
int crosspoint_bpf_attach_xdp(int program, uint32_t interface_index, uint32_t mode_flags);

/* Creates a devmap of values with a program. Returns its descriptor or -errno. */
int crosspoint_bpf_create_devmap(const char *name, uint32_t entries);
int crosspoint_bpf_set_devmap_entry(int map, uint32_t key, uint32_t interface_index, int program);
/* Reads the interface of an entry; 0 when it is empty. */
uint32_t crosspoint_bpf_devmap_interface(int map, uint32_t key);
/* The id of an entry's program; 0 when it has none. */
uint32_t crosspoint_bpf_devmap_program(int map, uint32_t key);

/* The kernel's information on a map, a program or a link, by descriptor. Zeroed on failure. */
struct crosspoint_map_info {
	uint32_t id, type, key_size, value_size, max_entries;
};
int crosspoint_bpf_map_info(int map, struct crosspoint_map_info *info);
uint32_t crosspoint_bpf_program_id(int program);
/* The interface that an XDP link is attached to: 0 when it is gone, negative -errno on failure. */
int64_t crosspoint_bpf_link_interface(int link);
/* The program id that a link runs; 0 on failure. */
uint32_t crosspoint_bpf_link_program(int link);

/*
 * Describes the records of an object's arrays, as its BTF has them, in lines:
 *
 *   map NAME RECORD
 *   record RECORD BYTES
 *   field NAME OFFSET BYTES-OF-ONE COUNT [RECORD]     of the record above; an array has several of COUNT
 *
 * Returns the length of the whole text, of which at most `size` bytes less one, and a zero, are written. 0: without BTF.
 */
size_t crosspoint_bpf_describe_maps(const struct bpf_object *object, char *buffer, size_t size);

/* Creates a map that holds one text. Returns its descriptor or -errno. */
int crosspoint_bpf_create_text(const char *name, const void *bytes, size_t size);

/* Attaches a tracepoint program that was loaded with its tracepoint (tp_btf). Returns the link's descriptor or -errno. */
int crosspoint_bpf_attach_tracepoint(int program);

/* Has a link run another program from its next packet on. Returns 0 or -errno. */
int crosspoint_bpf_replace_program(int link, int program);

/* Instructions of a loaded program. */
struct crosspoint_program_size {
	uint32_t verified, translated, jited_bytes;
};
int crosspoint_bpf_program_size(int program, struct crosspoint_program_size *size);

/* One run of a program over a frame. `interface_index` 0 leaves the kernel's default (loopback). */
struct crosspoint_test_run {
	const void *frame;
	uint32_t frame_size;
	void *output;
	uint32_t output_size; /* in: room; out: bytes */
	uint32_t interface_index;
	uint32_t repeat;
	uint32_t duration; /* out: ns per run */
	uint32_t verdict;  /* out: XDP_... */
	uint32_t metadata_size; /* in: bytes at the frame's start that are metadata */
};
int crosspoint_bpf_test_run(int program, struct crosspoint_test_run *run);

/* Sends frames: runs the program with live frames on the given interface (BPF_F_TEST_XDP_LIVE_FRAMES). */
int crosspoint_bpf_live_run(int program, const void *frame, uint32_t frame_size, uint32_t interface_index,
			    uint32_t repeat, uint32_t batch);

/*
 * The same for so long: a timer's signal (SIGRTMIN + 4) interrupts the calling thread, and the kernel ends the run. Its handler,
 * which does nothing, stays. 0, or -errno.
 */
int crosspoint_bpf_live_run_for(int program, const void *frame, uint32_t frame_size, uint32_t batch,
				uint64_t nanoseconds);
