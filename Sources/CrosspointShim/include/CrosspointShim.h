#pragma once
#include "namespace_shim.h"
