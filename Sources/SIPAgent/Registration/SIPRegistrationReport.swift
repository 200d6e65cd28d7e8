// Report on registered devices for an operator.

/// One name, and the devices that are called by it: what `crosspoint sip registrations` prints and `GET /v1/sip/registrations` returns.
public struct SIPRegistrationReport: Hashable, Sendable, Codable {
    /// One device.
    public struct Contact: Hashable, Sendable, Codable {
        /// The URI that the device has registered.
        public var uri: String
        /// The source that it registered from: `UDP 10.1.0.7:5060`.
        public var source: String
        /// Preference, from 0 to 1 (`q`).
        public var preference: Double
        /// Seconds until the registration ends unless the device refreshes it.
        public var expiresIn: Int
        /// The user that has authenticated, or nil.
        public var user: String?
        /// The device's program, as it says in User-Agent.
        public var agent: String?

        public init(
            uri: String, source: String, preference: Double, expiresIn: Int, user: String? = nil, agent: String? = nil
        ) {
            self.uri = uri
            self.source = source
            self.preference = preference
            self.expiresIn = expiresIn
            self.user = user
            self.agent = agent
        }
    }

    /// The address that they are called by: `sip:studio1@studio.example`.
    public var address: String
    /// The devices, the preferred ones first.
    public var contacts: [Contact]

    public init(address: String, contacts: [Contact]) {
        self.address = address
        self.contacts = contacts
    }
}
