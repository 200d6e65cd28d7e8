// Place at which a registered device is called.

import SIPCore

/// One contact of a device.
struct RegisteredContact: Hashable, Sendable {
    /// The Request-URI: what the device has registered.
    var uri: SIPURI
    /// The URI that the request is sent to: the contact, or the place that the device has registered from if it cannot
    /// be reached at its contact.
    var destination: SIPURI
    /// True if that is the place that the device has registered from.
    var isAway: Bool { destination != uri }
    /// The connection that the device has registered on, while it is open.
    var connection: UInt64?
    /// In thousandths.
    var preference: Int
}

/// The outcome of a REGISTER.
enum RegistrationOutcome: Hashable, Sendable {
    /// 200 with these fields.
    case accepted(SIPHeaders)
    /// It is refused so, after a pause.
    case refuse(SIPRefusal, after: Duration)
    /// It is not answered.
    case drop
}
