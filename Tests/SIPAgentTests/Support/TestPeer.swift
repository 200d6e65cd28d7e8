// A scripted user agent on loopback.

import AgentSupport
import NIOCore
import RTPWire
import SIPCore
import Testing

@testable import SIPAgent

/// Sends what a test tells it, and keeps what comes until the test asks for it.
@AgentActor final class TestPeer {
    struct Silence: Error, CustomStringConvertible {
        let description: String
    }

    private var socket: DatagramSocket?
    /// Over TCP.
    private(set) var connections: TestConnections?
    let transport: SIPTransport
    /// The address that it sends from.
    let address: IPAddress
    /// The UDP port, or TCP port, that it listens on.
    private(set) var udpPort: UInt16 = 0
    private var inbox: [SIPMessage] = []
    /// All that came, as first lines: `INVITE`, `200 INVITE`; `-` for line ends alone.
    private(set) var log: [String] = []
    /// Where it sends.
    var node: UInt16
    var nodeAddress = TestPeer.loopback
    /// Where the last datagram came from.
    private(set) var lastSource: IPAddress?
    /// Requests that came: what comes again is counted in `log`, but is none that a test waits for.
    private var known: Set<String> = []
    let name: String
    var callID: String
    let tag: String
    private var branches = 0
    /// What is to be dropped as if it were lost.
    var loses: @AgentActor (SIPMessage) -> Bool = { _ in false }

    static let loopback = IPAddress(127, 0, 0, 1)

    init(
        _ name: String, node: UInt16, over transport: SIPTransport = .udp, certificate: TestCertificate? = nil,
        address: IPAddress = TestPeer.loopback
    ) async throws {
        self.address = address
        self.name = name
        self.transport = transport
        self.node = node
        callID = "\(name)-\(UInt32.random(in: .min ... .max))"
        tag = "\(name)tag\(UInt16.random(in: .min ... .max))"
        guard transport == .udp else {
            let connections = try TestConnections(certificate) { [weak self] message in self?.received(message) }
            self.connections = connections
            try await connections.listen()
            udpPort = connections.tcpPort
            if node != 0 { try await connections.connect(to: node) }
            return
        }
        socket = try await DatagramSocket(
            address: address,
            receive: { [weak self] bytes, source in
                self?.lastSource = IPAddress(source)
                self?.received([UInt8](bytes.readableBytesView))
            })
        udpPort = socket?.udpPort ?? 0
    }

    private func received(_ bytes: [UInt8]) {
        guard bytes.contains(where: { $0 != 0x0d && $0 != 0x0a }) else { return log.append("-") }
        guard let message = try? SIPParser.parse(datagram: bytes) else { return log.append("?") }
        received(message)
    }

    private func received(_ message: SIPMessage) {
        if loses(message) { return }
        if case .request(let request) = message, request.method != .ack {
            let key = "\(request.method.name) \(request.vias.first?.branch ?? "")"
            if known.insert(key).inserted { inbox.append(message) }
        } else {
            inbox.append(message)
        }
        switch message {
        case .request(let request): log.append(request.method.name)
        case .response(let response): log.append("\(response.status.code) \(response.cseq.method.name)")
        }
    }

    // MARK: Receiving

    /// The next message that `take` takes, those before it included, which are dropped; fails after ten seconds.
    func next<Value>(_ what: String, _ take: (SIPMessage) -> Value?) async throws -> Value {
        for _ in 0..<2000 {
            while !inbox.isEmpty {
                if let value = take(inbox.removeFirst()) { return value }
            }
            try await Task.sleep(for: .milliseconds(5))
        }
        throw Silence(description: "\(name) waits for \(what) and got \(log)")
    }

    func request(_ method: SIPMethod) async throws -> SIPRequest {
        try await next(method.name) {
            if case .request(let request) = $0, request.method == method { request } else { nil }
        }
    }

    func response(_ code: UInt16, to method: SIPMethod = .invite) async throws -> SIPResponse {
        try await next("\(code) \(method.name)") {
            if case .response(let response) = $0, response.status.code == code, response.cseq.method == method {
                response
            } else {
                nil
            }
        }
    }

    /// The next final response to a method, whichever.
    func outcome(of method: SIPMethod) async throws -> SIPResponse {
        try await next("a final response to \(method.name)") {
            if case .response(let response) = $0, response.status.isFinal, response.cseq.method == method {
                response
            } else {
                nil
            }
        }
    }

    /// How many messages came of which `log` says so.
    func count(_ line: String) -> Int { log.filter { $0 == line }.count }

    // MARK: Sending

    func send(_ message: SIPMessage) { send(message.bytes) }

    func send(_ bytes: [UInt8]) {
        if let connections { return connections.send(bytes) }
        socket?.send(ByteBuffer(bytes: bytes), to: nodeAddress.socketAddress(node))
    }

    var place: SIPHostPort { claimedPlace ?? SIPHostPort(.address(address), udpPort) }

    /// Where it believes to be, behind a NAT.
    var claimedPlace: SIPHostPort?
    /// Whether it asks for responses where its requests come from (RFC 3581).
    var asksForPort = true

    func via() -> Via {
        branches += 1
        var via = Via(transport, place, branch: "z9hG4bK\(name)\(udpPort)n\(branches)")
        if !asksForPort { via.parameters["rport"] = nil }
        return via
    }

    /// What it says in Contact in place of where it is.
    var claimedContact: String?

    var contact: String {
        if let claimedContact { return claimedContact }
        return switch transport {
        case .udp: "<sip:\(name)@\(place)>"
        case .tls: "<sip:\(name)@\(place);transport=tls>"
        default: "<sip:\(name)@\(place);transport=tcp>"
        }
    }

    /// A request outside of a dialog.
    func initial(
        _ method: SIPMethod, _ uri: String, sequence: UInt32 = 1, headers: SIPHeaders = [:], body: [UInt8] = []
    ) throws -> SIPRequest {
        var fields: SIPHeaders = ["Max-Forwards": "70", "Contact": contact]
        for field in headers.fields { fields.append(field.name, field.value) }
        if !body.isEmpty { fields.append("Content-Type", "application/sdp") }
        var from = NameAddress(SIPURI(.sip, user: name, SIPHostPort(.name("studio.example"))))
        from.tag = tag
        return SIPRequest(
            method, try SIPURI(uri), vias: [via()], from: from, to: NameAddress(try SIPURI(uri)), callID: callID,
            sequence: sequence, headers: fields, body: body)
    }

    /// Answers a request.
    @discardableResult
    func respond(
        _ status: SIPStatus, to request: SIPRequest, tag: String? = nil, headers: SIPHeaders = [:], body: [UInt8] = []
    ) -> SIPResponse {
        var response = SIPResponse(status, to: request, tag: tag ?? self.tag, headers: headers, body: body)
        if request.method == .invite || request.method == .update, status.code < 300, status.code > 100 {
            response.headers["Contact"] = contact
        }
        if !body.isEmpty { response.headers["Content-Type"] = "application/sdp" }
        send(.response(response))
        return response
    }

    // MARK: Dialogs

    /// The dialog that a response makes of this peer's INVITE.
    func dialog(_ invite: SIPRequest, _ response: SIPResponse) throws -> TestDialog {
        TestDialog(peer: self, dialog: try #require(Dialog(sent: invite, received: response)))
    }

    /// The dialog that this peer's answer to an INVITE makes.
    func dialog(answering invite: SIPRequest, tag: String? = nil) throws -> TestDialog {
        TestDialog(
            peer: self, dialog: try #require(Dialog(received: invite, tag: tag ?? self.tag, state: .confirmed)))
    }
}

/// One side of a dialog with the node.
@AgentActor final class TestDialog {
    let peer: TestPeer
    var dialog: Dialog

    init(peer: TestPeer, dialog: Dialog) {
        self.peer = peer
        self.dialog = dialog
    }

    /// Sends a request within the dialog.
    @discardableResult
    func send(_ method: SIPMethod, headers: SIPHeaders = [:], body: [UInt8] = []) -> SIPRequest {
        var fields: SIPHeaders = ["Contact": peer.contact]
        for field in headers.fields { fields.append(field.name, field.value) }
        if !body.isEmpty, fields["Content-Type"] == nil { fields.append("Content-Type", "application/sdp") }
        let request = dialog.request(method, via: peer.via(), headers: fields, body: body)
        peer.send(.request(request))
        return request
    }

    /// Acknowledges a 2xx.
    func acknowledge(_ response: SIPResponse, body: [UInt8] = []) {
        let headers: SIPHeaders = body.isEmpty ? [:] : ["Content-Type": "application/sdp"]
        peer.send(
            .request(
                dialog.acknowledgement(of: response.cseq.sequence, via: peer.via(), headers: headers, body: body)))
    }
}
