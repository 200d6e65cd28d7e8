// A name service that is not asked for ever.

import AgentSupport
import RTPWire

/// Asks no more when its time is over: one search has several questions, each of which may block for some seconds.
struct HastyNames: TimedNameService {
    let upstream: any TimedNameService
    let end: ContinuousClock.Instant

    func namingAuthorities(of name: String) throws(ResolutionError) -> Timed<[NamingAuthority]> {
        try check(name)
        return try upstream.namingAuthorities(of: name)
    }

    func services(of name: String) throws(ResolutionError) -> Timed<[ServiceRecord]> {
        try check(name)
        return try upstream.services(of: name)
    }

    func addresses(of name: String) throws(ResolutionError) -> Timed<[IPAddress]> {
        try check(name)
        return try upstream.addresses(of: name)
    }

    private func check(_ name: String) throws(ResolutionError) {
        guard ContinuousClock.now < end else {
            throw ResolutionError(.unavailable, "\(name): no name server answers in time; check this node's DNS")
        }
    }
}
