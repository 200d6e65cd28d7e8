// The names of everything that can keep a packet from being forwarded.

import CrosspointShim

/// A reason that the fast path counts (`bpf/drop_reasons.h`).
public struct DropReason: Hashable, Sendable {
    /// The reason's number in the fast path's arrays.
    public let number: UInt32

    /// The outcome for the packet or copy.
    public enum Outcome: Hashable, Sendable {
        /// Handed to the host's own stack.
        case passed
        /// Dropped at ingress.
        case dropped
        /// One copy was not sent.
        case undelivered
    }

    /// The name, `drop_wrong_source`: as statistics and documentation have it.
    public var name: String { String(cString: crosspoint_reason_name(number)) }

    public var outcome: Outcome { Self.outcome(of: name) }

    /// The outcome for the packet or copy, as the reason's name says.
    static func outcome(of name: String) -> Outcome {
        name.hasPrefix("pass_") ? .passed : name.hasPrefix("drop_") ? .dropped : .undelivered
    }

    /// All reasons, by number.
    public static let all: [DropReason] = (0..<crosspoint_reason_count()).map(DropReason.init(number:))
}
