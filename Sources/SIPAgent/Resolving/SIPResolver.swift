// Looks next hops up without holding anything else up.

import AgentSupport
import RTPWire
import SIPCore

/// The places that requests for a URI are sent to, by RFC 3263. What blocks runs on threads of its own, and what was looked up before or
/// is an address needs none. Names that peers name are looked up on other threads than those of the dial plan, a few at once for each
/// source, and none is waited for longer than five seconds. Places that have just failed come last (section 4.3).
@AgentActor
final class SIPResolver {
    /// The threads on which look-ups block.
    struct Threads: Sendable {
        /// Of the dial plan.
        var configured = LookUpThreads(threads: 16, share: 16)
        /// Of everything that a peer has named.
        var named = LookUpThreads(threads: 16, share: 2)
        var limit: Duration = .seconds(5)
    }

    /// Seconds for which a place that failed is tried last.
    static let avoidance: Duration = .seconds(30)
    private static let maximumFailures = 1024

    private let upstream: any TimedNameService
    private let cache: NameCache
    private let threads: Threads
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
        upstream: any TimedNameService = HostNameService(), threads: Threads = Threads(),
        clock: @escaping @Sendable () -> Duration
    ) {
        self.transports = transports
        self.families = families
        self.upstream = upstream
        self.threads = threads
        self.clock = clock
        cache = NameCache(clock: clock)
    }

    /// The place of a URI that nothing has to be looked up for; nil where something has, or where nothing can be found.
    func immediate(_ uri: SIPURI) -> SIPDestination? {
        guard case .address? = uri.place?.host else { return nil }
        return try? Self.search(cache.known, transports, families, uri).first
    }

    /// The places to try for `uri`, one after the other, the first first; never empty.
    ///
    /// - Parameter peer: Who has named the URI; nil where the operator has.
    func destinations(for uri: SIPURI, namedBy peer: IPAddress? = nil) async throws(ResolutionError) -> [SIPDestination]
    {
        // A difference that does not change the search does not make another one.
        var uri = uri
        (uri.user, uri.password, uri.headers) = (nil, nil, nil)
        do throws(ResolutionError) {
            return arranged(try Self.search(cache.known, transports, families, uri))
        } catch {
            guard error.reason == .notCached else { throw error }
        }
        let task = running[uri] ?? start(uri, peer)
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

    private func start(_ uri: SIPURI, _ peer: IPAddress?) -> Task<[SIPDestination], any Error> {
        let (cache, transports, families, limit) = (cache, transports, families, threads.limit)
        let pool = peer == nil ? threads.configured : threads.named
        let asker = peer.map { SourceKey($0).description }
        let names = HastyNames(upstream: upstream, end: .now + limit)
        let task = Task {
            defer { running[uri] = nil }
            let result: Result<[SIPDestination], ResolutionError>
            do throws(ResolverError) {
                result = try await pool.run(for: asker, limit: limit) { () throws(ResolverError) in
                    Result { () throws(ResolutionError) in
                        try Self.search(cache, names, transports, families, uri)
                    }
                }
            } catch {
                result = .failure(ResolutionError(.unavailable, "\(uri): \(error.message)"))
            }
            return try result.get()
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
