#pragma once
#include "namespace_shim.h"
#include "netlink_shim.h"
