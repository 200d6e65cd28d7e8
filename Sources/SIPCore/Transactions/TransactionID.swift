// The name of a transaction within its layer.

/// Identifies a transaction of a `TransactionLayer`; numbers are never used twice.
public struct TransactionID: Hashable, Sendable {
    let number: UInt64
}
