// Completion of names that the shell cannot know: routes, sessions, keys, network interfaces, formats.

import ArgumentParser
import Glibc
import Node
import Routing
import Sessions

extension CompletionKind {
    /// The routes of the running daemon.
    static let routeName = names {
        try await $0.send(.get, "/v1/routes", as: [RouteReport].self).map(\.specification.name)
    }
    /// The RTSP routes of the running daemon.
    static let rtspRouteName = names { client in
        try await client.send(.get, "/v1/rtsp/routes", as: [Named].self).map(\.name)
    }
    /// The sessions of the running daemon.
    static let sessionName = names { try await $0.send(.get, "/v1/sessions", as: [SessionReport].self).map(\.name) }
    /// The formats of `crosspoint bench`.
    static let benchFormat = CompletionKind.list(BenchFormat.all.map(\.name))
    /// The network interfaces of this host.
    static let interfaceName = CompletionKind.custom { _, _, _ in HostInterfaces.names() }

    /// An object of the API, of which only the name matters here.
    private struct Named: Decodable { var name: String }

    /// Names from the daemon; none while it does not answer, since a completion has no place for an error.
    private static func names(
        _ load: @escaping @Sendable (ControlClient) async throws -> [String]
    ) -> CompletionKind {
        .custom { words, _, _ in
            (try? await load(ControlClient(socket: ControlOptions.path(in: words)))) ?? []
        }
    }
}

/// The network interfaces of this host.
enum HostInterfaces {
    /// The names, in the order of their numbers, without the loopback interface.
    static func names() -> [String] {
        guard let list = if_nameindex() else { return [] }
        defer { if_freenameindex(list) }
        var names: [String] = []
        var entry = list
        while entry.pointee.if_index != 0, let name = entry.pointee.if_name {
            names.append(String(cString: name))
            entry += 1
        }
        return names.filter { $0 != "lo" }
    }
}
