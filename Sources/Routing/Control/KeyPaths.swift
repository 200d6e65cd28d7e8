// The directories of keys.

/// The places at which a node has its keys, and its record of their use.
public struct KeyPaths: Hashable, Sendable {
    /// The operator's keys (`keys-directory`): a file for each name, which only its owner may read.
    public var keys: String
    /// Keys of sessions, which end with the machine's run.
    public var sessionKeys: String
    /// The directory for state that must outlive the machine's run (`state-directory`): the packet indices that were
    /// used with keys that both ends know.
    public var state: String

    public static let defaultKeys = "/etc/crosspoint/keys"
    public static let defaultState = "/var/lib/crosspoint"

    public init(
        keys: String = KeyPaths.defaultKeys, sessionKeys: String = "/run/crosspoint/keys",
        state: String = KeyPaths.defaultState
    ) {
        self.keys = keys
        self.sessionKeys = sessionKeys
        self.state = state
    }
}
