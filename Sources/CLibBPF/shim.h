/* libbpf, as Debian's libbpf-dev installs it. */
#pragma once
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
