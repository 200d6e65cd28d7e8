/* Service records of DNS, through glibc's resolver, whose interface is macros and structures that Swift does not import. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* One SRV record (RFC 2782); the target without a dot at its end, "" for the root: the service is not there. */
struct crosspoint_service {
	uint16_t priority, weight, port;
	char target[256];
};

/*
 * Asks for the SRV records of `name`, as /etc/resolv.conf says; blocks for some seconds at most. Returns how many were
 * stored, 0 where there are none or no such name, -1 when nobody answered.
 */
int crosspoint_dns_services(const char *name, struct crosspoint_service *services, size_t capacity);

/* The SRV records of an answer as it came. Returns how many were stored, or -1 for what is no answer. */
int crosspoint_dns_parse_services(const uint8_t *answer, size_t size, struct crosspoint_service *services,
				  size_t capacity);
