// Record of registered devices for a restarted daemon.

/// The bindings of one address-of-record. Times are nanoseconds of CLOCK_MONOTONIC, which continues while the host is
/// up, as the runtime directory does.
struct RegistrationRecord: Codable, Hashable, Sendable {
    struct Contact: Codable, Hashable, Sendable {
        var uri: String
        /// In thousandths.
        var preference: Int
        var end: UInt64
        var callID: String
        var sequence: UInt32
        var origin: RegistrationOrigin
    }

    var address: String
    var contacts: [Contact]
}
