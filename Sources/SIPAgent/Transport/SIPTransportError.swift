// Reasons for which SIP cannot be spoken somewhere.

/// The thing, the value and the remedy in one line.
struct SIPTransportError: Error, Hashable, Sendable, CustomStringConvertible {
    let message: String
    init(_ message: String) { self.message = message }
    var description: String { message }
}
