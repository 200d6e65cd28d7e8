// Observers that see messages as they pass.

import AgentSupport

/// The ladder of a call.
@AgentActor
protocol MessageObserver: AnyObject {
    func sent(_ bytes: [UInt8], to peer: String)
    func received(_ bytes: [UInt8], from peer: String)
}
