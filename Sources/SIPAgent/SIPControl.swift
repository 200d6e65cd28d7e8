// Requests of the control API to the SIP agent beyond its sessions.

/// Calls' messages, registered devices, and a changed configuration. `SIPAgent` implements it.
public protocol SIPControl: Sendable {
    /// The messages of a call that is under way or ended not long ago, in order; nil if no call has that name.
    func messages(ofCall name: String) async -> [SIPLadderEntry]?
    /// The registered devices, by name.
    func registrations() async -> [SIPRegistrationReport]
    /// Goes by another dial plan, other users, networks, policies and limits from now on, without touching calls. What only a start can
    /// change (listeners, certificate, realm, UDP ports) stays as it is.
    ///
    /// - Throws: what cannot be used, in one line; nothing has changed then.
    func reload(_ configuration: SIPConfiguration) async throws
}
