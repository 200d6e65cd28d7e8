// What a restarted daemon must know of a call.

import RTPWire
import SIPCore

/// An answered call, as the journal holds it.
struct CallRecord: Sendable, Codable {
    /// One of its dialogs.
    struct Side: Sendable, Codable {
        var dialog: Dialog
        /// What the node calls itself towards the peer.
        var contact: String?
        /// Where the peer's messages came from, to judge its media by.
        var peer: String?
        var peerPort: UInt16?
        var isSecure: Bool
        var timer: SessionTimer?
        var minimumInterval: UInt32?
        /// The methods that the peer allows; nil where it has not said so.
        var allowed: [String]?
        /// The credentials of this node towards the peer.
        var credentialsUser: String?
        var passwordFile: String?
    }

    var name: String
    var target: String
    var user: String?
    var callerAddress: String
    var startedAt: UInt64
    var caller: Side
    var callee: Side
    var media: CallMediaRecord
}
