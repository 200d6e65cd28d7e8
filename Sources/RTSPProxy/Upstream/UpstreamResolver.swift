// From an upstream's URL to the addresses to connect to.

import CrosspointShim
import Glibc
import NIOCore
import NIOPosix
import RTPWire
import RTSPCore

/// DNS, through the host's own resolver; blocks, so that it runs on a thread of its own.
struct UpstreamResolver {
    /// One address with its TCP port.
    struct Candidate: Hashable {
        var address: SocketAddress
        /// What was looked up, for messages and for TLS: the URL's host.
        var name: String
    }

    let threadPool: NIOThreadPool

    /// All addresses to try for the URL, in order: those of its SRV records (`_rtsp._tcp`, RFC 2782) where the host is a name, the URL
    /// names no TCP port and there are any, else those of its A and AAAA records.
    func candidates(for url: RTSPURL) async throws(MediaSourceError) -> [Candidate] {
        do {
            return try await threadPool.runIfActive { try Self.lookUp(url) }
        } catch let error as MediaSourceError {
            throw error
        } catch {
            throw MediaSourceError(.serviceUnavailable, "\(url.authority): the resolver does not run: \(error)")
        }
    }

    /// The addresses of a host: of a `source=` that is a name.
    func addresses(of name: String) async -> [SocketAddress] {
        (try? await threadPool.runIfActive { try Self.lookUp(name, tcpPort: 0) }) ?? []
    }

    private static func lookUp(_ url: RTSPURL) throws(MediaSourceError) -> [Candidate] {
        switch url.host {
        case .address(let address, let zone):
            let text = address.description + (zone.map { "%\($0)" } ?? "")
            return try lookUp(text, tcpPort: url.effectiveTCPPort, flags: AI_NUMERICHOST)
                .map { Candidate(address: $0, name: text) }
        case .name(let name):
            guard url.tcpPort == nil, let records = services(of: name, scheme: url.scheme), !records.isEmpty else {
                return try lookUp(name, tcpPort: url.effectiveTCPPort).map { Candidate(address: $0, name: name) }
            }
            var candidates: [Candidate] = []
            var failure = MediaSourceError(.serviceUnavailable, "\(name): its SRV records say that it has no RTSP")
            var generator = SystemRandomNumberGenerator()
            for record in ServiceRecord.arranged(records, using: &generator) where !record.target.isEmpty {
                do {
                    candidates += try lookUp(record.target, tcpPort: record.tcpPort)
                        .map { Candidate(address: $0, name: name) }
                } catch {
                    failure = error
                }
            }
            if candidates.isEmpty { throw failure }
            return candidates
        }
    }

    /// Nil where nobody answers: the addresses are asked for then, by which a host that /etc/hosts has is still found.
    private static func services(of name: String, scheme: RTSPURL.Scheme) -> [ServiceRecord]? {
        var records = [crosspoint_service](repeating: crosspoint_service(), count: 32)
        let count = crosspoint_dns_services("_\(scheme.rawValue)._tcp.\(name)", &records, records.count)
        return count < 0 ? nil : records.prefix(Int(count)).map { ServiceRecord($0) }
    }

    private static func lookUp(
        _ name: String, tcpPort: UInt16, flags: CInt = 0
    ) throws(MediaSourceError) -> [SocketAddress] {
        var hints = addrinfo()
        hints.ai_socktype = CInt(SOCK_STREAM.rawValue)
        hints.ai_flags = flags | AI_NUMERICSERV
        var list: UnsafeMutablePointer<addrinfo>?
        let code = getaddrinfo(name, String(tcpPort), &hints, &list)
        defer { if let list { freeaddrinfo(list) } }
        guard code == 0 else {
            throw MediaSourceError(
                .serviceUnavailable,
                "\(name): \(String(cString: gai_strerror(code))); check its name and this node's DNS")
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
