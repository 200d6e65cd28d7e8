// Queries of the DNS by the search for a next hop.

import AgentSupport
import RTPWire

/// Names and what they stand for. Calls may block.
protocol NameService: Sendable {
    /// NAPTR records (RFC 3403); empty where there are none.
    func namingAuthorities(of name: String) throws(ResolutionError) -> [NamingAuthority]
    /// SRV records (RFC 2782); empty where there are none.
    func services(of name: String) throws(ResolutionError) -> [ServiceRecord]
    /// Addresses of a host, the preferred ones first; empty where there are none.
    func addresses(of name: String) throws(ResolutionError) -> [IPAddress]
}
