// A DNS that is a table.

import AgentSupport
import RTPWire
import Synchronization

@testable import SIPAgent

/// Answers from tables, and counts what it was asked.
final class TableNames: NameService, TimedNameService {
    let authorities: [String: [NamingAuthority]]
    let services: [String: [ServiceRecord]]
    let hosts: [String: [IPAddress]]
    /// Names for which nobody answers.
    let silent: Set<String>
    let timeToLive: UInt32?
    private let asked = Mutex<[String]>([])

    init(
        authorities: [String: [NamingAuthority]] = [:], services: [String: [ServiceRecord]] = [:],
        hosts: [String: [String]] = [:], silent: Set<String> = [], timeToLive: UInt32? = nil
    ) {
        self.authorities = authorities
        self.services = services
        self.hosts = hosts.mapValues { $0.compactMap { IPAddress($0) } }
        self.silent = silent
        self.timeToLive = timeToLive
    }

    /// What was asked for, in order.
    var questions: [String] { asked.withLock { $0 } }

    private func ask(_ name: String) throws(ResolutionError) {
        asked.withLock { $0.append(name) }
        if silent.contains(name) { throw ResolutionError(.unavailable, "\(name): silence") }
    }

    func namingAuthorities(of name: String) throws(ResolutionError) -> [NamingAuthority] {
        try ask("NAPTR \(name)")
        return authorities[name] ?? []
    }

    func services(of name: String) throws(ResolutionError) -> [ServiceRecord] {
        try ask("SRV \(name)")
        return services[name] ?? []
    }

    func addresses(of name: String) throws(ResolutionError) -> [IPAddress] {
        try ask("A \(name)")
        return hosts[name] ?? []
    }

    func namingAuthorities(of name: String) throws(ResolutionError) -> Timed<[NamingAuthority]> {
        let records: [NamingAuthority] = try namingAuthorities(of: name)
        return Timed(records, seconds: timeToLive)
    }

    func services(of name: String) throws(ResolutionError) -> Timed<[ServiceRecord]> {
        let records: [ServiceRecord] = try services(of: name)
        return Timed(records, seconds: timeToLive)
    }

    func addresses(of name: String) throws(ResolutionError) -> Timed<[IPAddress]> {
        let addresses: [IPAddress] = try addresses(of: name)
        return Timed(addresses, seconds: timeToLive)
    }
}
