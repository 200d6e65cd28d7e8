/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/* Directives for the compiler, in one place, for BPF and native builds alike. */
#pragma once

#ifndef __always_inline
#define __always_inline inline __attribute__((always_inline))
#endif
#ifndef __noinline
#define __noinline __attribute__((noinline))
#endif

#define CROSSPOINT_LIKELY(x) __builtin_expect(!!(x), 1)
#define CROSSPOINT_UNLIKELY(x) __builtin_expect(!!(x), 0)

/* Makes the compiler forget what it knows of a variable: a bound that it could prove would go, and the verifier needs it. */
#define CROSSPOINT_HIDE(variable) __asm__ volatile("" : "+r"(variable))
