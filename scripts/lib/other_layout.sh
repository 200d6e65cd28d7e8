#!/bin/bash
# Builds this checkout with tables of another layout, for scripts/tests/upgrade.sh: flow and leg records of twice the size.
#
#   scripts/lib/other_layout.sh FOLDER
#
# FOLDER is made, as a copy of the checkout with its build, and has the binary in .build/debug/crosspoint in the end.
set -euo pipefail
checkout="$(cd "$(dirname "$0")/../.." && pwd)"
folder=${1:?the folder to build in}
[ ! -e "$folder" ] || {
    echo "$folder: is there already" >&2
    exit 1
}
cp -a "$checkout" "$folder"
header="$folder/bpf/fastpath_abi.h"
sed -i -E \
    -e 's/^#define CROSSPOINT_ABI_VERSION ([0-9]+)$/#define CROSSPOINT_ABI_VERSION 100\1/' \
    -e '/^struct crosspoint_flow \{/,/^\}/ s/^\t__u32 outage;/\t__u32 padding[16];\n\t__u32 outage;/' \
    -e 's/sizeof\(struct crosspoint_flow\) == 64/sizeof(struct crosspoint_flow) == 128/' \
    -e '/^struct crosspoint_leg \{/,/^\}/ s/^\t__u32 gate_sequence;/\t__u32 padding[16];\n\t__u32 gate_sequence;/' \
    -e 's/sizeof\(struct crosspoint_leg\) == 64/sizeof(struct crosspoint_leg) == 128/' "$header"
cd "$folder"
swift build --product crosspoint
