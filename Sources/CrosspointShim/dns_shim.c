/* Service records of DNS. */
#include <netinet/in.h>

#include <arpa/nameser.h>
#include <netdb.h>
#include <resolv.h>
#include <string.h>

#include "dns_shim.h"

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
		if (ns_name_uncompress(ns_msg_base(message), ns_msg_end(message), data + 6, service->target,
				       sizeof(service->target)) < 0)
			continue;
		/* The root is written "." by some versions and "" by others. */
		if (!strcmp(service->target, "."))
			service->target[0] = 0;
		count++;
	}
	return (int)count;
}

int
crosspoint_dns_services(const char *name, struct crosspoint_service *services, size_t capacity)
{
	struct __res_state state = {0};
	uint8_t answer[8192];
	int size, count;

	if (res_ninit(&state))
		return -1;
	state.retrans = 2;
	state.retry = 2;
	size = res_nquery(&state, name, ns_c_in, ns_t_srv, answer, sizeof(answer));
	if (size < 0)
		count = state.res_h_errno == TRY_AGAIN ? -1 : 0;
	else
		count = crosspoint_dns_parse_services(
			answer, (size_t)size > sizeof(answer) ? sizeof(answer) : (size_t)size, services, capacity);
	res_nclose(&state);
	return count;
}
