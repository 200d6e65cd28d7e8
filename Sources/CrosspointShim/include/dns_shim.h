/*
 * Service and naming authority records of DNS, through glibc's resolver, whose interface is macros and structures that
 * Swift does not import.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* One SRV record (RFC 2782); the target without a dot at its end, "" for the root: the service is not there. */
struct crosspoint_service {
	uint16_t priority, weight, port;
	/* Seconds for which the record may be kept. */
	uint32_t time_to_live;
	char target[256];
};

/* One NAPTR record (RFC 3403); texts are cut where they are longer than any that SIP uses. */
struct crosspoint_naming_authority {
	uint16_t order, preference;
	uint32_t time_to_live;
	char flags[8], service[64];
	/* True if it has a regular expression in place of a replacement. */
	uint8_t has_expression;
	char replacement[256];
};

/*
 * Asks for the SRV or NAPTR records of `name`, as /etc/resolv.conf says; blocks for some seconds at most. Returns how many
 * were stored, 0 where there are none or no such name, -1 when nobody answered.
 */
int crosspoint_dns_services(const char *name, struct crosspoint_service *services, size_t capacity);
int crosspoint_dns_naming_authorities(const char *name, struct crosspoint_naming_authority *authorities,
				      size_t capacity);

/* The SRV or NAPTR records of an answer as it came. Returns how many were stored, or -1 for data that is not an answer. */
int crosspoint_dns_parse_services(const uint8_t *answer, size_t size, struct crosspoint_service *services,
				  size_t capacity);
int crosspoint_dns_parse_naming_authorities(const uint8_t *answer, size_t size,
					    struct crosspoint_naming_authority *authorities, size_t capacity);
