/* libbpf's option structures and messages, for Swift. */
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <linux/if_link.h>

#include "../../bpf/drop_reasons.h"
#include "../../bpf/socket_counters.h"
#include "bpf_shim.h"

uint32_t
crosspoint_reason_count(void)
{
	return CROSSPOINT_REASON_COUNT;
}

const char *
crosspoint_reason_name(uint32_t reason)
{
	static const char *const names[] = {
#define CROSSPOINT_REASON_NAME(name, text) [CROSSPOINT_##name] = text,
		CROSSPOINT_REASONS(CROSSPOINT_REASON_NAME)
#undef CROSSPOINT_REASON_NAME
	};

	return reason < CROSSPOINT_REASON_COUNT ? names[reason] : "unknown";
}

uint32_t
crosspoint_socket_counter_count(void)
{
	return CROSSPOINT_SOCKET_COUNTER_COUNT;
}

const char *
crosspoint_socket_counter_name(uint32_t counter)
{
	static const char *const names[] = {
#define CROSSPOINT_SOCKET_COUNTER_NAME(name, text) [CROSSPOINT_SOCKET_##name] = text,
		CROSSPOINT_SOCKET_COUNTERS(CROSSPOINT_SOCKET_COUNTER_NAME)
#undef CROSSPOINT_SOCKET_COUNTER_NAME
	};

	return counter < CROSSPOINT_SOCKET_COUNTER_COUNT ? names[counter] : "unknown";
}

/* libbpf's callback has no argument of ours; messages are rare and read at once by whoever caused them. */
static _Thread_local char messages[8192];
static _Thread_local size_t message_bytes;

/* The end is what counts: the verifier's last word comes after everything that it has looked at. */
static int
keep_message(enum libbpf_print_level level, const char *format, va_list arguments)
{
	char *message = NULL;
	const char *end;
	size_t size, kept;
	int written;

	if (level > LIBBPF_WARN)
		return 0;
	written = vasprintf(&message, format, arguments);
	if (written < 0)
		return written;
	size = (size_t)written < sizeof(messages) ? (size_t)written : sizeof(messages);
	end = message + written - size;
	kept = message_bytes < sizeof(messages) - size ? message_bytes : sizeof(messages) - size;
	memmove(messages, messages + message_bytes - kept, kept);
	memcpy(messages + kept, end, size);
	message_bytes = kept + size;
	free(message);
	return written;
}

void
crosspoint_libbpf_keep_messages(void)
{
	libbpf_set_print(keep_message);
}

size_t
crosspoint_libbpf_take_messages(char *buffer, size_t size)
{
	size_t taken = message_bytes < size ? message_bytes : size;

	memcpy(buffer, messages, taken);
	message_bytes = 0;
	return taken;
}

struct bpf_object *
crosspoint_bpf_object_open(const void *bytes, size_t size, const char *name)
{
	LIBBPF_OPTS(bpf_object_open_opts, options, .object_name = name);

	return bpf_object__open_mem(bytes, size, &options);
}

int
crosspoint_bpf_attach_xdp(int program, uint32_t interface_index, uint32_t mode_flags)
{
	LIBBPF_OPTS(bpf_link_create_opts, options, .flags = mode_flags);

	return bpf_link_create(program, (int)interface_index, BPF_XDP, &options);
}

int
crosspoint_bpf_create_devmap(const char *name, uint32_t entries)
{
	return bpf_map_create(BPF_MAP_TYPE_DEVMAP, name, sizeof(uint32_t), sizeof(struct bpf_devmap_val), entries, NULL);
}

int
crosspoint_bpf_set_devmap_entry(int map, uint32_t key, uint32_t interface_index, int program)
{
	struct bpf_devmap_val value = { .ifindex = interface_index, .bpf_prog.fd = program };

	return bpf_map_update_elem(map, &key, &value, BPF_ANY);
}

uint32_t
crosspoint_bpf_devmap_interface(int map, uint32_t key)
{
	struct bpf_devmap_val value = { 0 };

	return bpf_map_lookup_elem(map, &key, &value) ? 0 : value.ifindex;
}

uint32_t
crosspoint_bpf_devmap_program(int map, uint32_t key)
{
	struct bpf_devmap_val value = { 0 };

	return bpf_map_lookup_elem(map, &key, &value) ? 0 : value.bpf_prog.id;
}

int
crosspoint_bpf_map_info(int map, struct crosspoint_map_info *info)
{
	struct bpf_map_info kernel = { 0 };
	uint32_t size = sizeof(kernel);
	int error = bpf_obj_get_info_by_fd(map, &kernel, &size);

	*info = (struct crosspoint_map_info){
		.id = kernel.id,
		.type = kernel.type,
		.key_size = kernel.key_size,
		.value_size = kernel.value_size,
		.max_entries = kernel.max_entries,
	};
	return error;
}

uint32_t
crosspoint_bpf_program_id(int program)
{
	struct bpf_prog_info kernel = { 0 };
	uint32_t size = sizeof(kernel);

	return bpf_obj_get_info_by_fd(program, &kernel, &size) ? 0 : kernel.id;
}

int64_t
crosspoint_bpf_link_interface(int link)
{
	struct bpf_link_info kernel = { 0 };
	uint32_t size = sizeof(kernel);
	int error = bpf_obj_get_info_by_fd(link, &kernel, &size);

	return error ? (int64_t)error : (int64_t)kernel.xdp.ifindex;
}

uint32_t
crosspoint_bpf_link_program(int link)
{
	struct bpf_link_info kernel = { 0 };
	uint32_t size = sizeof(kernel);

	return bpf_obj_get_info_by_fd(link, &kernel, &size) ? 0 : kernel.prog_id;
}

int
crosspoint_bpf_program_size(int program, struct crosspoint_program_size *size)
{
	struct bpf_prog_info kernel = { 0 };
	uint32_t length = sizeof(kernel);
	int error = bpf_obj_get_info_by_fd(program, &kernel, &length);

	*size = (struct crosspoint_program_size){
		.verified = kernel.verified_insns,
		.translated = kernel.xlated_prog_len / 8,
		.jited_bytes = kernel.jited_prog_len,
	};
	return error;
}

int
crosspoint_bpf_test_run(int program, struct crosspoint_test_run *run)
{
	struct xdp_md context = {
		.data = run->metadata_size,
		.data_end = run->frame_size,
		.ingress_ifindex = run->interface_index,
	};
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = run->frame, .data_size_in = run->frame_size,
		    .data_out = run->output, .data_size_out = run->output_size, .repeat = (int)run->repeat);
	int error;

	if (run->interface_index || run->metadata_size) {
		options.ctx_in = &context;
		options.ctx_size_in = sizeof(context);
	}
	error = bpf_prog_test_run_opts(program, &options);
	run->output_size = options.data_size_out;
	run->duration = options.duration;
	run->verdict = options.retval;
	return error;
}

int
crosspoint_bpf_live_run(int program, const void *frame, uint32_t frame_size, uint32_t interface_index, uint32_t repeat,
			uint32_t batch)
{
	struct xdp_md context = { .data_end = frame_size, .ingress_ifindex = interface_index };
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame, .data_size_in = frame_size, .ctx_in = &context,
		    .ctx_size_in = sizeof(context), .repeat = (int)repeat, .batch_size = batch,
		    .flags = BPF_F_TEST_XDP_LIVE_FRAMES);

	return bpf_prog_test_run_opts(program, &options);
}

static void
ignore_signal(int number)
{
	(void)number;
}

int
crosspoint_bpf_live_run_for(int program, const void *frame, uint32_t frame_size, uint32_t batch, uint64_t nanoseconds)
{
	/* Again and again, in case that the first comes before the run has begun. */
	struct itimerspec times = {
		.it_value = { (time_t)(nanoseconds / 1000000000), (long)(nanoseconds % 1000000000) },
		.it_interval = { 0, 10000000 },
	};
	struct sigaction action = { .sa_handler = ignore_signal };
	struct sigevent event = { .sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGRTMIN + 4 };
	sigset_t ours, before;
	timer_t timer;
	int error;

	event._sigev_un._tid = gettid();
	sigemptyset(&ours);
	sigaddset(&ours, SIGRTMIN + 4);
	if (sigaction(SIGRTMIN + 4, &action, NULL) || timer_create(CLOCK_MONOTONIC, &event, &timer))
		return -errno;
	pthread_sigmask(SIG_UNBLOCK, &ours, &before);
	if (timer_settime(timer, 0, &times, NULL))
		error = -errno;
	else
		error = crosspoint_bpf_live_run(program, frame, frame_size, 0, INT_MAX, batch);
	timer_delete(timer);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return error == -EINTR ? 0 : error;
}

/* A text that grows until its buffer is full, and is counted on. */
struct text {
	char *buffer;
	size_t size, length;
};

static void
add(struct text *text, const char *format, ...)
{
	size_t room = text->length < text->size ? text->size - text->length : 0;
	va_list arguments;
	int written;

	va_start(arguments, format);
	written = vsnprintf(room ? text->buffer + text->length : NULL, room, format, arguments);
	va_end(arguments);
	if (written > 0)
		text->length += (size_t)written;
}

/* Structures that have been described, or are to be. */
struct described {
	uint32_t types[64];
	int count;
};

static void
note_type(struct described *described, uint32_t type)
{
	for (int index = 0; index < described->count; index++)
		if (described->types[index] == type)
			return;
	if (described->count < (int)(sizeof(described->types) / sizeof(described->types[0])))
		described->types[described->count++] = type;
}

static void
describe_field(struct text *text, const struct btf *btf, const struct btf_member *member, struct described *described)
{
	int id = btf__resolve_type(btf, member->type);
	const struct btf_type *type = btf__type_by_id(btf, (uint32_t)id);
	uint32_t count = 1;

	if (btf_is_array(type)) {
		count = btf_array(type)->nelems;
		id = btf__resolve_type(btf, btf_array(type)->type);
		type = btf__type_by_id(btf, (uint32_t)id);
	}
	add(text, "field %s %u %lld %u", btf__name_by_offset(btf, member->name_off), member->offset / 8,
	    (long long)btf__resolve_size(btf, (uint32_t)id), count);
	if (btf_is_struct(type)) {
		add(text, " %s", btf__name_by_offset(btf, type->name_off));
		note_type(described, (uint32_t)id);
	}
	add(text, "\n");
}

size_t
crosspoint_bpf_describe_maps(const struct bpf_object *object, char *buffer, size_t size)
{
	struct text text = { buffer, size, 0 };
	const struct btf *btf = bpf_object__btf(object);
	struct described described = { { 0 }, 0 };
	struct bpf_map *map;

	if (!btf)
		return 0;
	bpf_object__for_each_map(map, object) {
		int id = btf__resolve_type(btf, bpf_map__btf_value_type_id(map));
		const struct btf_type *type = id > 0 ? btf__type_by_id(btf, (uint32_t)id) : NULL;

		if (bpf_map__type(map) != BPF_MAP_TYPE_ARRAY || !type || !btf_is_struct(type))
			continue;
		add(&text, "map %s %s\n", bpf_map__name(map), btf__name_by_offset(btf, type->name_off));
		note_type(&described, (uint32_t)id);
	}
	for (int index = 0; index < described.count; index++) {
		const struct btf_type *type = btf__type_by_id(btf, described.types[index]);
		const struct btf_member *members = btf_members(type);

		add(&text, "record %s %u\n", btf__name_by_offset(btf, type->name_off), type->size);
		for (uint32_t member = 0; member < btf_vlen(type); member++)
			describe_field(&text, btf, &members[member], &described);
	}
	return text.length;
}

int
crosspoint_bpf_create_text(const char *name, const void *bytes, size_t size)
{
	uint32_t key = 0;
	int map = bpf_map_create(BPF_MAP_TYPE_ARRAY, name, sizeof(key), (uint32_t)size, 1, NULL), error;

	if (map < 0)
		return map;
	if (!bpf_map_update_elem(map, &key, bytes, BPF_ANY))
		return map;
	error = -errno;
	close(map);
	return error;
}

int
crosspoint_bpf_attach_tracepoint(int program)
{
	return bpf_raw_tracepoint_open(NULL, program);
}

int
crosspoint_bpf_replace_program(int link, int program)
{
	return bpf_link_update(link, program, NULL) ? -errno : 0;
}
