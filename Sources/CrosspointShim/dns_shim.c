/* Service and naming authority records of DNS. */
#include <netinet/in.h>

#include <arpa/nameser.h>
#include <netdb.h>
#include <resolv.h>
#include <stdbool.h>
#include <string.h>

#include "dns_shim.h"

/* A name at `data`, without the root's dot, which some versions write and others do not. */
static bool
read_name(ns_msg message, const uint8_t *data, char *name, size_t size)
{
	if (ns_name_uncompress(ns_msg_base(message), ns_msg_end(message), data, name, size) < 0)
		return false;
	if (!strcmp(name, "."))
		name[0] = 0;
	return true;
}

int
crosspoint_dns_parse_services(const uint8_t *answer, size_t size, struct crosspoint_service *services, size_t capacity)
{
	ns_msg message;
	size_t count = 0;

	if (ns_initparse(answer, (int)size, &message))
		return -1;
	for (int index = 0; index < ns_msg_count(message, ns_s_an) && count < capacity; index++) {
		struct crosspoint_service *service = &services[count];
		ns_rr record;
		const uint8_t *data;

		if (ns_parserr(&message, ns_s_an, index, &record))
			return -1;
		/* CNAME records may stand before those that they lead to. */
		if (ns_rr_type(record) != ns_t_srv || ns_rr_rdlen(record) < 7)
			continue;
		data = ns_rr_rdata(record);
		service->priority = ns_get16(data);
		service->weight = ns_get16(data + 2);
		service->port = ns_get16(data + 4);
		service->time_to_live = ns_rr_ttl(record);
		if (read_name(message, data + 6, service->target, sizeof(service->target)))
			count++;
	}
	return (int)count;
}

/* A character-string (RFC 1035 section 3.3) at `*data`, which is moved behind it; false where it goes beyond `end`. */
static bool
read_string(const uint8_t **data, const uint8_t *end, char *text, size_t size)
{
	size_t length, kept;

	if (*data >= end)
		return false;
	length = *(*data)++;
	if (length > (size_t)(end - *data))
		return false;
	kept = length < size ? length : size - 1;
	memcpy(text, *data, kept);
	text[kept] = 0;
	*data += length;
	return true;
}

int
crosspoint_dns_parse_naming_authorities(const uint8_t *answer, size_t size,
					struct crosspoint_naming_authority *authorities, size_t capacity)
{
	ns_msg message;
	size_t count = 0;

	if (ns_initparse(answer, (int)size, &message))
		return -1;
	for (int index = 0; index < ns_msg_count(message, ns_s_an) && count < capacity; index++) {
		struct crosspoint_naming_authority *authority = &authorities[count];
		char expression[2];
		ns_rr record;
		const uint8_t *data, *end;

		if (ns_parserr(&message, ns_s_an, index, &record))
			return -1;
		if (ns_rr_type(record) != ns_t_naptr || ns_rr_rdlen(record) < 8)
			continue;
		data = ns_rr_rdata(record);
		end = data + ns_rr_rdlen(record);
		authority->order = ns_get16(data);
		authority->preference = ns_get16(data + 2);
		authority->time_to_live = ns_rr_ttl(record);
		data += 4;
		if (!read_string(&data, end, authority->flags, sizeof(authority->flags)) ||
		    !read_string(&data, end, authority->service, sizeof(authority->service)) ||
		    !read_string(&data, end, expression, sizeof(expression)) || data >= end)
			continue;
		authority->has_expression = expression[0] != 0;
		if (read_name(message, data, authority->replacement, sizeof(authority->replacement)))
			count++;
	}
	return (int)count;
}

/* Asks for records of one type. Returns the answer's size, 0 where there are none or no such name, -1 when nobody answered. */
static int
query(const char *name, int type, uint8_t *answer, size_t capacity)
{
	struct __res_state state = {0};
	int size;

	if (res_ninit(&state))
		return -1;
	state.retrans = 2;
	state.retry = 2;
	size = res_nquery(&state, name, ns_c_in, type, answer, (int)capacity);
	if (size < 0)
		size = state.res_h_errno == TRY_AGAIN ? -1 : 0;
	else if ((size_t)size > capacity)
		size = (int)capacity;
	res_nclose(&state);
	return size;
}

int
crosspoint_dns_services(const char *name, struct crosspoint_service *services, size_t capacity)
{
	uint8_t answer[8192];
	int size = query(name, ns_t_srv, answer, sizeof(answer));

	return size > 0 ? crosspoint_dns_parse_services(answer, (size_t)size, services, capacity) : size;
}

int
crosspoint_dns_naming_authorities(const char *name, struct crosspoint_naming_authority *authorities, size_t capacity)
{
	uint8_t answer[8192];
	int size = query(name, ns_t_naptr, answer, sizeof(answer));

	return size > 0 ? crosspoint_dns_parse_naming_authorities(answer, (size_t)size, authorities, capacity) : size;
}
