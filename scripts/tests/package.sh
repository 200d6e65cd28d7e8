#!/bin/bash
# Installs the package in a clean Debian without a toolchain, started by systemd, and uses it: route, media, upgrade, removal.
#
#   sudo scripts/tests/package.sh PACKAGE.deb
#
# The Debian is this machine's version, in a folder of its own (mmdebstrap), booted by systemd-nspawn with the network of a namespace of
# ours. A package of the same files with a higher version is what it is upgraded to, and downgraded from, under load: not one packet
# may be missing or come twice. After a purge nothing may be left.
#
#     camera cam0 10.1.0.7 --- eth0 node eth1 --- rx1 10.2.0.5 receiver
#
# Exit code: 0 right, 1 wrong, 77 skipped for want of root.
set -euo pipefail
# shellcheck source=../lib/common.sh source-path=SCRIPTDIR
. "$(dirname "$0")/../lib/common.sh"

packets_per_second=2000
leader=""

[[ $# -eq 1 && $1 == *.deb ]] || die "name one package (see $0)"
package="$(realpath "$1")"
[ -r "$package" ] || die "$package: cannot be read"
[ "$(id -u)" -eq 0 ] || { say "skipped: it boots a Debian of its own, as root" && exit 77; }

make_root() {
    local sources=() dependencies suite
    for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.sources /etc/apt/sources.list.d/*.list; do
        [ ! -s "$file" ] || sources+=("$file")
    done
    suite="$(. /etc/os-release && echo "$VERSION_CODENAME")"
    # The container has no way out: what the package needs is there before.
    dependencies="$(dpkg-deb --field "$package" Pre-Depends Depends | sed 's/^[^:]*: //; s/([^)]*)//g; s/ |[^,]*//g' | tr -d ' ' | tr '\n' ',')"
    mmdebstrap --quiet --variant=minbase \
        --include="systemd,systemd-sysv,dbus,iproute2,ethtool,procps,adduser,bash-completion,man-db,${dependencies%,}" \
        "$suite" "$work/root" "${sources[@]}" >"$work/mmdebstrap.log" 2>&1 || die "mmdebstrap: $(tail -n 1 "$work/mmdebstrap.log")"
    # Man pages are installed, as on a node and not as in an image.
    rm -f "$work"/root/etc/dpkg/dpkg.cfg.d/*
    install -m 644 "$package" "$work/root/root/crosspoint.deb"
    version="$(dpkg-deb --field "$package" Version)"
    later="$version+later"
    dpkg-deb -R "$package" "$work/later"
    sed -i "s/^Version: .*/Version: $later/" "$work/later/DEBIAN/control"
    dpkg-deb --root-owner-group -Znone -b "$work/later" "$work/root/root/crosspoint-later.deb" >/dev/null
}

boot() {
    mkdir "$work/bpf"
    mount -t bpf bpf "$work/bpf"
    systemd-nspawn --quiet --register=no --keep-unit --directory="$work/root" --boot --machine="$run_id" \
        --network-namespace-path="/run/netns/$run_id-node" --bind="$work/bpf:/sys/fs/bpf" \
        --capability=CAP_BPF,CAP_PERFMON,CAP_NET_ADMIN,CAP_NET_RAW,CAP_IPC_LOCK --system-call-filter="bpf perf_event_open" \
        --link-journal=no >"$work/console.log" 2>&1 </dev/null &
    nspawn=$!
    children+=("$nspawn")
    wait_until 20 find_leader || die "the container does not boot: $(tail -n 1 "$work/console.log")"
    wait_until 60 node systemctl is-system-running --wait || node systemctl list-units --failed --plain --no-legend |
        grep -v -E 'systemd-(networkd|resolved|udevd|modules-load)' || true
}
find_leader() {
    leader="$(pgrep -P "$nspawn" | head -n 1)"
    [ -n "$leader" ]
}
# node COMMAND…: in the container.
node() {
    nsenter --target "$leader" --mount --uts --ipc --net --pid --root --wd -- \
        env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM=dumb DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 "$@"
}
apt() { node apt-get -y -qq -o Dpkg::Use-Pty=0 -o Acquire::Languages=none "$@" >>"$work/apt.log" 2>&1; }

clean_up_container() {
    if [ -n "$leader" ]; then
        # SIGRTMIN+4: systemd powers off.
        kill -s RTMIN+4 "$leader" 2>/dev/null || true
        wait_until 20 gone "$leader" || kill -KILL "$leader" 2>/dev/null || true
    fi
    umount "$work/bpf" 2>/dev/null || true
}
gone() { ! kill -0 "$1" 2>/dev/null; }

# check TEXT COMMAND…: right if the command succeeds.
check() {
    local text=$1
    shift
    if "$@" >"$work/out" 2>&1; then right "$text"; else wrong "$text: $(tail -n 2 "$work/out" | tr '\n' ' ')"; fi
}
# check_not TEXT COMMAND…: right if it fails.
check_not() {
    local text=$1
    shift
    if "$@" >"$work/out" 2>&1; then wrong "$text: $(tail -n 2 "$work/out" | tr '\n' ' ')"; else right "$text"; fi
}
is_live() { node crosspoint route show cam1 | grep -q active; }
has_version() { node crosspoint --version | grep -qxF "crosspoint $1"; }
# shellcheck disable=SC2016  # dpkg-query replaces it
installed_version() { [ "$(node dpkg-query -W -f '${Version}' crosspoint)" = "$1" ]; }

start_media() {
    start receiver receiver.log "$python" "$repository/scripts/lib/rtp_sequence.py" receive cam1=10.2.0.5:5004
    receiver=$started
    sleep 1
    start camera camera.log "$python" "$repository/scripts/lib/rtp_sequence.py" send --rate "$packets_per_second" cam1=239.1.1.10:5004
    camera=$started
    sleep 2
}
# Ends the sender, then the receiver; what is wrong with what came.
stop_media() {
    local sent received
    stop "$camera"
    sleep 1
    stop "$receiver"
    sent="$(sed -n 's/cam1 sent //p' "$work/camera.log" | tail -n 1)"
    received="$(tail -n 1 "$work/receiver.log")"
    if [ "$received" = "cam1 received $sent missing 0 duplicated 0" ]; then
        right "$1: all of $sent packets came, none twice"
    else
        wrong "$1: of $sent packets: $received"
    fi
}
main_process() { node systemctl show -P MainPID crosspoint; }

begin package-test
# shellcheck disable=SC2317  # called by `finish`
eval "$(declare -f clean_up | sed '1s/clean_up/clean_up_rest/')"
# shellcheck disable=SC2317
clean_up() {
    clean_up_container
    clean_up_rest
}

say "1. a clean Debian"
make_root
make_small_studio
boot
find "$work/root" -xdev \( -path '*/proc' -o -path '*/sys' -o -path '*/run' -o -path '*/tmp' -o -path '*/var/log' -o -path '*/var/cache' \
    -o -path '*/var/lib/dpkg' -o -path '*/var/lib/apt' -o -path '*/var/lib/systemd' -o -path '*/root/root' \) -prune -o -print |
    sed "s|^$work/root||" | sort >"$work/before"

say "2. installed, and started by systemd"
check "apt install" apt install /root/crosspoint.deb
check "the version is the package's" has_version "$version"
check_not "no library of a Swift toolchain is needed" sh -c "ldd '$work/root/usr/bin/crosspoint' | grep -i swift"
check "the daemon runs" node systemctl is-active crosspoint
check "it starts at boot" node systemctl is-enabled crosspoint
check "the configuration file is valid as it comes" node crosspoint config check
check "crosspoint check finds this node fit" node crosspoint check
check "manual pages" node man -w crosspoint crosspoint-route-add 8 crosspoint-run 5 crosspoint.yaml
node useradd engineer -G crosspoint
check "a member of the group may operate" node setpriv --reuid engineer --regid engineer --init-groups crosspoint route list
node useradd stranger
check_not "nobody else may" node setpriv --reuid stranger --regid stranger --init-groups crosspoint route list

say "3. media"
check "a route" node crosspoint route add cam1 --from 239.1.1.10:5004@eth0 --to 10.2.0.5:5004@eth1
check "its leg is active" wait_until 10 is_live
# shellcheck disable=SC2016
check "bash completes the route's name" node bash -c '
    . /usr/share/bash-completion/bash_completion; _completion_loader crosspoint || true
    COMP_WORDS=(crosspoint route show ca); COMP_CWORD=3; COMP_LINE="crosspoint route show ca"; COMP_POINT=${#COMP_LINE}
    $(complete -p crosspoint | sed "s/.*-F \([^ ]*\).*/\1/") crosspoint ca show 2>/dev/null
    printf "%s\n" "${COMPREPLY[@]}" | grep -qx "cam1 *"'
start_media
stop_media "route"

say "4. upgrade and downgrade under load"
start_media
before="$(main_process)"
check "apt install of a later version" apt install /root/crosspoint-later.deb
check "it is installed" installed_version "$later"
wait_until 20 is_live || wrong "the route is not back"
if [ "$(main_process)" != "$before" ]; then right "the daemon was replaced"; else wrong "the daemon is still the old one"; fi
check "apt install of the version before" apt install --allow-downgrades /root/crosspoint.deb
check "it is installed" installed_version "$version"
wait_until 20 is_live || wrong "the route is not back"
sleep 1
stop_media "upgrade and downgrade"

say "5. removed"
check "apt remove" apt remove crosspoint
check_not "nothing forwards" sh -c "ls -A '$work/bpf/crosspoint' | grep -q ."
check_not "no program is at a port" sh -c "nsenter --net=/run/netns/$run_id-node ip -details link show eth0 | grep -q 'prog/xdp'"
check "the configuration is kept" test -e "$work/root/etc/crosspoint/crosspoint.yaml"
check "apt purge" apt purge crosspoint
node userdel engineer
node userdel stranger
find "$work/root" -xdev \( -path '*/proc' -o -path '*/sys' -o -path '*/run' -o -path '*/tmp' -o -path '*/var/log' -o -path '*/var/cache' \
    -o -path '*/var/lib/dpkg' -o -path '*/var/lib/apt' -o -path '*/var/lib/systemd' -o -path '*/root/root' \) -prune -o -print |
    sed "s|^$work/root||" | sort >"$work/after"
# What useradd of this test made.
left="$(comm -13 "$work/before" "$work/after" | grep -v -E '^/etc/(passwd|group|g?shadow|sub[ug]id)-$|^/var/mail|^/var/spool' || true)"
if [ -z "$left" ]; then right "nothing is left"; else wrong "left: $(tr '\n' ' ' <<<"$left")"; fi
check_not "the account is gone" node getent passwd crosspoint

say "6. from a signed repository"
# A key for this test alone.
export GNUPGHOME="$work/gnupg"
install -d -m 700 "$GNUPGHOME"
gpg --batch --quiet --pinentry-mode loopback --passphrase '' --quick-generate-key "$run_id@example.org" ed25519 sign 1d 2>"$work/gpg.log"
"$repository/scripts/package" repository --output "$work/root/srv/apt" --sign-with "$run_id@example.org" "$package" \
    "$work/root/root/crosspoint-later.deb" >"$work/repository.log" 2>&1 || wrong "scripts/package repository: $(tail -n 1 "$work/repository.log")"
gpgconf --kill all
install -m 644 "$work/root/srv/apt/crosspoint-archive-keyring.gpg" "$work/root/usr/share/keyrings/"
echo "deb [signed-by=/usr/share/keyrings/crosspoint-archive-keyring.gpg] file:/srv/apt stable main" >"$work/root/root/crosspoint.list"
from_repository=(-o Dir::Etc::SourceList=/root/crosspoint.list -o Dir::Etc::SourceParts=- -o APT::Sandbox::User=root)
check "apt update takes its signature" apt update "${from_repository[@]}"
check "apt install takes the newest version" apt install "${from_repository[@]}" crosspoint
check "it is installed" installed_version "$later"
check "the daemon runs" node systemctl is-active crosspoint
check "apt purge" apt purge crosspoint

[ $wrongs -eq 0 ] || die "$wrongs things are wrong; apt's messages: $work/apt.log"
say "the package installs, forwards, upgrades and goes"
