// From names to addresses.

import CrosspointShim
import Glibc
public import NIOCore

/// DNS, through the host's own resolver. Its static functions block, so that they run on a thread of their own: `run`.
public struct HostResolver: Sendable {
    private static let ownThreads = LookUpThreads(threads: 32, share: 32)
    private static let limit: Duration = .seconds(10)
    private let threads: LookUpThreads

    /// - Parameter threads: Where it blocks; nil for those that all resolvers share.
    public init(threads: LookUpThreads? = nil) { self.threads = threads ?? Self.ownThreads }

    /// Runs look-ups on a thread where they may block, and returns what came of them within ten seconds.
    public func run<Value: Sendable>(
        _ lookUp: @escaping @Sendable () throws(ResolverError) -> Value
    ) async throws(ResolverError) -> Value {
        try await threads.run(limit: Self.limit, lookUp)
    }

    /// The SRV records (RFC 2782) of a name such as `_rtsp._tcp.studio`, as they came; empty where there are none, nil where nobody
    /// answered: the addresses are asked for then, by which a host that /etc/hosts has is still found.
    public static func services(of name: String) -> [ServiceRecord]? { timedServices(of: name)?.records }

    /// The same, and for how many seconds they hold: the least of their times to live; nil where there are none.
    public static func timedServices(of name: String) -> (records: [ServiceRecord], timeToLive: UInt32?)? {
        var records = [crosspoint_service](repeating: crosspoint_service(), count: 32)
        let count = crosspoint_dns_services(name, &records, records.count)
        guard count >= 0 else { return nil }
        let found = records.prefix(Int(count))
        return (found.map { ServiceRecord($0) }, found.map(\.time_to_live).min())
    }

    /// The NAPTR records (RFC 3403) of a name without those that have a regular expression, and for how many seconds they hold; nil where
    /// nobody answered.
    public static func timedNamingAuthorities(
        of name: String
    ) -> (records: [NamingAuthority], timeToLive: UInt32?)? {
        var records = [crosspoint_naming_authority](repeating: crosspoint_naming_authority(), count: 32)
        let count = crosspoint_dns_naming_authorities(name, &records, records.count)
        guard count >= 0 else { return nil }
        let found = records.prefix(Int(count))
        return (found.compactMap { NamingAuthority($0) }, found.map(\.time_to_live).min())
    }

    /// The addresses of a name, by its A and AAAA records, in the order in which they are to be tried (RFC 6724).
    ///
    /// - Parameters:
    ///   - transportPort: The TCP or UDP port that the addresses get.
    ///   - isNumeric: Whether `name` is an address itself, perhaps with a zone, and nobody is asked.
    public static func addresses(
        of name: String, transportPort: UInt16, isNumeric: Bool = false
    ) throws(ResolverError) -> [SocketAddress] {
        var hints = addrinfo()
        hints.ai_socktype = CInt(SOCK_STREAM.rawValue)
        hints.ai_flags = AI_NUMERICSERV | (isNumeric ? AI_NUMERICHOST : 0)
        var list: UnsafeMutablePointer<addrinfo>?
        let code = getaddrinfo(name, String(transportPort), &hints, &list)
        defer { if let list { freeaddrinfo(list) } }
        guard code == 0 else {
            throw ResolverError("\(name): \(String(cString: gai_strerror(code))); check its name and this node's DNS")
        }
        var addresses: [SocketAddress] = []
        var entry = list
        while let info = entry?.pointee, addresses.count < 32 {
            if info.ai_family == AF_INET, let address = info.ai_addr {
                address.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
                    addresses.append(SocketAddress($0.pointee, host: ""))
                }
            } else if info.ai_family == AF_INET6, let address = info.ai_addr {
                address.withMemoryRebound(to: sockaddr_in6.self, capacity: 1) {
                    addresses.append(SocketAddress($0.pointee, host: ""))
                }
            }
            entry = info.ai_next
        }
        return addresses
    }
}
