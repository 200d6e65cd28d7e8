// The section `sip` of the configuration file.

import AgentSupport
import Authentication
import Foundation
import Node
import RTPWire
import Routing
import SIPAgent
import SIPCore
import Testing

@Suite("Configuration file: sip")
struct SIPConfigurationTests {
    static let complete = #"""
        node: studio-a
        sip:
          listen: [5060, "10.1.0.1:5070/udp", "[2001:db8::1]:5070/tcp"]
          tls-listen: [5061]
          certificate: {chain: /etc/crosspoint/chain.pem, private-key: /etc/crosspoint/key.pem}
          ca-file: /etc/crosspoint/ca.pem
          names: [SIP.studio.example]
          realm: studio
          algorithms: [sha-256, MD5]
          users-file: /etc/crosspoint/users
          allow: [10.1.0.0/16, "2001:db8::/32"]
          media-networks: [10.0.0.0/8]
          udp-ports: 40000-40999
          source: learn
          registrar: {domains: [studio.example], allow: [10.1.0.0/16], max-expires: 600, min-expires: 90, max-contacts: 3}
          session-timer: {interval: 900, minimum: 120}
          no-media-timeout: 30
          limits: {calls: 100, calls-per-source: 10, requests-per-second: 5, burst: 20, registrations: 50, registrations-per-source: 6, connections: 60, connections-per-source: 7}
          dial-plan:
            - {name: desk, user: desk, host: Studio.example, to: registered, callers: [anna, ben], ring-time: 20, srtp: off}
            - name: studios
              user: {regex: 'studio(\d+)'}
              from: [10.1.0.0/16]
              to: [sip:10.2.0.5, {uri: 'sips:provider.example', user: node, password-file: /etc/crosspoint/provider}]
              forking: parallel
              rewrite: {user: '9$1', host: gallery.example}
            - {name: out, user: {prefix: '00'}, to: 'sip:10.2.0.9;transport=tcp', callers: any-user}

        """#

    private func failure(_ text: String) -> ConfigurationError? {
        do { _ = try ConfigurationFile.parse(text, file: "x.yaml") } catch { return error }
        return nil
    }

    private func sip(_ text: String) throws -> SIPConfiguration {
        try #require(try ConfigurationFile.parse(text, file: "x.yaml").sip)
    }

    @Test("Every key is read")
    func completeSection() throws {
        let sip = try sip(Self.complete)
        #expect(
            sip.listeners.map(\.text) == [
                "5060/udp", "5060/tcp", "10.1.0.1:5070/udp", "[2001:db8::1]:5070/tcp", "5061/tls",
            ])
        #expect(
            sip.certificate == Certificate(chain: "/etc/crosspoint/chain.pem", privateKey: "/etc/crosspoint/key.pem"))
        #expect(sip.authorities == "/etc/crosspoint/ca.pem")
        #expect(sip.names == ["sip.studio.example"])
        #expect(sip.realm == "studio")
        #expect(sip.algorithms == [.sha256, .md5])
        #expect(sip.usersFile == "/etc/crosspoint/users")
        #expect(sip.allowedNetworks.map(\.description) == ["10.1.0.0/16", "2001:db8::/32"])
        #expect(sip.mediaNetworks.map(\.description) == ["10.0.0.0/8"])
        #expect(sip.udpPorts == 40_000...40_999)
        #expect(sip.sourcePolicy == .learn)
        #expect(
            sip.registrar
                == RegistrarConfiguration(
                    domains: ["studio.example"], allowedNetworks: [try #require(IPNetwork("10.1.0.0/16"))],
                    maximumExpiry: 600, minimumExpiry: 90, maximumContacts: 3))
        #expect(sip.sessionTimer?.interval == 900)
        #expect(sip.sessionTimer?.minimum == 120)
        #expect(sip.noMediaTimeout == 30)
        #expect(
            sip.limits
                == SIPLimitsConfiguration(
                    calls: 100, callsPerSource: 10, requestsPerSecond: 5, burst: 20, registrations: 50,
                    registrationsPerSource: 6, connections: 60, connectionsPerSource: 7))
        #expect(sip.dialPlan.map(\.name) == ["desk", "studios", "out"])
        #expect(sip.dialPlan[0].host == .exact("studio.example"))
        #expect(sip.dialPlan[0].permission == .users(["anna", "ben"]))
        #expect(sip.dialPlan[0].targets == [.registered])
        #expect(sip.dialPlan[0].ringTime == 20)
        #expect(sip.dialPlan[0].protection == .off && sip.dialPlan[1].protection == .relay)
        #expect(sip.dialPlan[1].user == .expression(#"studio(\d+)"#))
        #expect(sip.dialPlan[1].forking == .parallel)
        #expect(sip.dialPlan[1].rewriteUser == "9$1")
        #expect(sip.dialPlan[1].rewriteHost == "gallery.example")
        guard case .nextHop(let hop) = sip.dialPlan[1].targets[1] else { throw CancellationError() }
        #expect(hop.credentials == .init(user: "node", passwordFile: "/etc/crosspoint/provider"))
        #expect(sip.dialPlan[2].user == .prefix("00"))
        #expect(sip.dialPlan[2].permission == .anyUser)
    }

    @Test("An empty section has the defaults; a registrar without a dial plan calls its devices")
    func defaults() throws {
        #expect(try sip("sip: {}\n") == SIPConfiguration())
        #expect(try ConfigurationFile.parse("node: a\n", file: "x.yaml").sip == nil)
        #expect(try sip("sip: {session-timer: off, no-media-timeout: off}\n").sessionTimer == nil)
        #expect(try sip("sip: {session-timer: off, no-media-timeout: off}\n").noMediaTimeout == nil)
        #expect(try sip("sip: {allow: [10.0.0.0/8]}\n").noMediaTimeout == 300)
        #expect(try sip("sip: {registrar: {allow: [10.1.0.0/16]}}\n").dialPlan == [.registered])
        #expect(try sip("sip: {registrar: {allow: [10.1.0.0/16]}, dial-plan: []}\n").dialPlan.isEmpty)
    }

    @Test("What is written reads as what was read, and holds no password")
    func roundTrip() throws {
        for text in [
            Self.complete, "node: a\nsip: {}\n",
            "node: a\nsip: {session-timer: off, registrar: {allow: [10.1.0.0/16]}}\n",
        ] {
            let configuration = try ConfigurationFile.parse(text, file: "x.yaml")
            let written = ConfigurationWriter.text(of: configuration)
            #expect(try ConfigurationFile.parse(written, file: "y.yaml") == configuration, "\(written)")
        }
        #expect(
            ConfigurationWriter.text(of: try ConfigurationFile.parse("node: a\nsip: {}\n", file: "x.yaml")).hasSuffix(
                "sip: {}\n"))
    }

    @Test("The API has every key of the file")
    func json() throws {
        let configuration = try ConfigurationFile.parse(Self.complete, file: "x.yaml")
        let object = try #require(
            try JSONSerialization.jsonObject(with: try JSONEncoder().encode(configuration)) as? [String: Any])
        let sip = try #require(object["sip"] as? [String: Any])
        #expect(
            Set(sip.keys) == [
                "listen", "tls-listen", "certificate", "ca-file", "names", "realm", "algorithms", "users-file",
                "allow", "media-networks", "udp-ports", "source", "registrar", "session-timer", "no-media-timeout",
                "limits",
                "dial-plan",
            ])
        #expect(sip["listen"] as? [String] == ["5060", "10.1.0.1:5070/udp", "[2001:db8::1]:5070/tcp"])
        #expect((sip["dial-plan"] as? [[String: Any]])?[1]["forking"] as? String == "parallel")
    }

    @Test("An error names its line and its key")
    func errors() {
        let table: [(text: String, line: Int, key: String)] = [
            ("sip: {lisen: [5060]}", 1, "sip.lisen"),
            ("sip:\n  listen: [0]", 2, "sip.listen[1]"),
            ("sip:\n  listen: [5060/sctp]", 2, "sip.listen[1]"),
            ("sip:\n  listen: [5060, 5060/udp]", 2, "sip.listen[2]"),
            ("sip:\n  listen: []", 2, "sip.listen"),
            ("sip:\n  tls-listen: [5061]", 2, "sip.tls-listen"),
            ("sip:\n  names: [a b]", 2, "sip.names[1]"),
            ("sip:\n  algorithms: [sha256]", 2, "sip.algorithms[1]"),
            ("sip:\n  algorithms: [md5, MD5]", 2, "sip.algorithms[2]"),
            ("sip:\n  algorithms: []", 2, "sip.algorithms"),
            ("sip:\n  allow: [10.1.0.1/16]", 2, "sip.allow[1]"),
            ("sip:\n  media-networks: [239.0.0.0/8]", 2, "sip.media-networks"),
            ("sip:\n  dial-plan:\n    - {name: a, to: 'sip:10.2.0.5', srtp: maybe}", 3, "sip.dial-plan[1].srtp"),
            ("sip:\n  dial-plan:\n    - {name: a, to: 'sip:10.2.0.5', srtp: required}", 3, "sip.dial-plan[1].srtp"),
            ("sip:\n  udp-ports: 5-3", 2, "sip.udp-ports"),
            ("sip:\n  source: loose", 2, "sip.source"),
            ("sip:\n  registrar: {}", 2, "sip.registrar"),
            ("sip:\n  registrar:\n    allow: [10.1.0.0/16]\n    min-expires: 4000", 4, "sip.registrar.min-expires"),
            ("sip:\n  session-timer: {interval: 60}", 2, "sip.session-timer.interval"),
            ("sip:\n  session-timer: {interval: 100, minimum: 200}", 2, "sip.session-timer.interval"),
            ("sip:\n  no-media-timeout: 1", 2, "sip.no-media-timeout"),
            ("sip:\n  limits: {call: 5}", 2, "sip.limits.call"),
            ("sip:\n  dial-plan:\n    - {to: registered}", 3, "sip.dial-plan[1]"),
            ("sip:\n  dial-plan:\n    - {name: a}", 3, "sip.dial-plan[1]"),
            ("sip:\n  dial-plan:\n    - {name: a, to: registered}", 3, "sip.dial-plan[1].to"),
            ("sip:\n  dial-plan:\n    - {name: a, to: 10.2.0.5}", 3, "sip.dial-plan[1].to"),
            (
                "sip:\n  dial-plan:\n    - name: a\n      user: {regex: '('}\n      to: sip:h", 4,
                "sip.dial-plan[1].user.regex"
            ),
            (
                "sip:\n  dial-plan:\n    - name: a\n      to: sip:h\n      rewrite: {user: $1}", 5,
                "sip.dial-plan[1].rewrite"
            ),
            (
                "sip:\n  dial-plan:\n    - name: a\n      to: sip:h\n      callers: any-user", 5,
                "sip.dial-plan[1].callers"
            ),
            ("sip:\n  dial-plan:\n    - {name: a, to: {uri: sip:h, user: x}}", 3, "sip.dial-plan[1].to"),
            (
                "sip:\n  dial-plan:\n    - {name: a, user: x, to: sip:h}\n    - {name: a, to: sip:h}", 4,
                "sip.dial-plan[2]"
            ),
            (
                "sip:\n  dial-plan:\n    - {name: a, to: sip:h}\n    - {name: b, user: x, to: sip:h}", 4,
                "sip.dial-plan[2]"
            ),
            ("rtsp: {udp-ports: 30000-30999}\nsip:\n  realm: x", 2, "sip"),
        ]
        for row in table {
            let error = failure(row.text + "\n")
            #expect(error?.line == row.line, "\(row.text): \(error?.description ?? "no error")")
            #expect(error?.key == row.key, "\(row.text): \(error?.description ?? "no error")")
        }
    }
}
