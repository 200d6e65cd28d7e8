// Looks next hops up without holding anything else up.

import AgentSupport
import NIOPosix
import RTPWire
import SIPCore

/// The places that requests for a URI are sent to, by RFC 3263. What blocks runs on threads of its own, and what was looked up before or
/// is an address needs none. Places that have just failed come last (section 4.3).
@AgentActor
final class SIPResolver {
    /// Seconds for which a place that failed is tried last.
    static let avoidance: Duration = .seconds(30)
    private static let maximumFailures = 1024
    private static let maximumRunning = 256

    private let upstream: any TimedNameService
    private let cache: NameCache
    private let threadPool: NIOThreadPool
    private let transports: [SIPTransport]
    private let families: Set<IPAddress.Family>
    private let clock: @Sendable () -> Duration
    private var failures: [SIPDestination: Duration] = [:]
    /// Lookups under way: calls to the same place at the same time ask once.
    private var running: [SIPURI: Task<[SIPDestination], any Error>] = [:]

    /// - Parameters:
    ///   - transports: What this node speaks, the preferred transport first.
    ///   - families: What this node can send to.
    ///   - clock: A clock that does not go back.
    init(
        transports: [SIPTransport] = [.udp, .tcp, .tls], families: Set<IPAddress.Family> = [.ipv4, .ipv6],
        upstream: any TimedNameService = HostNameService(), threadPool: NIOThreadPool,
        clock: @escaping @Sendable () -> Duration
    ) {
        self.transports = transports
        self.families = families
        self.upstream = upstream
        self.threadPool = threadPool
        self.clock = clock
        cache = NameCache(clock: clock)
    }

    /// The place of a URI that nothing has to be looked up for; nil where something has, or where nothing can be found.
    func immediate(_ uri: SIPURI) -> SIPDestination? {
        guard case .address? = uri.place?.host else { return nil }
        return try? Self.search(cache.known, transports, families, uri).first
    }

    /// The places to try for `uri`, one after the other, the first first; never empty.
    func destinations(for uri: SIPURI) async throws(ResolutionError) -> [SIPDestination] {
        // What does not change the search does not make another one.
        var uri = uri
        (uri.user, uri.password, uri.headers) = (nil, nil, nil)
        do throws(ResolutionError) {
            return arranged(try Self.search(cache.known, transports, families, uri))
        } catch {
            guard error.reason == .notCached else { throw error }
        }
        guard running[uri] != nil || running.count < Self.maximumRunning else {
            throw ResolutionError(.unavailable, "\(uri): too many names are being looked up; try again")
        }
        let task = running[uri] ?? start(uri)
        do { return arranged(try await task.value) } catch {
            throw error as? ResolutionError
                ?? ResolutionError(.unavailable, "\(uri): the resolver does not run: \(error)")
        }
    }

    /// A request to `destination` was not answered, or was answered 503: others come before it for a while.
    func failed(_ destination: SIPDestination) {
        let now = clock()
        if failures.count >= Self.maximumFailures { failures = failures.filter { $0.value > now } }
        guard failures.count < Self.maximumFailures else { return }
        failures[destination] = now + Self.avoidance
    }

    private func start(_ uri: SIPURI) -> Task<[SIPDestination], any Error> {
        let (upstream, cache, threadPool, transports, families) = (upstream, cache, threadPool, transports, families)
        let task = Task {
            defer { running[uri] = nil }
            return try await threadPool.runIfActive {
                try Self.search(cache, upstream, transports, families, uri)
            }
        }
        running[uri] = task
        return task
    }

    private nonisolated static func search(
        _ cache: NameCache, _ upstream: some TimedNameService, _ transports: [SIPTransport],
        _ families: Set<IPAddress.Family>, _ uri: SIPURI
    ) throws(ResolutionError) -> [SIPDestination] {
        try search(cache.names(from: upstream), transports, families, uri)
    }

    private nonisolated static func search(
        _ names: some NameService, _ transports: [SIPTransport], _ families: Set<IPAddress.Family>, _ uri: SIPURI
    ) throws(ResolutionError) -> [SIPDestination] {
        var generator = SystemRandomNumberGenerator()
        return try NextHopSearch(names: names, transports: transports, families: families)
            .destinations(for: uri, using: &generator)
    }

    private func arranged(_ destinations: [SIPDestination]) -> [SIPDestination] {
        guard !failures.isEmpty, destinations.count > 1 else { return destinations }
        let now = clock()
        let isAvoided = { (destination: SIPDestination) in self.failures[destination].map { $0 > now } ?? false }
        return destinations.filter { !isAvoided($0) } + destinations.filter(isAvoided)
    }
}
