// What `check` says about the section `sip`.

import Authentication
import Foundation
import Node
import RTPWire
import SIPAgent
import SIPCore
import Testing

@testable import CrosspointCommands

@Suite struct SIPCheckTests {
    private func check(_ sip: SIPConfiguration, flows: Int = NodeConfiguration.Limits().flows) -> SIPCheck {
        SIPCheck(sip, flows: flows, isRunning: false, now: 1_800_000_000)
    }

    @Test("A section by which nobody may call, or nobody is called, is told with the remedy")
    func useless() throws {
        var sip = SIPConfiguration(listeners: [])
        #expect(check(sip).problems.contains { $0.contains("neither a dial plan nor a registrar") })
        sip.dialPlan = [.registered]
        #expect(check(sip).problems.contains { $0.contains("nobody may call") })
        sip.allowedNetworks = [try #require(IPNetwork("10.0.0.0/8"))]
        #expect(check(sip).problems.isEmpty)
        #expect(check(sip).lines.map(\.value) == ["1 dial plan rule; "])
    }

    @Test("A flow table that cannot hold the calls that are allowed is told with both figures; the defaults fit")
    func flows() throws {
        var sip = SIPConfiguration(listeners: [], dialPlan: [.registered])
        sip.allowedNetworks = [try #require(IPNetwork("10.0.0.0/8"))]
        #expect(check(sip).problems.isEmpty)
        #expect(
            check(sip, flows: 8191).problems == [
                "sip.limits.calls: 2048 calls take 8192 flows, 4 each and more with video, but limits.flows is 8191; raise limits.flows, or "
                    + "allow 2047 calls"
            ])
        sip.limits.calls = 2047
        #expect(check(sip, flows: 8191).problems.isEmpty)
    }

    @Test("A file of users of another realm lets nobody in")
    func realm() throws {
        let path = FileManager.default.temporaryDirectory.appending(path: "crosspoint-users-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        var users = UserDatabase()
        try users.set(user: "anna", realm: "studio", password: "x")
        try UserFile.save(users, to: path)
        var sip = SIPConfiguration(listeners: [], usersFile: path, dialPlan: [.registered])
        #expect(check(sip).problems.contains { $0.contains("no user of the realm 'crosspoint'") })
        sip.realm = "studio"
        #expect(check(sip).problems.isEmpty)
        sip.usersFile = path + ".missing"
        #expect(check(sip).problems.contains { $0.hasPrefix("sip.users-file: ") })
    }

    @Test("A file without hashes of what is offered lets nobody in")
    func algorithms() throws {
        let path = FileManager.default.temporaryDirectory.appending(path: "crosspoint-users-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        let hash = String(repeating: "0", count: 32)
        try UserFile.save(try UserDatabase(parsing: "anna:crosspoint:MD5:\(hash)\n", file: path), to: path)
        var sip = SIPConfiguration(listeners: [], usersFile: path, dialPlan: [.registered])
        #expect(check(sip).problems.isEmpty)
        sip.algorithms = [.sha256]
        #expect(check(sip).problems.contains { $0.contains("no hash for SHA-256") })
    }

    @Test("UDP and TCP ports are tried each for itself")
    func ports() throws {
        // Held by this test: one of UDP, whose number is free for TCP or not.
        let file = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
        defer { close(file) }
        var name = sockaddr_in()
        name.sin_family = sa_family_t(AF_INET)
        name.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let results = withUnsafeMutablePointer(to: &name) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                [bind(file, $0, length), getsockname(file, $0, &length)]
            }
        }
        #expect(results == [0, 0])
        let number = UInt16(bigEndian: name.sin_port)
        let local = IPAddress(127, 0, 0, 1)
        let sip = SIPConfiguration(
            listeners: [.init(address: local, transport: .udp, transportPort: number)],
            allowedNetworks: [try #require(IPNetwork("10.0.0.0/8"))], dialPlan: [.registered])
        let result = check(sip)
        #expect(result.listeners.map(\.state) == [.taken])
        #expect(result.listeners.map(\.listen) == ["127.0.0.1:\(number)/udp"])
        #expect(result.problems.first?.contains("UDP port \(number) is taken") == true)
        #expect(TransportPortCheck.state(of: .udp, local, number, isRunning: true) == .ours)
    }
}
