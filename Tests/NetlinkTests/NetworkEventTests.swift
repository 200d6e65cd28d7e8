// Events of the kernel: links, neighbours, addresses, routes, and their loss.

import RTPWire
import Synchronization
import TestSupport
import Testing

@testable import Netlink

/// Collects events in the background.
private final class Collector: Sendable {
    private let events = Mutex<[NetworkEvent]>([])
    private let task = Mutex<Task<Void, Never>?>(nil)

    init(_ stream: AsyncStream<NetworkEvent>) {
        let running = Task { [weak self] in
            for await event in stream { self?.events.withLock { $0.append(event) } }
        }
        task.withLock { $0 = running }
    }

    deinit { task.withLock { $0?.cancel() } }

    func clear() { events.withLock { $0 = [] } }

    func contains(_ event: NetworkEvent) -> Bool { events.withLock { $0.contains(event) } }

    func wait(_ what: String, seconds: Double = 5, for isWanted: (NetworkEvent) -> Bool) async throws {
        for _ in 0..<Int(seconds * 100) {
            if events.withLock({ $0.contains(where: isWanted) }) { return }
            try await Task.sleep(for: .milliseconds(10))
        }
        Issue.record("no \(what) in \(events.withLock { $0 })")
    }
}

extension KernelTests {
    @Suite struct Events {
        @Test func linksGoDownAndUpAndAway() async throws {
            let network = try await Network()
            let index = try network.interface().index
            let events = Collector(try network.host.events())
            try network.node.run(["ip", "link", "set", "eth0", "down"])
            try await events.wait("link down") {
                if case .linkChanged(let link) = $0 { link.index == index && !link.isUp } else { false }
            }
            events.clear()
            try network.node.run(["ip", "link", "set", "eth0", "up"])
            try await events.wait("link up") {
                if case .linkChanged(let link) = $0 {
                    link.index == index && link.isRunning && link.driver == "veth"
                        && (link.xdpFeatures != nil) == tellsXDPFeatures
                } else {
                    false
                }
            }
            try network.node.run(["ip", "link", "delete", "eth0"])
            try await events.wait("link removed") { $0 == .linkRemoved(index: index) }
        }

        @Test func leavingABridgeIsNotGoingAway() async throws {
            let network = try await Network()
            try network.node.run(["ip", "link", "add", "br0", "type", "bridge"])
            try network.node.run(["ip", "link", "set", "eth0", "master", "br0"])
            let index = try network.interface().index
            let events = Collector(try network.host.events())
            try network.node.run(["ip", "link", "set", "eth0", "nomaster"])
            try network.node.run(["ip", "link", "delete", "br0"])
            try network.node.run(["ip", "address", "add", "10.5.0.1/24", "dev", "eth0"])
            try await events.wait("address") { $0 == .addressChanged(interfaceIndex: index) }
            #expect(!events.contains(.linkRemoved(index: index)))
            #expect(try network.interface().index == index)
        }

        @Test func managedNeighboursGoWithTheirLinkAndComeBackWhenAsked() async throws {
            let network = try await Network()
            let index = try network.interface().index
            let address = try #require(IPAddress("10.1.0.2"))
            let events = Collector(try network.host.events())
            try network.host.keepResolved(address, interfaceIndex: index)
            func isResolved(_ event: NetworkEvent) -> Bool {
                guard case .neighbourChanged(let neighbour) = event else { return false }
                return neighbour.address == address && neighbour.isUsable
            }
            try await events.wait("resolved", for: isResolved)
            try network.node.run(["ip", "link", "set", "eth0", "down"])
            try await events.wait("removed") { $0 == .neighbourRemoved(address: address, interfaceIndex: index) }
            try network.node.run(["ip", "link", "set", "eth0", "up"])
            events.clear()
            try network.host.keepResolved(address, interfaceIndex: index)
            try await events.wait("resolved again", for: isResolved)
        }

        @Test func neighboursThatChangeTheirAddress() async throws {
            let network = try await Network()
            let index = try network.interface().index
            let address = try #require(IPAddress("10.1.0.2"))
            let events = Collector(try network.host.events())
            try network.host.keepResolved(address, interfaceIndex: index)
            _ = try await network.waitForNeighbour(address) { $0?.isUsable == true }
            // An announced change (gratuitous ARP) is taken at once, unless the entry was confirmed in the last second.
            try network.peer.setSysctl("net.ipv4.conf.eth0.arp_notify", 1)
            try await Task.sleep(for: .milliseconds(1200))
            try network.peer.run(["ip", "link", "set", "eth0", "address", "02:00:00:00:00:99"])
            try await events.wait("new address") {
                guard case .neighbourChanged(let neighbour) = $0 else { return false }
                return neighbour.address == address && neighbour.mac == MACAddress("02:00:00:00:00:99")
            }
        }

        @Test func routesAndAddresses() async throws {
            let network = try await Network()
            let index = try network.interface().index
            let events = Collector(try network.host.events())
            try network.node.run(["ip", "route", "add", "10.9.0.0/16", "via", "10.1.0.2"])
            try await events.wait("route") { if case .routeChanged = $0 { true } else { false } }
            events.clear()
            try network.node.run(["ip", "address", "delete", "10.1.0.1/24", "dev", "eth0"])
            try await events.wait("address") { $0 == .addressChanged(interfaceIndex: index) }
            try await events.wait("route") { if case .routeChanged = $0 { true } else { false } }
        }

        @Test func everybodyWhoAskedGetsEvents() async throws {
            let network = try await Network()
            let first = Collector(try network.host.events())
            let second = Collector(try network.host.events())
            try network.node.run(["ip", "route", "add", "10.9.0.0/16", "via", "10.1.0.2"])
            try await first.wait("route") { if case .routeChanged = $0 { true } else { false } }
            try await second.wait("route") { if case .routeChanged = $0 { true } else { false } }
        }

        @Test func lostEventsAreReported() async throws {
            let network = try await Network()
            let stream = try network.host.events()
            // Nobody takes from the stream while more come than it holds.
            let script = """
                for i in $(seq 24); do for j in $(seq 250); do echo route add 10.1$i.$j.0/24 via 10.1.0.2; done; done \\
                | ip -batch -
                """
            try network.node.run(["sh", "-c", script])
            try await Task.sleep(for: .milliseconds(200))
            let events = Collector(stream)
            try await events.wait("overrun") { $0 == .overrun }
        }

        @Test func streamsEndWithTheirNetwork() async throws {
            var network: Network? = try await Network()
            let stream = try #require(network).host.events()
            network = nil
            for await _ in stream {}
        }
    }
}
