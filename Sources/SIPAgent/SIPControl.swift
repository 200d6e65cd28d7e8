// What the control API asks of the SIP agent beyond its sessions.

/// Calls' messages, registered devices, and a changed configuration. `SIPAgent` implements it.
public protocol SIPControl: Sendable {
    /// The messages of a call that goes on or ended not long ago, in order; nil where there is none of that name.
    func messages(ofCall name: String) async -> [SIPLadderEntry]?
    /// What is registered, by name.
    func registrations() async -> [SIPRegistrationReport]
    /// Goes by another dial plan, other users, networks, policies and limits from now on, without touching calls. What only a start can
    /// change (listeners, certificate, realm, UDP ports) stays as it is.
    ///
    /// - Throws: what cannot be used, in one line; nothing has changed then.
    func reload(_ configuration: SIPConfiguration) async throws
}
