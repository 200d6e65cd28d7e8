# The machines that scripts/test vm boots: emulated, so that they run wherever QEMU does.
# shellcheck shell=bash
# shellcheck disable=SC2154  # set by scripts/test and by the files beside this one

# What sends load and compares what came with what was sent: an emulated processor falls behind its own generator, and rings overflow.
# shellcheck disable=SC2034  # scripts/test passes it
vm_load_tests='ChangesOnAir|SumsAgree|Handover|WrongHeaders|ScaleTests|metadataSurvivesTheClones|loopsAreRefused|manyLegs'

# vm_run FILTER SKIP LOG REPORT SECONDS: boots $vm_kernel with the archive $work/userland.cpio, runs the tests that FILTER names without those that SKIP names, and
# leaves what they print in LOG and their report in REPORT. Two of its network cards are cabled to each other, and do AF_XDP without
# copies where the kernel's driver has it: that needs the modern device behind an IOMMU, and no offloads.
vm_run() {
    vm_archive "$vm_kernel/root" "$work/modules.cpio"
    cat "$work/userland.cpio" "$work/modules.cpio" >"$work/initrd"
    local card=disable-legacy=on,iommu_platform=on,guest_tso4=off,guest_tso6=off,guest_ufo=off,guest_ecn=off,guest_csum=off
    timeout --foreground "$5" qemu-system-x86_64 -accel tcg,thread=multi -cpu max -smp 2 -m 3072 -nodefaults -display none -no-reboot \
        -kernel "$vm_kernel/vmlinuz" -initrd "$work/initrd" \
        -append "console=ttyS0 quiet panic=-1 mitigations=off crosspoint.filter=$1 crosspoint.skip=$2" \
        -netdev hubport,id=near,hubid=1 -device "virtio-net-pci,netdev=near,mac=02:00:00:00:01:01,$card" \
        -netdev hubport,id=far,hubid=1 -device "virtio-net-pci,netdev=far,mac=02:00:00:00:01:02,$card" \
        -serial stdio -serial "file:$4" </dev/null >"$3" 2>&1
}
