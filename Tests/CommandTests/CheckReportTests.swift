// What `check` says of a configuration on a host.

@testable import CrosspointCommands
import Netlink
import Node
import Testing

@Suite("Check")
struct CheckReportTests {
    private static let good = XDPFeatures([.basic, .redirect, .redirectTarget, .zeroCopy, .receivesFragments])

    private func ports() -> [PortReport] {
        [
            NetworkInterface(
                index: 2, name: "eth0", mtu: 9000, driver: "ice", stripsVLANTags: true, xdpFeatures: Self.good),
            NetworkInterface(
                index: 3, name: "eth1", isUp: true, isRunning: false, driver: "ice", xdpFeatures: Self.good),
            NetworkInterface(index: 4, name: "dummy0", kind: "dummy", xdpFeatures: []),
            NetworkInterface(index: 5, name: "eth2", mtu: 9000, driver: "tg3", xdpFeatures: [.basic]),
        ].map { PortReport($0) }
    }

    private func problems(_ text: String) throws -> [String] {
        let configuration = try ConfigurationFile.parse(text, file: "x")
        return CheckReport(configuration: configuration, file: "x", kernel: "6.18", ports: ports()).problems
    }

    @Test("A port that can all it needs has no problem")
    func good() throws {
        #expect(try problems("routes:\n  a: {from: '239.1.1.1:1@eth0', to: ['10.0.0.1:1@eth0']}\n").isEmpty)
        #expect(ports()[0].xdpMode == "native")
        #expect(ports()[0].xdpFeatures == ["basic", "redirect", "ndo-xmit", "xsk-zerocopy", "rx-sg"])
    }

    @Test("Each problem names the key, the interface and the remedy")
    func remedies() throws {
        #expect(
            try problems("ports: [eth9]\n") == [
                "ports: there is no interface 'eth9' on this host; did you mean 'eth0'?"
            ])
        #expect(
            try problems("ports: [eth1]\n") == ["ports: port eth1 is down; set it up with 'ip link set eth1 up'"])
        #expect(
            try problems("ports: [dummy0]\n")
                == ["ports: port dummy0: driver dummy has no native XDP; use another interface"])
        #expect(
            try problems("ports: [eth2]\n").map { $0.contains("redirect") || $0.contains("mtu 3498") } == [true, true])
        #expect(
            try problems("routes:\n  a: {from: '239.1.1.1:1@eth0.7', to: []}\n") == [
                "routes.a.from: port eth0 takes VLAN tags out of frames before XDP sees them; "
                    + "turn that off with 'ethtool -K eth0 rxvlan off'"
            ])
    }
}
