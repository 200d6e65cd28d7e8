// The host's own resolver.

import AgentSupport
import RTPWire

/// DNS as /etc/resolv.conf says, and for addresses what /etc/nsswitch.conf says. Blocks for some seconds where nobody answers.
struct HostNameService: TimedNameService {
    func namingAuthorities(of name: String) throws(ResolutionError) -> Timed<[NamingAuthority]> {
        guard let found = HostResolver.timedNamingAuthorities(of: name) else { throw Self.silence(name, "NAPTR") }
        return Timed(found.records, seconds: found.timeToLive)
    }

    func services(of name: String) throws(ResolutionError) -> Timed<[ServiceRecord]> {
        guard let found = HostResolver.timedServices(of: name) else { throw Self.silence(name, "SRV") }
        return Timed(found.records, seconds: found.timeToLive)
    }

    /// The host's resolver gives no time for addresses.
    func addresses(of name: String) throws(ResolutionError) -> Timed<[IPAddress]> {
        do throws(ResolverError) {
            let addresses = try HostResolver.addresses(of: name, transportPort: 0)
            return Timed(addresses.compactMap { IPAddress($0) }, seconds: nil)
        } catch {
            throw ResolutionError(.unavailable, error.message)
        }
    }

    private static func silence(_ name: String, _ type: String) -> ResolutionError {
        ResolutionError(
            .unavailable, "\(name): no name server answers for its \(type) records; check this node's DNS")
    }
}
