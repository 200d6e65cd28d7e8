// A SIP agent that does nothing but remember.

import SIPAgent
import Sessions

/// Stands for the agent behind the control API.
actor MockAgent: SessionControl, SIPControl {
    func whenListening() {}

    static let message = SIPLadderEntry(
        time: "2026-01-01T00:00:00.000Z", offset: 0, direction: .received, peer: "UDP 10.1.0.7:5060",
        firstLine: "INVITE sip:b@10.1.0.1 SIP/2.0", message: "INVITE sip:b@10.1.0.1 SIP/2.0\r\n\r\n")
    static let registration = SIPRegistrationReport(
        address: "sip:studio1@studio.example",
        contacts: [
            .init(
                uri: "sip:studio1@10.1.0.7", source: "UDP 10.1.0.7:5060", preference: 1, expiresIn: 60, agent: "codec")
        ])

    struct Refusal: Error, CustomStringConvertible {
        let description = "the users cannot be read"
    }

    private(set) var configurations: [SIPConfiguration] = []
    private let refuses: Bool

    init(refuses: Bool = false) { self.refuses = refuses }

    func sessions() -> [SessionReport] {
        [
            SessionReport(
                name: "sip-1", kind: .sipCall, state: "answered", target: "sip:b@10.1.0.1", peer: "10.1.0.7:5060",
                startedAt: "2026-01-01T00:00:00Z")
        ]
    }

    func session(_ name: String) -> SessionReport? { sessions().first { $0.name == name } }
    func close(session name: String) -> Bool { name == "sip-1" }
    func counters() -> [SessionCounter] { [] }
    func messages(ofCall name: String) -> [SIPLadderEntry]? { name == "sip-1" ? [Self.message] : nil }
    func registrations() -> [SIPRegistrationReport] { [Self.registration] }

    func reload(_ configuration: SIPConfiguration) throws {
        if refuses { throw Refusal() }
        configurations.append(configuration)
    }
}
