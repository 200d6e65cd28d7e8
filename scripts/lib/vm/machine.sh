# The machines that scripts/test vm boots: emulated, so that they run wherever QEMU does.
# shellcheck shell=bash
# shellcheck disable=SC2154  # set by scripts/test and by the files beside this one

# What is tested: the fast path, its owner and both engines.
# shellcheck disable=SC2034  # scripts/test passes it
vm_kernel_tests='^(FastPathTests|NetlinkTests|AFXDPTests|ControllerTests)'

# What sends load and compares what came with what was sent: an emulated processor falls behind its own generator, and rings
# and sockets overflow. And what compares with something that is not in the machine: the programs' lengths with a baseline, which is
# of one kernel, and the parsers with tshark's.
# shellcheck disable=SC2034  # scripts/test passes it
vm_load_tests='ChangesOnAir|SumsAgree|Handover|WrongHeaders|ScaleTests|metadataSurvivesTheClones|loopsAreRefused|manyLegs|EngineLoad|EngineRoutes|HostPorts/receiving|SessionRoutes/delivery|CallMediaSuite/group|InstructionTests|AgreementTests/generated'

# Cables between two network cards each of a machine, and queues of a card (Tests/ControllerTests/Support/NetworkCards.swift).
vm_cables=3
vm_queues=2
# In bytes: VLAN tags on top of the largest MTU that tests use.
vm_mtu=9200

# vm_make_cables: a network namespace with the cables: bridges of two taps each, since only taps have several queues.
vm_make_cables() {
    local cable end
    make_namespace cables
    # The bridges' own look at IP headers, where the kernel has it: frames with wrong ones have to get through.
    inside cables sysctl --quiet --ignore --write net.bridge.bridge-nf-call-iptables=0 net.bridge.bridge-nf-call-ip6tables=0
    for ((cable = 0; cable < vm_cables; cable++)); do
        inside cables ip link add "cable$cable" mtu "$vm_mtu" type bridge mcast_snooping 0
        for end in 0 1; do
            inside cables ip tuntap add dev "card$cable$end" mode tap multi_queue
            # An emulated machine takes its time.
            inside cables ip link set "card$cable$end" mtu "$vm_mtu" txqueuelen 10000 master "cable$cable" up
        done
        inside cables ip link set "cable$cable" up
    done
}

# vm_run FILTER SKIP CARDS LOG REPORT SECONDS: boots $vm_kernel with the archive $work/userland.cpio, runs the tests that FILTER names
# without those that SKIP names, and leaves what they print in LOG and their report in REPORT. CARDS is what the cards' driver has in
# this kernel, copy or zero-copy. AF_XDP without copies needs the modern device behind an IOMMU, and no offloads.
vm_run() {
    vm_archive "$vm_kernel/root" "$work/modules.cpio"
    cat "$work/userland.cpio" "$work/modules.cpio" >"$work/initrd"
    local cable end name cards=()
    # One thread for both processors: with two, an emulated processor may run a breakpoint of the kernel's code patching after it is gone,
    # which ends the machine (bpf_dispatcher_xdp_func, when a program is attached while packets come).
    local card=disable-legacy=on,iommu_platform=on,guest_tso4=off,guest_tso6=off,guest_ufo=off,guest_ecn=off,guest_csum=off
    card=$card,mq=on,vectors=$((2 * vm_queues + 2)),host_mtu=$((vm_mtu - 100)),rx_queue_size=1024
    for ((cable = 0; cable < vm_cables; cable++)); do
        for end in 0 1; do
            name=card$cable$end
            cards+=(-netdev "tap,id=$name,ifname=$name,script=no,downscript=no,queues=$vm_queues")
            cards+=(-device "virtio-net-pci,netdev=$name,mac=02:00:00:00:0c:$cable$end,$card")
        done
    done
    inside cables timeout --foreground "$6" qemu-system-x86_64 -accel tcg,thread=single -cpu max -smp 2 -m 3072 -nodefaults \
        -display none -no-reboot -kernel "$vm_kernel/vmlinuz" -initrd "$work/initrd" \
        -append "console=ttyS0 quiet panic=-1 mitigations=off crosspoint.filter=$1 crosspoint.skip=$2 crosspoint.cards=$3" \
        "${cards[@]}" -serial stdio -serial "file:$5" </dev/null >"$4" 2>&1
}
