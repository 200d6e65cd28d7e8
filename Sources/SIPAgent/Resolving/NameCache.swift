// Names that were looked up before.

import AgentSupport
import RTPWire
import Synchronization

/// The answers of a name service, kept as long as they hold, within bounds. Failures are kept, too, for a short time: a
/// name server that is silent must not hold up every call.
final class NameCache: Sendable {
    /// Seconds that answers are kept: at least, so that a time to live of 0 does not ask for every call; at most; and where nothing says.
    static let (minimum, maximum, unknown): (UInt32, UInt32, UInt32) = (5, 3600, 30)
    /// Seconds that failures are kept.
    static let failure: UInt32 = 5

    private struct Key: Hashable {
        enum Kind { case authorities, services, addresses }
        var kind: Kind
        /// In lower case.
        var name: String
    }

    private enum Answer {
        case authorities([NamingAuthority])
        case services([ServiceRecord])
        case addresses([IPAddress])
        case failure(ResolutionError)
    }

    private struct Entry {
        var answer: Answer
        var end: Duration
    }

    private let entries = Mutex<[Key: Entry]>([:])
    private let capacity: Int
    private let clock: @Sendable () -> Duration

    /// - Parameters:
    ///   - capacity: Answers that are kept at most.
    ///   - clock: A clock that does not go back.
    init(capacity: Int = 4096, clock: @escaping @Sendable () -> Duration) {
        self.capacity = capacity
        self.clock = clock
    }

    /// The names in the cache; other names throw `.notCached`.
    var known: KnownNames { KnownNames(cache: self) }

    /// The names in the cache, and the answers of `upstream` for other names.
    func names<Upstream: TimedNameService>(from upstream: Upstream) -> CachedNames<Upstream> {
        CachedNames(cache: self, upstream: upstream)
    }

    /// The number of answers that are kept.
    var count: Int { entries.withLock { $0.count } }

    private func answer(_ key: Key) -> Answer? {
        let now = clock()
        return entries.withLock { entries in
            guard let entry = entries[key], entry.end > now else { return nil }
            return entry.answer
        }
    }

    private func keep(_ answer: Answer, _ key: Key, seconds: UInt32) {
        let now = clock()
        entries.withLock { entries in
            if entries[key] == nil, entries.count >= capacity {
                entries = entries.filter { $0.value.end > now }
                // Full of answers that hold: whichever goes is asked for again.
                if entries.count >= capacity, let victim = entries.keys.first { entries[victim] = nil }
            }
            entries[key] = Entry(answer: answer, end: now + .seconds(seconds))
        }
    }

    /// The cache alone.
    struct KnownNames: NameService {
        fileprivate let cache: NameCache

        func namingAuthorities(of name: String) throws(ResolutionError) -> [NamingAuthority] {
            try cache.authorities(name) { _ throws(ResolutionError) in throw Self.missing(name) }
        }

        func services(of name: String) throws(ResolutionError) -> [ServiceRecord] {
            try cache.services(name) { _ throws(ResolutionError) in throw Self.missing(name) }
        }

        func addresses(of name: String) throws(ResolutionError) -> [IPAddress] {
            try cache.addresses(name) { _ throws(ResolutionError) in throw Self.missing(name) }
        }

        private static func missing(_ name: String) -> ResolutionError {
            ResolutionError(.notCached, "\(name): not looked up yet")
        }
    }

    /// The cache before a name service.
    struct CachedNames<Upstream: TimedNameService>: NameService {
        fileprivate let cache: NameCache
        fileprivate let upstream: Upstream

        func namingAuthorities(of name: String) throws(ResolutionError) -> [NamingAuthority] {
            try cache.authorities(name, upstream.namingAuthorities)
        }

        func services(of name: String) throws(ResolutionError) -> [ServiceRecord] {
            try cache.services(name, upstream.services)
        }

        func addresses(of name: String) throws(ResolutionError) -> [IPAddress] {
            try cache.addresses(name, upstream.addresses)
        }
    }

    private typealias Look<Value: Sendable> = (String) throws(ResolutionError) -> Timed<Value>

    private func authorities(
        _ name: String, _ look: Look<[NamingAuthority]>
    ) throws(ResolutionError) -> [NamingAuthority] {
        let key = Key(kind: .authorities, name: name.lowercased())
        switch answer(key) {
        case .authorities(let records): return records
        case .failure(let error): throw error
        default: return try fetch(key, name, look) { .authorities($0) }
        }
    }

    private func services(_ name: String, _ look: Look<[ServiceRecord]>) throws(ResolutionError) -> [ServiceRecord] {
        let key = Key(kind: .services, name: name.lowercased())
        switch answer(key) {
        case .services(let records): return records
        case .failure(let error): throw error
        default: return try fetch(key, name, look) { .services($0) }
        }
    }

    private func addresses(_ name: String, _ look: Look<[IPAddress]>) throws(ResolutionError) -> [IPAddress] {
        let key = Key(kind: .addresses, name: name.lowercased())
        switch answer(key) {
        case .addresses(let addresses): return addresses
        case .failure(let error): throw error
        default: return try fetch(key, name, look) { .addresses($0) }
        }
    }

    private func fetch<Value: Sendable>(
        _ key: Key, _ name: String, _ look: Look<Value>, _ answer: (Value) -> Answer
    ) throws(ResolutionError) -> Value {
        do throws(ResolutionError) {
            let timed = try look(name)
            let seconds = timed.seconds.map { min(max($0, Self.minimum), Self.maximum) } ?? Self.unknown
            keep(answer(timed.value), key, seconds: seconds)
            return timed.value
        } catch {
            if error.reason != .notCached { keep(.failure(error), key, seconds: Self.failure) }
            throw error
        }
    }
}
