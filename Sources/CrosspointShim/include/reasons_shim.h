/* The numbers of reasons, for Swift. */
#pragma once

#include "../../../bpf/drop_reasons.h"
