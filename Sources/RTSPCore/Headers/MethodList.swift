// Lists of methods: what somebody can do, or may do here.

/// The value of Public and Allow (RFC 2326 sections 12.28 and 12.4).
public struct MethodList: Hashable, Sendable, CustomStringConvertible {
    /// Methods beyond this number are not read.
    public static let maximumMethods = 64

    public var methods: [RTSPMethod]

    public init(_ methods: [RTSPMethod]) { self.methods = methods }

    /// Reads all fields of the name; nil where there is none. Cameras that write `DESCRIBE SETUP` or small letters are understood.
    public init?(_ headers: RTSPHeaders, _ name: String) {
        let values = headers.all(name)
        guard !values.isEmpty else { return nil }
        methods = values.joined(separator: ",").utf8.split { [UInt8(ascii: ","), 0x20, 0x09].contains($0) }
            .prefix(Self.maximumMethods).map { RTSPMethod(HeaderText.uppercased(Substring($0))) }
    }

    public func contains(_ method: RTSPMethod) -> Bool { methods.contains(method) }

    public var description: String { methods.map(\.name).joined(separator: ", ") }
}
