// The way that a request came, and that its response goes back.

public import RTPWire

/// One value of Via (RFC 3261 section 20.42).
public struct Via: Hashable, Sendable, CustomStringConvertible {
    public var transport: SIPTransport
    /// The place at which the sender wants the response.
    public var sentBy: SIPHostPort
    public var parameters: SIPParameters

    /// The beginning of every branch of RFC 3261 (section 8.1.1.7).
    public static let magicCookie = "z9hG4bK"

    public init(_ transport: SIPTransport, _ sentBy: SIPHostPort, parameters: SIPParameters = [:]) {
        self.transport = transport
        self.sentBy = sentBy
        self.parameters = parameters
    }

    /// A Via for a request of our own, which asks for `rport` (RFC 3581).
    public init(_ transport: SIPTransport, _ sentBy: SIPHostPort, branch: String) {
        self.init(transport, sentBy, parameters: ["branch": branch])
        if transport == .udp { parameters.setFlag("rport") }
    }

    /// Reads values that are separated by commas.
    static func list(_ text: String) throws(SIPSyntaxError) -> [Via] {
        var cursor = Cursor(text)
        var vias = [try Via(&cursor)]
        while cursor.take(",") { vias.append(try Via(&cursor)) }
        cursor.skipSpace()
        if !cursor.isAtEnd { throw SIPSyntaxError("'\(cursor.rest)' follows a value") }
        return vias
    }

    private init(_ cursor: inout Cursor) throws(SIPSyntaxError) {
        try self.init(start: &cursor)
        parameters = try SIPParameters(&cursor)
    }

    /// Reads protocol and sender only, whatever follows: enough to answer a message that is otherwise broken.
    init(salvagedFrom text: String) throws(SIPSyntaxError) {
        var cursor = Cursor(text)
        try self.init(start: &cursor)
    }

    private init(start cursor: inout Cursor) throws(SIPSyntaxError) {
        cursor.skipSpace()
        let name = try cursor.takeToken("the protocol")
        guard ASCII.isSame(name, "SIP"), cursor.take("/") else { throw SIPSyntaxError("the protocol is not SIP") }
        _ = try cursor.takeToken("the version")
        guard cursor.take("/") else { throw SIPSyntaxError("the transport is missing") }
        transport = SIPTransport(try cursor.takeToken("the transport"))
        sentBy = try SIPHostPort(cursor.take(while: { $0 != 0x3b && $0 != 0x2c }))
        parameters = [:]
    }

    public var description: String { "SIP/2.0/\(transport) \(sentBy)\(parameters)" }

    /// The identifier of the transaction; nil where it is missing or not of RFC 3261 (RFC 4475 section 3.2.1).
    public var branch: String? {
        guard let branch = parameters["branch"], branch.utf8.count > Self.magicCookie.utf8.count,
            branch.hasPrefix(Self.magicCookie)
        else { return nil }
        return branch
    }

    /// The address that the request came from, as its receiver has written; with or without brackets (RFC 5118 section 4.5).
    public var received: IPAddress? {
        parameters["received"].flatMap { text in
            IPAddress(text.hasPrefix("[") && text.hasSuffix("]") ? String(text.dropFirst().dropLast()) : text)
        }
    }

    /// The UDP port that the request came from, as its receiver has written (RFC 3581).
    public var rport: UInt16? { parameters["rport"].flatMap { ASCII.number($0) } }
}
