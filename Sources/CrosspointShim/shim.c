#include "CrosspointShim.h"
