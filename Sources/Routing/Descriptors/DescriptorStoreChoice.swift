// Choice of the descriptor store of a process.

/// Chooses where the daemon's sockets are kept.
public enum DescriptorStoreChoice {
    /// systemd's store if this process is a service that has one, else a holder process.
    ///
    /// systemd says so from version 254 on, with FDSTORE in the environment. For older ones, a unit with
    /// `FileDescriptorStoreMax=` says it itself: `Environment=CROSSPOINT_DESCRIPTOR_STORE=systemd`.
    ///
    /// - Parameters:
    ///   - environment: of this process.
    ///   - runtimeDirectory: where the holder's socket goes, `holder.socket`.
    ///   - executable: the path of this program, whose subcommand `hold` is the holder.
    public static func store(
        environment: [String: String], runtimeDirectory: String, executable: String
    ) -> any DescriptorStore {
        let isOffered =
            environment["FDSTORE"].flatMap { Int($0) }.map { $0 > 0 }
            ?? (environment["CROSSPOINT_DESCRIPTOR_STORE"] == "systemd")
        if isOffered, let store = SystemdDescriptorStore(environment: environment) { return store }
        return HolderDescriptorStore(socketPath: runtimeDirectory + "/holder.socket", executable: executable)
    }
}
