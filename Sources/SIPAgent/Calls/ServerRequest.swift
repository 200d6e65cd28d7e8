// A request of a peer that is to be answered.

import SIPCore

/// A request within or for a call, with its transaction.
struct ServerRequest: Sendable {
    let id: TransactionID
    let request: SIPRequest
    let source: SIPSource
}
