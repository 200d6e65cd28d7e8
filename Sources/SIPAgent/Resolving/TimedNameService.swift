// Answers with the time for which they hold.

import AgentSupport
import RTPWire

/// A name service that says how long its answers hold.
protocol TimedNameService: Sendable {
    func namingAuthorities(of name: String) throws(ResolutionError) -> Timed<[NamingAuthority]>
    func services(of name: String) throws(ResolutionError) -> Timed<[ServiceRecord]>
    func addresses(of name: String) throws(ResolutionError) -> Timed<[IPAddress]>
}

/// An answer, and for how long it holds.
struct Timed<Value: Sendable>: Sendable {
    var value: Value
    /// The smallest time to live of its records; nil where nothing says.
    var seconds: UInt32?

    init(_ value: Value, seconds: UInt32?) {
        self.value = value
        self.seconds = seconds
    }
}
