// The host's own resolver.

import AgentSupport
import CrosspointShim
import Glibc
import RTPWire

/// DNS as /etc/resolv.conf says, and for addresses what /etc/nsswitch.conf says. Blocks for some seconds where nobody answers.
struct HostNameService: TimedNameService {
    private static let maximumRecords = 64

    func namingAuthorities(of name: String) throws(ResolutionError) -> Timed<[NamingAuthority]> {
        var records = [crosspoint_naming_authority](repeating: .init(), count: Self.maximumRecords)
        let count = crosspoint_dns_naming_authorities(name, &records, records.count)
        guard count >= 0 else { throw Self.silence(name, "NAPTR") }
        let found = records.prefix(Int(count))
        return Timed(found.compactMap { NamingAuthority($0) }, seconds: found.map(\.ttl).min())
    }

    func services(of name: String) throws(ResolutionError) -> Timed<[ServiceRecord]> {
        var records = [crosspoint_service](repeating: .init(), count: Self.maximumRecords)
        let count = crosspoint_dns_services(name, &records, records.count)
        guard count >= 0 else { throw Self.silence(name, "SRV") }
        let found = records.prefix(Int(count))
        return Timed(found.map { ServiceRecord($0) }, seconds: found.map(\.ttl).min())
    }

    /// The host's resolver tells no time for addresses.
    func addresses(of name: String) throws(ResolutionError) -> Timed<[IPAddress]> {
        var hints = addrinfo()
        // One entry for each address.
        hints.ai_socktype = CInt(SOCK_DGRAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        let code = getaddrinfo(name, nil, &hints, &list)
        defer { if let list { freeaddrinfo(list) } }
        if code == EAI_NONAME || code == EAI_NODATA { return Timed([], seconds: nil) }
        guard code == 0 else {
            throw ResolutionError(
                .unavailable, "\(name): \(String(cString: gai_strerror(code))); check its name and this node's DNS")
        }
        var addresses: [IPAddress] = []
        var entry = list
        while let info = entry?.pointee, addresses.count < Self.maximumRecords {
            if let address = info.ai_addr.flatMap({ IPAddress(socketAddress: $0) }) { addresses.append(address) }
            entry = info.ai_next
        }
        return Timed(addresses, seconds: nil)
    }

    private static func silence(_ name: String, _ type: String) -> ResolutionError {
        ResolutionError(
            .unavailable, "\(name): no name server answers for its \(type) records; check this node's DNS")
    }
}

extension IPAddress {
    /// The address in a socket address; nil for other families.
    fileprivate init?(socketAddress: UnsafeMutablePointer<sockaddr>) {
        switch CInt(socketAddress.pointee.sa_family) {
        case AF_INET:
            let bytes = socketAddress.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
                withUnsafeBytes(of: $0.pointee.sin_addr) { Array($0) }
            }
            self.init(bytes: bytes)
        case AF_INET6:
            let bytes = socketAddress.withMemoryRebound(to: sockaddr_in6.self, capacity: 1) {
                withUnsafeBytes(of: $0.pointee.sin6_addr) { Array($0) }
            }
            self.init(bytes: bytes)
        default: return nil
        }
    }
}
