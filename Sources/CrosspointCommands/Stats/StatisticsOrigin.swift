// The one place that decides where `stats` reads from: the pinned maps, or a daemon.

import FastPath
import Glibc
import Node

/// Opens the source of statistics.
enum StatisticsOrigin {
    /// The daemon that knows the sessions of what the options lead to: none if a directory is named alone.
    static func sessions(directory: String?, _ control: ControlOptions) -> DaemonSessions {
        DaemonSessions(client: named(directory) == nil || !control.isDefault ? control.client : nil)
    }

    /// The directory that the option or the environment names.
    private static func named(_ directory: String?) -> String? {
        directory ?? getenv("CROSSPOINT_BPFFS").map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 }
    }

    /// The source that the options lead to.
    ///
    /// A directory that is named is read, a daemon that is named is asked. Else the default directory is read, which needs no daemon,
    /// and if that is not possible, as for members of the socket's group, the daemon is asked.
    static func open(directory: String?, _ control: ControlOptions) async throws -> any StatisticsSource {
        if let directory = named(directory) { return try PinnedReader(directory: directory) }
        let daemon = DaemonStatistics(client: control.client)
        guard control.isDefault else {
            // The daemon leaves word beside its socket where its fast path is pinned.
            let link = FastPathLink(besideSocket: control.path)
            if let directory = link.target, let reader = try? PinnedReader(directory: directory) { return reader }
            return daemon
        }
        do { return try PinnedReader(directory: NodeConfiguration.defaultBPFFS) } catch {
            guard access(control.path, F_OK) == 0 else { throw error }
            return daemon
        }
    }
}
