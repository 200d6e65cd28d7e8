# The userland of the machines that scripts/test vm boots: this machine's own programs and libraries, as many as the tests use.
# shellcheck shell=bash
# shellcheck disable=SC2154  # set by scripts/test and by the files beside this one

# What the tests call, and what a shell wants.
vm_programs=(bash sh ip ethtool tc bridge nft nsenter setpriv sysctl tcpdump modprobe)

# What libsrtp's cryptography (NSS) loads when it begins, with the checksums of it.
vm_modules=(libsoftokn3 libfreebl3 libfreeblpriv3)

# vm_copy FOLDER FILE…: programs and libraries with all libraries that they need, at the same places below FOLDER.
vm_copy() {
    local folder=$1 file library
    shift
    for file in "$@"; do
        install -D "$(readlink -f "$file")" "$folder$file"
        while read -r library; do
            [ -e "$folder$library" ] || install -D "$(readlink -f "$library")" "$folder$library"
        done < <(ldd "$file" 2>/dev/null | grep -oE '/[^ ]+')
    done
}

# vm_userland FOLDER: the tests as they were built, and what they need, as a tree for the machine's memory.
vm_userland() {
    local root=$1 folder program module
    mkdir -p "$root"/{busybox,proc,sys,dev,tmp,run,root,etc,tests}
    for folder in bin sbin lib lib64; do
        mkdir -p "$root/usr/$folder"
        ln -s "usr/$folder" "$root/$folder"
    done
    cp /etc/passwd /etc/group "$root/etc/"
    cp "$(command -v busybox)" "$root/busybox/busybox"
    for program in "${vm_programs[@]}"; do vm_copy "$root" "$(command -v "$program")"; done
    folder="$(dirname "$(ldd "$repository/.build/debug/crosspoint" | grep -oE '/[^ ]+/libnss3.so')")"
    for module in "${vm_modules[@]}"; do vm_copy "$root" "$folder/$module.so" "$folder/$module.chk"; done
    vm_copy "$root" "$repository/.build/debug/crosspointPackageTests.xctest" "$repository/.build/debug/crosspoint"
    for program in crosspointPackageTests.xctest crosspoint; do
        # Symbols alone would fill the machine's memory.
        strip --strip-debug -o "$root/tests/$program" "$root$repository/.build/debug/$program"
    done
    rm -r "${root:?}$repository/.build"
    install -m 755 "$repository/scripts/lib/vm/init" "$root/init"
}

# vm_archive FOLDER FILE: a tree as the kernel unpacks it.
vm_archive() { (cd "$1" && find . | cpio --create --format=newc --quiet) >"$2"; }
