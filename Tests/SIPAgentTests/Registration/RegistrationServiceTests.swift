// Devices that register: who may, where they are called, and what a restart keeps.

import AgentSupport
import Authentication
import Foundation
import Logging
import RTPWire
import SIPCore
import Sessions
import TestSupport
import Testing

@testable import SIPAgent

@AgentActor
@Suite struct RegistrationServiceTests {
    private static let second: UInt64 = 1_000_000_000

    /// A registrar with its directory and file of users.
    @AgentActor
    private final class Bench {
        let directory: String
        var configuration = SIPConfiguration()
        let counters = AccessCounters()
        private(set) var service: RegistrationService

        init(_ change: (inout SIPConfiguration) -> Void = { _ in }) throws {
            directory = FileManager.default.temporaryDirectory.appending(path: "crosspoint-\(UUID().uuidString)").path
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
            configuration.registrar = RegistrarConfiguration(
                allowedNetworks: [IPNetwork(containing: IPAddress(10, 1, 0, 0), prefixLength: 16)!])
            change(&configuration)
            if configuration.usersFile != nil {
                var users = UserDatabase()
                try users.set(user: "anna", realm: "crosspoint", password: "secret")
                configuration.usersFile = "\(directory)/users"
                try UserFile.save(users, to: "\(directory)/users")
            }
            service = try Self.make(configuration, directory, counters, now: 1)
        }

        private static func make(
            _ configuration: SIPConfiguration, _ directory: String, _ counters: AccessCounters, now: UInt64
        ) throws -> RegistrationService {
            try RegistrationService(
                configuration: configuration, access: try CallAccess(configuration: configuration, counters: counters),
                counters: counters, runtimeDirectory: directory,
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }, now: now)
        }

        func restart(now: UInt64) throws { service = try Self.make(configuration, directory, counters, now: now) }

        deinit { try? FileManager.default.removeItem(atPath: directory) }
    }

    private static func source(
        _ address: IPAddress = IPAddress(10, 1, 0, 7), _ number: UInt16 = 5060, transport: SIPTransport = .udp,
        connection: UInt64? = nil
    ) -> SIPSource {
        SIPSource(
            transport: transport, address: address, transportPort: number, localAddress: IPAddress(10, 1, 0, 1),
            localPort: 5060, connection: connection)
    }

    private static func register(
        _ user: String, _ contacts: [String], domain: String = "10.1.0.1", sequence: UInt32 = 1, expires: String? = nil
    ) throws -> SIPRequest {
        var headers = SIPHeaders()
        headers["Expires"] = expires
        for contact in contacts { headers.append("Contact", contact) }
        let address = NameAddress(try SIPURI("sip:\(user)@\(domain)"))
        return SIPRequest(
            .register, try SIPURI("sip:\(domain)"), from: address, to: address, callID: "r-\(user)", sequence: sequence,
            headers: headers)
    }

    private static func status(_ outcome: RegistrationOutcome) -> Int {
        switch outcome {
        case .accepted: 200
        case .drop: -1
        case .refuse(let refusal, _): Int(refusal.status.code)
        }
    }

    @Test(
        "S-28: a device of an allowed network registers under any name, and is called by it whatever the node is called"
    )
    func allowed() throws {
        let bench = try Bench()
        let contact = "<sip:one@10.1.0.7:5070>"
        #expect(
            Self.status(bench.service.register(try Self.register("one", [contact]), from: Self.source(), now: 1)) == 200
        )
        for host in ["10.1.0.1", "node.example", "[2001:db8::1]"] {
            let stages = bench.service.stages(for: try SIPURI("sip:one@\(host)"), now: 2)
            #expect(stages.map { $0.map(\.uri.description) } == [["sip:one@10.1.0.7:5070"]])
            #expect(stages.first?.first?.destination.description == "sip:one@10.1.0.7:5070")
        }
        #expect(bench.service.stages(for: try SIPURI("sip:two@10.1.0.1"), now: 2).isEmpty)
        #expect(bench.service.stages(for: try SIPURI("sip:one@10.1.0.1"), now: 3601 * Self.second).isEmpty)
        #expect(bench.counters.report().map(\.labels) == [["action": "add"]])
    }

    @Test("Devices ring by preference: equal ones together, others after them")
    func preference() throws {
        let bench = try Bench()
        let contacts = ["<sip:10.1.0.7>;q=0.5", "<sip:10.1.0.8>", "<sip:10.1.0.9>;q=1.0"]
        _ = bench.service.register(try Self.register("one", contacts), from: Self.source(), now: 1)
        let stages = bench.service.stages(for: try SIPURI("sip:one@node"), now: 2)
        #expect(
            stages.map { Set($0.map(\.uri.description)) } == [["sip:10.1.0.8", "sip:10.1.0.9"], ["sip:10.1.0.7"]])
    }

    @Test("Nobody has calls sent elsewhere: a device from outside is called where it is, not where it says")
    func destinations() throws {
        let bench = try Bench { $0.usersFile = "yes" }
        let outside = IPAddress(192, 0, 2, 7)
        var sequence: UInt32 = 1
        for (contact, destination) in [
            ("<sip:anna@192.168.1.5:5062>", "sip:192.0.2.7:40000;transport=udp"),
            ("<sip:anna@victim.example>", "sip:192.0.2.7:40000;transport=udp"),
            ("<sip:anna@192.0.2.7:5066>", "sip:anna@192.0.2.7:5066"),
            ("<sip:anna@10.1.0.9>", "sip:anna@10.1.0.9"),
            ("<sip:anna@10.1.0.9;maddr=198.51.100.2>", "sip:192.0.2.7:40000;transport=udp"),
            ("<sip:anna@192.0.2.7;maddr=victim.example>", "sip:192.0.2.7:40000;transport=udp"),
            ("<sip:anna@198.51.100.2;maddr=10.1.0.9>", "sip:anna@198.51.100.2;maddr=10.1.0.9"),
        ] {
            let removal = try Self.register("anna", ["*"], sequence: sequence, expires: "0")
            #expect(try Self.authenticated(bench, removal, outside) == 200)
            let registration = try Self.register("anna", [contact], sequence: sequence + 2)
            #expect(try Self.authenticated(bench, registration, outside) == 200)
            sequence += 4
            let stages = bench.service.stages(for: try SIPURI("sip:anna@node"), now: 2)
            #expect(stages.first?.first?.destination.description == destination, "\(contact)")
        }
    }

    @Test("One source registers its share of names and refreshes them; what it gives up is free for others of it")
    func share() throws {
        let bench = try Bench { $0.limits.registrationsPerSource = 2 }
        @AgentActor func status(_ name: String, _ sequence: UInt32, expires: String? = nil) throws -> Int {
            let request = try Self.register(name, ["<sip:10.1.0.7>"], sequence: sequence, expires: expires)
            return Self.status(bench.service.register(request, from: Self.source(), now: 1))
        }
        #expect(try status("one", 1) == 200)
        #expect(try status("two", 1) == 200)
        #expect(try status("three", 1) == 503)
        #expect(try status("one", 2) == 200)
        #expect(try status("one", 3, expires: "0") == 200)
        #expect(try status("three", 2) == 200)
        let other = try Self.register("four", ["<sip:10.1.0.8>"])
        #expect(Self.status(bench.service.register(other, from: Self.source(IPAddress(10, 1, 0, 8)), now: 1)) == 200)
    }

    @Test("A-05: outsiders register as themselves after 401; without users they get a slow 403, like everybody")
    func users() throws {
        let outside = IPAddress(192, 0, 2, 7)
        let closed = try Bench()
        let refused = closed.service.register(
            try Self.register("anna", []), from: Self.source(outside), now: Self.second)
        #expect(refused == .refuse(SIPRefusal(.forbidden), after: .seconds(2)))
        let bench = try Bench { $0.usersFile = "yes" }
        let request = try Self.register("anna", ["<sip:anna@192.0.2.7>"])
        #expect(Self.status(bench.service.register(request, from: Self.source(outside), now: 1)) == 401)
        #expect(try Self.authenticated(bench, request, outside) == 200)
        #expect(try Self.authenticated(bench, try Self.register("ben", ["<sip:ben@192.0.2.7>"]), outside) == 403)
        #expect(bench.service.reports(now: 2).map(\.contacts.first?.user) == ["anna"])
    }

    @Test("Only the registrar's domains are registered; an address of the node means the first")
    func domains() throws {
        let bench = try Bench { $0.registrar?.domains = ["studio.example", "gallery.example"] }
        let table = [("studio.example", 200), ("GALLERY.example", 200), ("10.1.0.1", 200), ("other.example", 404)]
        for (number, row) in table.enumerated() {
            let request = try Self.register("u\(number)", ["<sip:10.1.0.7>"], domain: row.0)
            #expect(Self.status(bench.service.register(request, from: Self.source(), now: 1)) == row.1, "\(row.0)")
        }
        #expect(
            bench.service.reports(now: 2).map(\.address)
                == ["sip:u0@studio.example", "sip:u1@gallery.example", "sip:u2@studio.example"])
        let long = try Self.register(String(repeating: "u", count: 100), ["<sip:10.1.0.7>"], domain: "studio.example")
        #expect(Self.status(bench.service.register(long, from: Self.source(), now: 1)) == 404)
    }

    @Test("A device on a connection is called on it, until it closes")
    func connections() throws {
        let bench = try Bench()
        _ = bench.service.register(
            try Self.register("one", ["<sip:one@10.1.0.7:33333;transport=tcp>"]),
            from: Self.source(transport: .tcp, connection: 9), now: 1)
        let uri = try SIPURI("sip:one@node")
        #expect(bench.service.stages(for: uri, now: 2).first?.first?.connection == 9)
        bench.service.connectionClosed(9)
        #expect(bench.service.stages(for: uri, now: 2).first?.first?.connection == nil)
    }

    @Test("Registrations survive a restart, but for connections; what has ended, or was removed, does not come back")
    func restart() throws {
        let bench = try Bench()
        let source = Self.source(transport: .tcp, connection: 9)
        _ = bench.service.register(
            try Self.register("one", ["<sip:one@10.1.0.7>;q=0.3"], expires: "100"), from: source, now: 1)
        _ = bench.service.register(
            try Self.register("two", ["<sip:two@10.1.0.7>"], expires: "60"), from: source, now: 1)
        _ = bench.service.register(try Self.register("six", ["<sip:six@10.1.0.7>"]), from: source, now: 1)
        _ = bench.service.register(try Self.register("six", ["*"], sequence: 2, expires: "0"), from: source, now: 1)
        let before = bench.service.reports(now: 70 * Self.second)
        try bench.restart(now: 70 * Self.second)
        #expect(bench.service.reports(now: 70 * Self.second) == before)
        #expect(before.map(\.address) == ["sip:one@crosspoint"])
        #expect(before.first?.contacts.first?.preference == 0.3)
        #expect(before.first?.contacts.first?.source == "TCP 10.1.0.7:5060")
        #expect(
            bench.service.stages(for: try SIPURI("sip:one@x"), now: 70 * Self.second).first?.first?.connection == nil)
        // A REGISTER that was overtaken is known as such after the restart, too.
        let old = try Self.register("one", ["<sip:one@10.1.0.7>"], sequence: 1)
        #expect(Self.status(bench.service.register(old, from: source, now: 71 * Self.second)) == 500)
        try bench.restart(now: 200 * Self.second)
        #expect(bench.service.reports(now: 200 * Self.second).isEmpty)
    }

    @Test("Limits of a reload hold for what comes then")
    func reload() throws {
        let bench = try Bench()
        var other = bench.configuration
        other.limits.registrations = 1
        other.registrar?.minimumExpiry = 600
        _ = bench.service.register(try Self.register("one", ["<sip:10.1.0.7>"]), from: Self.source(), now: 1)
        bench.service.reload(other)
        let second = try Self.register("two", ["<sip:10.1.0.7>"])
        #expect(Self.status(bench.service.register(second, from: Self.source(), now: 1)) == 503)
        let brief = try Self.register("one", ["<sip:10.1.0.7>"], sequence: 2, expires: "60")
        #expect(Self.status(bench.service.register(brief, from: Self.source(), now: 1)) == 423)
        #expect(bench.service.reports(now: 2).count == 1)
    }

    /// The status of a REGISTER from outside that answers its challenge as anna.
    private static func authenticated(_ bench: Bench, _ request: SIPRequest, _ address: IPAddress) throws -> Int {
        let source = source(address, 40_000)
        guard case .refuse(let refusal, _) = bench.service.register(request, from: source, now: 1) else { return 0 }
        var client = SIPAuthenticationClient(user: "anna", password: "secret")
        var generator = SystemRandomNumberGenerator()
        let via = Via(.udp, SIPHostPort(.address(address)), branch: "z9hG4bKx")
        let again = try #require(
            client.retry(request, after: refusal.response(to: request, tag: "t"), via: via, using: &generator))
        return status(bench.service.register(again, from: source, now: 1))
    }
}
