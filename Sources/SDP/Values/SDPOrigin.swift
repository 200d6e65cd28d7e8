// Author of a session description, and its version.

/// The origin, `o=` (RFC 8866 section 5.2).
public struct SDPOrigin: Hashable, Sendable {
    /// The user's name; `-` where there is none.
    public var username: String
    /// The session's identifier. Text, since senders write more than numbers here.
    public var sessionIdentifier: String
    /// The version, which grows with every change.
    public var sessionVersion: String
    /// `IN`
    public var networkType: String
    /// `IP4` or `IP6`
    public var addressType: String
    /// The host that made the description; empty if it is missing.
    public var address: String

    public init(
        username: String = "-", sessionIdentifier: String, sessionVersion: String, networkType: String = "IN",
        addressType: String, address: String
    ) {
        self.username = username
        self.sessionIdentifier = sessionIdentifier
        self.sessionVersion = sessionVersion
        self.networkType = networkType
        self.addressType = addressType
        self.address = address
    }

    /// Reads the value of an `o=` line. What is missing at its end is empty; a user name with spaces, which is not allowed, is
    /// recognised by the network type that follows.
    init?(_ value: String) {
        let fields = value.fields
        guard !fields.isEmpty else { return nil }
        let network = fields.dropFirst(3).lastIndex { $0.equalsIgnoringCase("IN") } ?? min(3, fields.count)
        func field(_ index: Int) -> String { fields.indices.contains(index) ? fields[index] : "" }
        username = fields[..<max(network - 2, 1)].joined(separator: " ")
        sessionIdentifier = field(max(network - 2, 1))
        sessionVersion = field(max(network - 1, 2))
        networkType = field(network)
        addressType = field(network + 1)
        address = field(network + 2)
    }

    /// Adds one to the version, as a changed description needs (RFC 3264 section 8). One that is not a number becomes 1.
    public mutating func incrementVersion() {
        sessionVersion = UInt64(sessionVersion).map { String($0 &+ 1) } ?? "1"
    }

    /// The value of the line.
    var text: String {
        [username, sessionIdentifier, sessionVersion, networkType, addressType, address].joined(separator: " ")
    }
}
