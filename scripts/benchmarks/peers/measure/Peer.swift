// Peers that are compared, and the setup of each.

import Foundation
import Qualification
import RTPWire
import Routing
import TestSupport

/// A peer that forwards now.
struct RunningPeer: Sendable {
    /// The place at which it wants the packets.
    var target: (address: IPAddress, udpPort: UInt16)
    /// True if programs forward, which have a processor of their own.
    var isProgram = false
    /// Takes it away.
    var stop: @Sendable () async -> Void
}

/// One thing that people forward media with.
struct Peer: Sendable {
    var name: String
    var title: String
    /// True if each copy gets addresses of its own.
    var rewrites = true
    /// True if it relays by plain sockets.
    var isSocketRelay = false
    /// The rate at which the search begins, packets per second to one destination.
    var guess: Double
    /// The Debian command without which it is not there.
    var needs: String?
    /// The reason for which it cannot send so many copies; nil if it can.
    var cannot: @Sendable (_ legs: Int) -> String? = { _ in nil }
    var start: @Sendable (PeerBench, _ legs: Int) async throws -> RunningPeer

    static let crosspointName = "crosspoint"

    static let all: [Peer] = [
        Peer(name: crosspointName, title: "Crosspoint", guess: 5_000_000, start: startCrosspoint),
        Peer(
            name: "nftables_dnat", title: "nftables DNAT", guess: 1_000_000, needs: "nft",
            cannot: { $0 == 1 ? nil : "one destination for a packet" }, start: startNAT),
        Peer(
            name: "nftables_dup", title: "nftables dup", rewrites: false, guess: 700_000, needs: "nft",
            cannot: { $0 > 1 ? nil : "it is for copies" }, start: startDup),
        Peer(
            name: "tc_mirred", title: "tc mirred", rewrites: false, guess: 1_500_000, needs: "tc", start: startMirred),
        Peer(
            name: "multicast_routing", title: "kernel multicast routing (smcroute)", rewrites: false, guess: 800_000,
            needs: "smcrouted",
            cannot: {
                $0 <= PeerBench.egressPorts ? nil : "one copy for an interface, and 31 interfaces at most (MAXVIFS)"
            }, start: startMulticastRouting),
        Peer(
            name: "relay_mmsg", title: "socket relay, recvmmsg and sendmmsg", isSocketRelay: true, guess: 400_000,
            start: { try await startRelay($0, $1, usesGSO: false) }),
        Peer(
            name: "relay_gso", title: "socket relay, with GSO", isSocketRelay: true, guess: 500_000,
            start: { try await startRelay($0, $1, usesGSO: true) }),
        Peer(
            name: "gstreamer", title: "GStreamer udpsrc ! multiudpsink", isSocketRelay: true, guess: 60_000,
            needs: "gst-launch-1.0", start: startGStreamer),
        Peer(
            name: "socat", title: "socat", isSocketRelay: true, guess: 100_000, needs: "socat",
            cannot: { $0 == 1 ? nil : "one destination for a socket" }, start: startSocat),
        Peer(
            name: "rtpengine", title: "rtpengine in userspace", isSocketRelay: true, guess: 60_000, needs: "rtpengine",
            start: startRTPEngine),
        Peer(
            name: "testpmd_af_packet", title: "DPDK testpmd, af_packet", rewrites: false, guess: 300_000,
            needs: "dpdk-testpmd", cannot: { $0 == 1 ? nil : "testpmd does not copy packets" },
            start: { bench, _ in try await startTestpmd(bench, driver: "net_af_packet", extra: "") }),
        Peer(
            name: "testpmd_af_xdp", title: "DPDK testpmd, af_xdp", rewrites: false, guess: 200_000,
            needs: "dpdk-testpmd", cannot: { $0 == 1 ? nil : "testpmd does not copy packets" },
            start: { bench, _ in
                try await startTestpmd(bench, driver: "net_af_xdp", extra: ",start_queue=0,queue_count=1")
            }),
    ]

    private static let ordinaryTarget = (address: PeerBench.address, udpPort: PeerBench.udpPort)

    private static func startCrosspoint(_ bench: PeerBench, _ legs: Int) async throws -> RunningPeer {
        let node = try await NodeUnderTest(
            cables: bench.cables, network: bench.network, flows: 64, legs: legs, engine: .kernel, accounting: .full,
            clockRate: 90_000)
        do {
            try await node.install(flows: 1)
        } catch {
            await node.close()
            throw error
        }
        return RunningPeer(target: (NodeUnderTest.firstFlow, PeerBench.udpPort)) { await node.close() }
    }

    // MARK: In the kernel

    private static func startNAT(_ bench: PeerBench, _ legs: Int) throws -> RunningPeer {
        let leg = PeerBench.leg(0)
        try nft(
            "add table ip peers; add chain ip peers prerouting { type nat hook prerouting priority -100; }; add rule ip peers "
                + "prerouting iif in0 udp dport \(PeerBench.udpPort) dnat to \(leg.address):\(leg.udpPort)")
        return RunningPeer(target: ordinaryTarget) { try? nft("delete table ip peers") }
    }

    private static func startDup(_ bench: PeerBench, _ legs: Int) throws -> RunningPeer {
        let copies = (1..<legs).map { number in
            let leg = PeerBench.leg(number)
            return "dup to \(leg.address) device out\(leg.port)"
        }
        // The original continues: to a route of its own.
        try PeerBench.run("ip route replace 198.18.7.7/32 via 10.1.0.10 dev out0")
        try nft(
            "add table ip peers; add chain ip peers prerouting { type filter hook prerouting priority -300; }; "
                + copies.map {
                    "add rule ip peers prerouting iif in0 ip daddr 198.18.7.7 udp dport \(PeerBench.udpPort) \($0)"
                }.joined(separator: "; "))
        return RunningPeer(target: (IPAddress(198, 18, 7, 7), PeerBench.udpPort)) {
            try? nft("delete table ip peers")
            try? PeerBench.run("ip route delete 198.18.7.7/32")
        }
    }

    private static func nft(_ rules: String) throws { try Command.run(["nft", rules]) }

    private static func startMirred(_ bench: PeerBench, _ legs: Int) throws -> RunningPeer {
        try PeerBench.run("tc qdisc add dev in0 clsact")
        let actions = (0..<legs).map { number in
            let verb = number == legs - 1 ? "redirect" : "mirror"
            return "action mirred egress \(verb) dev out\(PeerBench.leg(number).port)"
        }
        do {
            try PeerBench.run(
                "tc filter add dev in0 ingress protocol ip pref 1 u32 match u32 0 0 " + actions.joined(separator: " "))
        } catch {
            try PeerBench.run("tc qdisc delete dev in0 clsact")
            throw error
        }
        return RunningPeer(target: ordinaryTarget) { try? PeerBench.run("tc qdisc delete dev in0 clsact") }
    }

    private static func startMulticastRouting(_ bench: PeerBench, _ legs: Int) async throws -> RunningPeer {
        let outputs = (0..<legs).map { "out\($0)" }
        let file = "\(PrivateNamespaces.scratch)/smcroute.conf"
        let phyints = (["in0"] + outputs).map { "phyint \($0) enable ttl-threshold 1" }
        let text =
            (phyints + [
                "mroute from in0 source \(NodeUnderTest.source) group \(PeerBench.group) to "
                    + outputs.joined(separator: " ")
            ])
            .joined(separator: "\n") + "\n"
        try Data(text.utf8).write(to: URL(filePath: file))
        let socket = "\(PrivateNamespaces.scratch)/smcroute.sock"
        let daemon = try PeerProcess(
            ["smcrouted", "-n", "-N", "-f", file, "-u", socket, "-P", "\(PrivateNamespaces.scratch)/smcroute.pid"])
        try await daemon.settle()
        return RunningPeer(target: (PeerBench.group, PeerBench.udpPort)) { daemon.stop() }
    }

    // MARK: Programs

    private static func startProgram(
        _ bench: PeerBench, _ arguments: [String], ready: String? = nil, udpPort: UInt16 = PeerBench.udpPort
    ) async throws -> RunningPeer {
        let process = try PeerProcess(["taskset", "-c", "\(bench.programProcessor)"] + arguments)
        try await process.settle(ready: ready)
        return RunningPeer(target: (PeerBench.address, udpPort), isProgram: true) { process.stop() }
    }

    private static func destinations(_ legs: Int) -> [String] {
        (0..<legs).map { number in
            let leg = PeerBench.leg(number)
            return "\(leg.address):\(leg.udpPort)"
        }
    }

    private static func startRelay(_ bench: PeerBench, _ legs: Int, usesGSO: Bool) async throws -> RunningPeer {
        let relay = try Self.beside("peers-relay")
        return try await startProgram(
            bench,
            [relay] + (usesGSO ? ["--gso"] : []) + ["\(PeerBench.address)", "\(PeerBench.udpPort)"]
                + destinations(legs),
            ready: "ready")
    }

    /// The path of a program that is built together with this one.
    private static func beside(_ name: String) throws -> String {
        let own = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let path = URL(filePath: own).deletingLastPathComponent().appending(path: name).path
        guard access(path, X_OK) == 0 else { throw PeerFailure(description: "\(path): not built") }
        return path
    }

    private static func startGStreamer(_ bench: PeerBench, _ legs: Int) async throws -> RunningPeer {
        try await startProgram(
            bench,
            [
                "gst-launch-1.0", "udpsrc", "address=\(PeerBench.address)", "port=\(PeerBench.udpPort)",
                "buffer-size=8388608", "!", "multiudpsink", "clients=\(destinations(legs).joined(separator: ","))",
                "sync=false", "async=false",
            ], ready: "New clock")
    }

    private static func startSocat(_ bench: PeerBench, _ legs: Int) async throws -> RunningPeer {
        try await startProgram(
            bench,
            [
                "socat", "-u", "-b", "2048",
                "UDP4-RECV:\(PeerBench.udpPort),bind=\(PeerBench.address),rcvbuf=8388608",
                "UDP4-SENDTO:\(destinations(1)[0])",
            ])
    }

    private static func startRTPEngine(_ bench: PeerBench, _ legs: Int) async throws -> RunningPeer {
        let daemon = try PeerProcess([
            "taskset", "-c", "\(bench.programProcessor)", "rtpengine", "--foreground", "--log-stderr", "--log-level=3",
            "--table=-1", "--interface=\(PeerBench.address)", "--listen-ng=127.0.0.1:2223", "--num-threads=1",
            "--port-min=30000", "--port-max=39000", "--config-file=none",
            "--pidfile=\(PrivateNamespaces.scratch)/rtpengine.pid",
        ])
        do {
            try await daemon.settle()
            let answer = try Command.run(
                ["/usr/bin/python3", bench.driver, "127.0.0.1:2223", "\(NodeUnderTest.source):5004"]
                    + destinations(legs))
            guard let udpPort = UInt16(answer.trimmingCharacters(in: .whitespacesAndNewlines)) else {
                throw PeerFailure(description: "rtpengine gave no UDP port: \(answer)")
            }
            return RunningPeer(target: (PeerBench.address, udpPort), isProgram: true) { daemon.stop() }
        } catch {
            daemon.stop()
            throw error
        }
    }

    private static func startTestpmd(_ bench: PeerBench, driver: String, extra: String) async throws -> RunningPeer {
        // Both lcores on the programs' processor: the first only waits for commands.
        let process = try PeerProcess([
            "dpdk-testpmd", "--no-huge", "-m", "512", "--no-pci", "--lcores",
            "0@\(bench.programProcessor),1@\(bench.programProcessor)",
            "--no-telemetry", "--vdev", "\(driver)0,iface=in0\(extra)", "--vdev", "\(driver)1,iface=out0\(extra)", "--",
            "--forward-mode=mac", "--eth-peer=1,\(bench.cables.sinks[0].mac)", "--total-num-mbufs=16384",
            "--auto-start", "--nb-cores=1", "--stats-period=3600",
        ])
        try await process.settle(ready: "forwards packets on", seconds: 20)
        return RunningPeer(target: (PeerBench.address, PeerBench.udpPort), isProgram: true) { process.stop() }
    }
}
