/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/* Byte order without libbpf's headers, so that what includes it also compiles natively. Little-endian hosts only. */
#pragma once

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the fast path's constants assume a little-endian host");

#define NETWORK16(x) ((__be16)__builtin_bswap16(x))
#define NETWORK32(x) ((__be32)__builtin_bswap32(x))
#define HOST16(x) __builtin_bswap16(x)
#define HOST32(x) __builtin_bswap32(x)
