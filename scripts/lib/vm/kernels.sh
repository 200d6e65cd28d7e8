# Kernels of other Debian releases: fetched as packages, unpacked beside the build, never installed.
#
# Where packages come from and how they are verified is taken from this machine's own apt configuration; the lists and the cache of
# the other releases have folders of their own, so that nothing that apt knows about this machine is touched.
# shellcheck shell=bash
# shellcheck disable=SC2154  # set by scripts/test and by the files beside this one

# release:series of every kernel that is tested, oldest first. The last is the newest that Debian offers.
vm_kernels=(bookworm:6.1 trixie:6.12 trixie-backports:newest)

vm_folder="$repository/.build/vm"

# vm_apt COMMAND…: apt for the other releases.
vm_apt() {
    local program=$1
    shift
    "$program" -o "Dir::Etc::SourceList=$vm_folder/apt/sources.list" -o Dir::Etc::SourceParts=/dev/null \
        -o "Dir::State::Lists=$vm_folder/apt/lists" -o "Dir::Cache=$vm_folder/apt/cache" -o Dir::State::Status=/dev/null \
        -o APT::Sandbox::User=root -o APT::Get::List-Cleanup=0 -o APT::Default-Release= "$@"
}

# vm_update_lists: the package lists of the releases, at most once a day.
vm_update_lists() {
    [ -z "$(find "$vm_folder/apt/updated" -mtime -1 2>/dev/null)" ] || return 0
    local uri release keyring=/usr/share/keyrings/debian-archive-keyring.gpg
    # shellcheck disable=SC2016  # apt's own variables
    uri="$(apt-get indextargets --format '$(LABEL) $(REPO_URI)' 'Created-By: Packages' | sed -n 's/^Debian //p' | head -n 1)"
    [ -n "$uri" ] || die "apt knows no Debian archive on this machine: the kernels cannot be fetched"
    mkdir -p "$vm_folder/apt/lists/partial" "$vm_folder/apt/cache/archives/partial"
    for release in "${vm_kernels[@]%%:*}"; do echo "deb [signed-by=$keyring] $uri $release main"; done |
        sort -u >"$vm_folder/apt/sources.list"
    vm_apt apt-get update --quiet=2 || die "apt-get update failed for the kernels' releases: see above"
    touch "$vm_folder/apt/updated"
}

# vm_packages SERIES: the newest packages that hold that kernel: image and modules in one, or, since 6.19, in two.
vm_packages() {
    local pattern=${1//./\\.} names version
    [ "$1" != newest ] || pattern='[0-9]+\.[0-9]+'
    names="$(vm_apt apt-cache pkgnames)"
    version="$(sed -n -E "s/^linux-(image|binary)-(${pattern}(\.[0-9]+)*(-[0-9]+|\+deb[0-9]+)-cloud-amd64)\$/\2/p" <<<"$names" | sort -V | tail -n 1)"
    [ -n "$version" ] || die "no kernel $1 in the releases of ${vm_kernels[*]}"
    if grep -q -x -F "linux-binary-$version" <<<"$names"; then
        printf '%s\n' "linux-binary-$version" "linux-modules-$version"
    else
        echo "linux-image-$version"
    fi
}

# vm_kernel SERIES: sees to it that the kernel is there; its folder is in $vm_kernel, its version in $vm_version.
vm_kernel() {
    local packages package
    mapfile -t packages < <(vm_packages "$1")
    vm_version=${packages[0]#linux-*-}
    vm_kernel="$vm_folder/kernels/$vm_version"
    [ ! -e "$vm_kernel/vmlinuz" ] || return 0
    local unpacked="$work/kernel-$1"
    mkdir -p "$unpacked/packages"
    (cd "$unpacked/packages" && vm_apt apt-get download --quiet=2 "${packages[@]}") ||
        die "the packages ${packages[*]} cannot be fetched: see above"
    for package in "$unpacked"/packages/*.deb; do dpkg-deb -x "$package" "$unpacked/root"; done
    mkdir -p "$vm_kernel/root/usr/lib/modules"
    local modules
    modules="$(find "$unpacked/root" -type d -path "*/lib/modules/$vm_version" | head -n 1)"
    [ -n "$modules" ] || die "the packages ${packages[*]} have no modules of $vm_version"
    vm_take_modules "$modules" "$vm_kernel/root/usr/lib/modules/$vm_version"
    cp "$(find "$unpacked/root" -name 'vmlinuz*' | head -n 1)" "$vm_kernel/vmlinuz"
}

# vm_take_modules FROM TO: the modules that the tests need, as far as this kernel does not have them built in, and what those need.
vm_take_modules() {
    local module
    mkdir -p "$2"
    while read -r module; do
        cp "$module" "$2/"
        [[ $module != *.xz ]] || xz --decompress "$2/$(basename "$module")"
    done < <(find "$1/kernel/net" "$1/kernel/drivers/net" "$1/kernel/drivers/virtio" "$1/kernel/lib" \
        \( -name 'virtio*.ko*' -o -name 'veth.ko*' -o -name '8021q.ko*' -o -name 'bridge.ko*' -o -name 'garp.ko*' \
        -o -name 'mrp.ko*' -o -name 'stp.ko*' -o -name 'llc.ko*' -o -name '*failover.ko*' -o -name 'dummy.ko*' \
        -o -name 'af_packet.ko*' -o -name 'nf_*.ko*' -o -name 'nfnetlink.ko*' -o -name 'nft_*.ko*' -o -name 'libcrc32c.ko*' \))
    find "$1" -maxdepth 1 -name 'modules.builtin*' -exec cp {} "$2/" \;
    # It tells that the packages' list of the order of modules is not there.
    depmod -b "$(dirname "$(dirname "$(dirname "$2")")")" "$(basename "$2")" 2>/dev/null
}
