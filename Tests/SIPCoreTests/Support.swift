// What the tests of SIPCore share.

import RTPWire
import Testing

@testable import SIPCore

extension SIPParser {
    /// The message in `bytes`, where there must be one.
    static func message(_ bytes: [UInt8]) throws -> SIPMessage { try #require(try parse(datagram: bytes)) }

    static func request(_ bytes: [UInt8]) throws -> SIPRequest {
        guard case .request(let request) = try message(bytes) else { throw TestFailure("a response") }
        return request
    }

    static func response(_ bytes: [UInt8]) throws -> SIPResponse {
        guard case .response(let response) = try message(bytes) else { throw TestFailure("a request") }
        return response
    }

    /// A request as text with LF line ends, whose mandatory fields stand for themselves unless given.
    static func request(_ text: String) throws -> SIPRequest { try request(wire(text)) }
    static func response(_ text: String) throws -> SIPResponse { try response(wire(text)) }

    static func wire(_ text: String) -> [UInt8] {
        Array(text.split(separator: "\n", omittingEmptySubsequences: false).joined(separator: "\r\n").utf8)
    }

    /// The error that `bytes` give.
    static func failure(_ bytes: [UInt8]) throws -> SIPParseError {
        try #require(throws: SIPParseError.self) { _ = try parse(datagram: bytes) }
    }
}

struct TestFailure: Error {
    let text: String
    init(_ text: String) { self.text = text }
}

extension SIPRequest {
    /// A request of Alice to Bob.
    static func sample(
        _ method: SIPMethod = .invite, uri: String = "sip:bob@biloxi.example.com", branch: String = "z9hG4bK776asdhds",
        transport: SIPTransport = .udp, sentBy: String = "pc33.atlanta.example.com", fromTag: String = "1928301774",
        toTag: String? = nil, callID: String = "a84b4c76e66710", sequence: UInt32 = 314159, headers: SIPHeaders = [:]
    ) throws -> SIPRequest {
        var to = try NameAddress("Bob <sip:bob@biloxi.example.com>")
        to.tag = toTag
        return SIPRequest(
            method, try SIPURI(uri),
            vias: [Via(transport, try SIPHostPort(sentBy), parameters: ["branch": branch])],
            from: try NameAddress("Alice <sip:alice@atlanta.example.com>;tag=\(fromTag)"), to: to, callID: callID,
            sequence: sequence, headers: headers)
    }
}
