/* System calls without a function in glibc, and atomics on records that the kernel reads. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Waits until every CPU has left what it was running when this was called: membarrier(MEMBARRIER_CMD_GLOBAL). */
int crosspoint_grace_period(void);

/* The cookie of the calling thread's network namespace; 0 on failure. */
uint64_t crosspoint_network_namespace_cookie(void);

/* True if the path lies in a BPF file system; Swift does not import statfs(), function and structure of one name. */
bool crosspoint_is_bpf_filesystem(const char *path);

/* An eventfd, closed on exec; Swift's Glibc module leaves <sys/eventfd.h> out. -1 with errno on failure. */
int crosspoint_eventfd(void);

/* Gives memory that the allocator keeps for later back to the system: malloc_trim(), which Glibc's module lacks. */
void crosspoint_release_free_memory(void);

/* Keeps the calling thread on one CPU. 0, or -1 with errno. */
int crosspoint_pin_to_cpu(uint32_t cpu);

/* One store that readers on other CPUs see whole, after everything written before it. */
static inline void
crosspoint_publish64(uint64_t *place, uint64_t value)
{
	__atomic_store_n(place, value, __ATOMIC_RELEASE);
}

static inline void
crosspoint_publish32(uint32_t *place, uint32_t value)
{
	__atomic_store_n(place, value, __ATOMIC_RELEASE);
}

static inline uint64_t
crosspoint_read64(const uint64_t *place)
{
	return __atomic_load_n(place, __ATOMIC_RELAXED);
}

static inline uint32_t
crosspoint_read32(const uint32_t *place)
{
	return __atomic_load_n(place, __ATOMIC_ACQUIRE);
}
