// Transport of the packets of a stream: the Transport header.

/// The list of a Transport header (RFC 2326 section 12.39): a client's alternatives in its order, or a server's choice.
public struct TransportHeader: Hashable, Sendable, CustomStringConvertible {
    /// Alternatives beyond this number are not read.
    public static let maximumSpecifications = 32

    public var specifications: [TransportSpecification]

    public init(_ specifications: [TransportSpecification]) { self.specifications = specifications }

    /// Reads one header value; alternatives that name no transport protocol are left out, and nil is returned where none is left.
    public init?(_ value: String) {
        specifications = HeaderText.split(value[...], at: UInt8(ascii: ",")).prefix(Self.maximumSpecifications)
            .compactMap { TransportSpecification($0) }
        if specifications.isEmpty { return nil }
    }

    /// Reads the fields of a message, which may have several; nil where there is none or none can be read.
    public init?(_ headers: RTSPHeaders) {
        let values = headers.all("Transport")
        guard !values.isEmpty else { return nil }
        self.init(values.joined(separator: ","))
    }

    public var description: String { specifications.map(\.description).joined(separator: ",") }
}
