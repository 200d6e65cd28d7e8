// Record of a call for a restarted daemon.

import AgentSupport
import RTPWire
import SIPCore

/// An answered call, as the journal holds it.
struct CallRecord: Sendable, Codable {
    /// One of its dialogs.
    struct Side: Sendable, Codable {
        var dialog: Dialog
        /// The Contact by which the node names itself towards the peer.
        var contact: String?
        /// The place that the peer's messages came from, and the place at which they arrived.
        var transport: String?
        var peer: String?
        var peerPort: UInt16?
        var local: String?
        var localPort: UInt16?
        /// The place at which the peer takes requests; nil: where it has said.
        var reach: PeerReach?
        var isSecure: Bool
        var timer: SessionTimer?
        var minimumInterval: UInt32?
        /// The methods that the peer allows; nil where it has not said so.
        var allowed: [String]?
        /// The credentials of this node towards the peer.
        var credentialsUser: String?
        var passwordFile: String?
        /// True if the operator has named the peer; nil: no.
        var isConfigured: Bool?

        @AgentActor init?(_ side: CallSide) {
            guard let dialog = side.dialog else { return nil }
            self.dialog = dialog
            contact = side.contact?.description
            transport = side.source?.transport.description
            peer = side.source?.address.description
            peerPort = side.source?.transportPort
            local = side.source?.localAddress.description
            localPort = side.source?.localPort
            reach = side.reach == .named ? nil : side.reach
            isSecure = side.isSecure
            timer = side.timer
            minimumInterval = side.minimumInterval
            allowed = side.allowed?.map(\.name).sorted()
            credentialsUser = side.credentials?.user
            passwordFile = side.credentials?.passwordFile
            isConfigured = side.isConfigured ? true : nil
        }

        /// Connections end with the daemon; what came on one is reached by another.
        var source: SIPSource? {
            guard let transport, let address = peer.flatMap({ IPAddress($0) }), let peerPort, let localPort,
                let localAddress = local.flatMap({ IPAddress($0) })
            else { return nil }
            return SIPSource(
                transport: SIPTransport(transport), address: address, transportPort: peerPort,
                localAddress: localAddress, localPort: localPort)
        }
    }

    var name: String
    var target: String
    var user: String?
    var callerAddress: String
    var startedAt: UInt64
    var caller: Side
    var callee: Side
    var media: CallMediaRecord
    /// The INVITEs that were sent to destinations that were slower, and have given no final response.
    var branches: [UnansweredCallRecord.Invite]?
}
