// The sections `rtsp` and `host-port` of the configuration file.

import AgentSupport
import Foundation
import Node
import RTPWire
import RTSPProxy
import Routing
import Testing

private let fingerprint = [String](repeating: "AB", count: 32).joined(separator: ":")

@Suite("Configuration file: rtsp and host-port")
struct RTSPConfigurationTests {
    static let complete = #"""
        node: studio-a
        host-port: {ipv4: 100.64.0.0/29, ipv6: "fd00:1::/64"}
        rtsp:
          listen: [8554, "10.1.0.1:554", "[2001:db8::1]:554"]
          tls-listen: [322]
          certificate: {chain: /etc/crosspoint/chain.pem, private-key: /etc/crosspoint/key.pem}
          ca-file: /etc/crosspoint/ca.pem
          users-file: /etc/crosspoint/users
          realm: studio
          udp-ports: 30000-30999
          multicast: {groups: 239.20.0.0/24, interface: eth1.100, udp-port: 6000, ttl: 32}
          session-timeout: 30
          linger: 0
          max-connections: 100
          max-connections-per-address: 10
          max-sessions: 200
          max-sessions-per-address: 20
          max-players-per-address: 4
          max-paths: 50
          max-paths-per-route: 30
          max-paths-per-address: 5
          max-requests-per-second: 90
          trusted-networks: [10.4.0.2/32, "2001:db8:4::/64"]
          routes:
            - name: cam1
              path: /studio1/cam1
              upstream: rtsp://viewer:s3cret@10.1.0.7:8554/main?x=1
              transport: tcp
              read: [alice, bob]
              allow: [10.2.0.0/16, "2001:db8::/32", 10.9.9.9]
              destinations: [10.3.0.0/24]
              on-demand: false
            - {name: gallery, regex: '/gallery/(\d+)', upstream: 'rtsps://10.1.0.$1/main', read: any-user}
            - {name: pinned, path: /pinned, upstream: 'rtsps://10.1.0.8/main', fingerprint: 'ababababABABABABababababababababababababababababababababababABAB'}
            - {name: b, prefix: /b/, upstream: 'rtsp://node-b.example.com'}
            - {name: pgm, path: /pgm, publish: true, publish-users: [encoder]}

        """#

    private func failure(_ text: String, checksFiles: Bool = false) -> ConfigurationError? {
        do { _ = try ConfigurationFile.parse(text, file: "x.yaml", checksFiles: checksFiles) } catch { return error }
        return nil
    }

    private func rtsp(_ text: String) throws -> RTSPConfiguration {
        try #require(try ConfigurationFile.parse(text, file: "x.yaml").rtsp)
    }

    @Test("Every key is read")
    func completeSection() throws {
        let configuration = try ConfigurationFile.parse(Self.complete, file: "x.yaml")
        #expect(configuration.hostPort.ipv4.description == "100.64.0.0/29")
        #expect(configuration.hostPort.ipv6.description == "fd00:1::/64")
        #expect(
            configuration.rtsp
                == RTSPConfiguration(
                    listeners: [
                        .init(tcpPort: 8554), .init(address: IPAddress(10, 1, 0, 1), tcpPort: 554),
                        .init(address: IPAddress("2001:db8::1"), tcpPort: 554), .init(tcpPort: 322, usesTLS: true),
                    ],
                    certificate: .init(chain: "/etc/crosspoint/chain.pem", privateKey: "/etc/crosspoint/key.pem"),
                    authorities: "/etc/crosspoint/ca.pem",
                    routes: [
                        RTSPRoute(
                            name: "cam1", match: .path("/studio1/cam1"),
                            source: .upstream("rtsp://viewer:s3cret@10.1.0.7:8554/main?x=1"), transport: .interleaved,
                            read: .users(["alice", "bob"]),
                            allowedNetworks: ["10.2.0.0/16", "2001:db8::/32", "10.9.9.9/32"],
                            allowedDestinations: ["10.3.0.0/24"], isOnDemand: false),
                        RTSPRoute(
                            name: "gallery", match: .expression(#"/gallery/(\d+)"#),
                            source: .upstream("rtsps://10.1.0.$1/main"), read: .anyUser),
                        RTSPRoute(
                            name: "pinned", match: .path("/pinned"), source: .upstream("rtsps://10.1.0.8/main"),
                            fingerprint: fingerprint),
                        RTSPRoute(name: "b", match: .prefix("/b"), source: .upstream("rtsp://node-b.example.com")),
                        RTSPRoute(
                            name: "pgm", match: .path("/pgm"), source: .publisher, publish: .users(["encoder"])),
                    ],
                    usersFile: "/etc/crosspoint/users", realm: "studio", udpPorts: 30_000...30_999,
                    multicast: MulticastPool(
                        first: IPAddress(239, 20, 0, 0), count: 256,
                        port: PortReference(interface: "eth1", vlans: [100]), udpPort: 6000,
                        timeToLive: 32),
                    sessionTimeout: 30, linger: 0, maximumConnections: 100, maximumConnectionsPerAddress: 10,
                    maximumSessions: 200, maximumSessionsPerAddress: 20, maximumPlayersPerAddress: 4, maximumPaths: 50,
                    maximumPathsPerRoute: 30, maximumPathsPerAddress: 5, maximumRequestsPerSecond: 90,
                    trustedNetworks: [IPNetwork("10.4.0.2/32"), IPNetwork("2001:db8:4::/64")].compactMap { $0 }))
    }

    @Test("Without the section there is no proxy; an empty one has the defaults")
    func defaults() throws {
        #expect(try ConfigurationFile.parse("node: a\n", file: "x").rtsp == nil)
        #expect(try rtsp("rtsp: {}\n") == RTSPConfiguration())
        #expect(try ConfigurationFile.parse("node: a\n", file: "x").hostPort.ipv4.description == "100.127.255.0/30")
        #expect(try ConfigurationFile.parse("node: a\n", file: "x").hostPort.ipv6.description == "fd43:7270:6873::/126")
    }

    @Test("TLS is on 322 where there is a certificate, unless tls-listen says otherwise")
    func listeners() throws {
        let certificate = "rtsp:\n  certificate: {chain: /c, private-key: /k}\n"
        #expect(try rtsp(certificate).listeners.map(\.tcpPort) == [554, 8554, 322])
        #expect(try rtsp(certificate).listeners.map(\.usesTLS) == [false, false, true])
        #expect(try rtsp(certificate + "  listen: []\n").listeners == [.init(tcpPort: 322, usesTLS: true)])
        #expect(try rtsp(certificate + "  tls-listen: []\n").listeners == RTSPConfiguration().listeners)
    }

    @Test(
        "An error names its line, its key, and the remedy",
        arguments: [
            ("rtsp:\n  lissen: [554]\n", 2, "rtsp.lissen", "did you mean 'listen'?"),
            ("rtsp:\n", 1, "rtsp", "has no value"),
            ("rtsp:\n  listen: 554\n", 2, "rtsp.listen", "must be a list"),
            ("rtsp:\n  listen:\n  - 554\n  - 70000\n", 4, "rtsp.listen[2]", "write 554"),
            ("rtsp:\n  listen: ['studio:554']\n", 2, "rtsp.listen[1]", "write 554"),
            ("rtsp:\n  listen: [0]\n", 2, "rtsp.listen[1]", "write 554"),
            ("rtsp:\n  listen:\n  - 554\n  - 10.1.0.1:554\n", 4, "rtsp.listen[2]", "'554' of line 3"),
            ("rtsp:\n  listen: []\n", 2, "rtsp.listen", "nobody can connect"),
            ("rtsp:\n  tls-listen: [322]\n", 2, "rtsp.tls-listen", "needs a certificate"),
            (
                "rtsp:\n  certificate: {chain: /c, private-key: /k}\n  tls-listen:\n  - 554\n", 4,
                "rtsp.tls-listen[1]", "keep one"
            ),
            ("rtsp:\n  certificate: {chain: /c}\n", 2, "rtsp.certificate", "has no 'private-key'"),
            ("rtsp:\n  ca-file: ca.pem\n", 2, "rtsp.ca-file", "absolute path"),
            ("rtsp:\n  realm: 'a\"b'\n", 2, "rtsp.realm", "cannot be a realm"),
            ("rtsp:\n  udp-ports: 20000\n", 2, "rtsp.udp-ports", "write 20000-29999"),
            ("rtsp:\n  udp-ports: 200-300\n", 2, "rtsp.udp-ports", "above 1023"),
            ("rtsp:\n  udp-ports: 30000-20000\n", 2, "rtsp.udp-ports", "no range"),
            ("rtsp:\n  multicast: {groups: 239.20.0.0/24}\n", 2, "rtsp.multicast", "has no 'interface'"),
            (
                "rtsp:\n  multicast:\n    groups: 10.0.0.0/24\n    interface: eth1\n", 3, "rtsp.multicast.groups",
                "no multicast groups"
            ),
            (
                "rtsp:\n  multicast:\n    groups: 239.0.0.0/8\n    interface: eth1\n", 3, "rtsp.multicast.groups",
                "longer prefix"
            ),
            (
                "rtsp:\n  multicast:\n    groups: 224.0.0.0/24\n    interface: eth1\n", 3, "rtsp.multicast.groups",
                "never leaves its link"
            ),
            (
                "rtsp:\n  multicast:\n    groups: 239.20.0.1/24\n    interface: eth1\n", 3, "rtsp.multicast.groups",
                "write 239.20.0.0/24"
            ),
            (
                "rtsp:\n  multicast:\n    groups: 239.20.0.0/24\n    interface: eth1\n    udp-port: 5005\n", 5,
                "rtsp.multicast.udp-port", "is odd"
            ),
            (
                "rtsp:\n  multicast:\n    groups: 239.20.0.0/24\n    interface: eth1\n    ttl: 0\n", 5,
                "rtsp.multicast.ttl", "from 1 to 255"
            ),
            ("rtsp:\n  session-timeout: 1\n", 2, "rtsp.session-timeout", "from 5 to"),
            ("rtsp:\n  max-sessions: many\n", 2, "rtsp.max-sessions", "is not a number"),
            ("rtsp:\n  max-players-per-address: 513\n", 2, "rtsp.max-players-per-address", "from 1 to 512"),
            ("rtsp:\n  trusted-networks:\n  - 10.0.0.1/8\n", 3, "rtsp.trusted-networks[1]", "10.0.0.0/8"),
            ("host-port: {ipv4: 100.64.0.0/31}\n", 1, "host-port.ipv4", "room for two hosts"),
            ("host-port: {ipv4: 0.0.0.0/0}\n", 1, "host-port.ipv4", "room for two hosts"),
            ("host-port: {ipv4: 'fd00::/64'}\n", 1, "host-port.ipv4", "is no IPv4 network"),
            ("host-port: {ipv6: 'fd00::1/64'}\n", 1, "host-port.ipv6", "is no IPv6 network"),
        ] as [(String, Int, String, String)])
    func errors(text: String, line: Int, key: String, words: String) throws {
        try check(try #require(failure(text), "accepted"), line, key, words)
    }

    @Test(
        "An error in a route names its line, its key, and the remedy, and not the password",
        arguments: [
            ("- name: a\n  path: /a\n", 3, "routes[1]", "exactly one of upstream and publish"),
            ("- path: /a\n  publish: true\n", 3, "routes[1]", "has no 'name'"),
            ("- name: a\n  publish: true\n", 3, "routes[1]", "exactly one of path, prefix and regex"),
            ("- name: a\n  path: /a\n  prefix: /a\n  upstream: rtsp://h\n", 3, "routes[1]", "more than one"),
            ("- name: a\n  path: /a\n  upstream: rtsp://h\n  publish: true\n", 3, "routes[1]", "exactly one"),
            ("- name: a b\n  path: /a\n  upstream: rtsp://h\n", 3, "routes[1].name", "route name"),
            ("- name: a\n  path: a\n  upstream: rtsp://h\n", 4, "routes[1].path", "does not begin with '/'"),
            ("- name: a\n  path: /a/\n  upstream: rtsp://h\n", 4, "routes[1].path", "ends with '/'"),
            ("- name: a\n  path: /a/../b\n  upstream: rtsp://h\n", 4, "routes[1].path", "dot segments"),
            ("- name: a\n  path: /a?b\n  upstream: rtsp://h\n", 4, "routes[1].path", "query"),
            ("- name: a\n  regex: '/a('\n  upstream: rtsp://h\n", 4, "routes[1].regex", "no regular expression"),
            ("- name: a\n  path: /a\n  upstream: http://u:s3cret@h\n", 5, "routes[1].upstream", "is no RTSP URL"),
            ("- name: a\n  path: /a\n  upstream: rtsp://u:s3cret@\n", 5, "routes[1].upstream", "names no host"),
            ("- name: a\n  path: /a\n  upstream: rtsp://u:s3cret/@h\n", 5, "routes[1].upstream", "names no host"),
            ("- name: a\n  path: /a\n  upstream: rtsp://u:s3cret@h:0\n", 5, "routes[1].upstream", "names no host"),
            ("- name: a\n  path: /a\n  upstream: rtsp://u:***@h\n", 5, "routes[1].upstream", "the mask"),
            ("- name: a\n  path: /a\n  upstream: 'rtsp://u:s3cret@h/a b'\n", 5, "routes[1].upstream", "has spaces"),
            ("- name: a\n  path: /a\n  upstream: rtsp://h\n  transport: sctp\n", 6, "routes[1].transport", "auto, udp"),
            (
                "- name: a\n  path: /a\n  publish: true\n  publish-users: anyone\n  transport: udp\n", 7,
                "routes[1].transport", "goes with an upstream only"
            ),
            (
                "- name: a\n  path: /a\n  upstream: rtsp://h\n  publish-users: anyone\n", 6, "routes[1].publish-users",
                "goes with publish: true only"
            ),
            (
                "- name: a\n  path: /a\n  upstream: rtsp://h\n  read: bob\n", 6, "routes[1].read",
                "a list of users, [bob]"
            ),
            ("- name: a\n  path: /a\n  upstream: rtsp://h\n  read: [b, b]\n", 6, "routes[1].read[2]", "stands twice"),
            ("- name: a\n  path: /a\n  upstream: rtsp://h\n  read: []\n", 6, "routes[1].read", "names nobody"),
            ("- name: a\n  path: /a\n  upstream: rtsp://h\n  read: ['b:c']\n", 6, "routes[1].read", "user's name"),
            ("- name: a\n  path: /a\n  upstream: rtsp://h\n  read: [bob]\n", 6, "routes[1].read", "rtsp.users-file"),
            ("- name: a\n  path: /a\n  publish: true\n", 3, "routes[1]", "publish-users: anyone"),
            (
                "- name: a\n  path: /a\n  upstream: rtsp://h\n  allow: [10.0.0.1/8]\n", 6, "routes[1].allow[1]",
                "write 10.0.0.0/8, or 10.0.0.1"
            ),
            (
                "- name: a\n  path: /a\n  upstream: rtsp://h\n  destinations:\n  - studio\n", 7,
                "routes[1].destinations[1]", "is no network"
            ),
            (
                "- name: a\n  path: /a\n  upstream: rtsp://h\n  on-demand: maybe\n", 6, "routes[1].on-demand",
                "true nor false"
            ),
            (
                "- name: a\n  path: /a\n  upstream: rtsps://h\n  fingerprint: abcd\n", 6, "routes[1].fingerprint",
                "openssl x509 -noout -fingerprint -sha256"
            ),
            (
                "- name: a\n  path: /a\n  upstream: rtsp://h\n  fingerprint: '\(fingerprint)'\n", 6,
                "routes[1].fingerprint", "write rtsps://"
            ),
            (
                "- name: a\n  path: /a\n  publish: true\n  publish-users: anyone\n  fingerprint: '\(fingerprint)'\n",
                7, "routes[1].fingerprint", "goes with an upstream only"
            ),
            ("- name: a\n  path: /a\n  upsteam: rtsp://h\n", 5, "routes[1].upsteam", "did you mean 'upstream'?"),
            (
                "- {name: a, path: /a, upstream: 'rtsp://h'}\n- {name: a, path: /b, upstream: 'rtsp://h'}\n", 4,
                "routes[2]", "first on line 3"
            ),
            (
                "- {name: a, path: /a, upstream: 'rtsp://h'}\n- {name: b, path: /a, upstream: 'rtsp://g'}\n", 4,
                "routes[2]", "the same paths as the route on line 3"
            ),
        ] as [(String, Int, String, String)])
    func routeErrors(text: String, line: Int, key: String, words: String) throws {
        let error = try #require(failure("rtsp:\n  routes:\n" + text.indented), "accepted")
        try check(error, line, "rtsp.\(key)", words)
        #expect(!error.description.contains("s3cret"), "\(error)")
    }

    private func check(_ error: ConfigurationError, _ line: Int, _ key: String, _ words: String) throws {
        #expect(error.line == line, "\(error)")
        #expect(error.key == key, "\(error)")
        #expect(error.problem.contains(words), "\(error)")
        #expect(!error.description.contains("\n"))
    }

    @Test("What is written is read as the same, and written the same again")
    func writer() throws {
        for text in [
            Self.complete, "rtsp: {}\n",
            "rtsp: {listen: [], tls-listen: [8322], certificate: {chain: /c, private-key: /k}}\n",
            "rtsp: {certificate: {chain: /c, private-key: /k}, tls-listen: [], listen: ['[::1]:554']}\n",
            "rtsp: {multicast: {groups: 'ff3e::8000:0/112', interface: eth1}}\n",
            "rtsp: {multicast: {groups: 239.1.2.3, interface: eth1}}\n",
        ] {
            let configuration = try ConfigurationFile.parse(text, file: "x.yaml")
            let written = ConfigurationWriter.text(of: configuration)
            #expect(try ConfigurationFile.parse(written, file: "y.yaml") == configuration, "\(written)")
            #expect(ConfigurationWriter.text(of: try ConfigurationFile.parse(written, file: "y.yaml")) == written)
        }
    }

    @Test("A configuration with passwords is written for its reader alone, and masked everywhere else")
    func secrets() throws {
        let directory = FileManager.default.temporaryDirectory.appending(path: "crosspoint-\(UUID())")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        let path = directory.appending(path: "x.yaml").path
        func mode() throws -> Int? {
            try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
        }
        let configuration = try ConfigurationFile.parse(Self.complete, file: "x.yaml")
        #expect(configuration.hasSecrets && !configuration.masked.rtspText.contains("s3cret"))
        #expect(configuration.masked.rtspText.contains("rtsp://viewer:***@10.1.0.7:8554/main?x=1"))
        let json = String(decoding: try JSONText.encode(configuration.masked), as: UTF8.self)
        #expect(!json.contains("s3cret") && json.contains("viewer:***@"))
        try ConfigurationFile.save(NodeConfiguration(), to: path, force: false)
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: path)
        try ConfigurationFile.save(configuration, to: path, force: false)
        #expect(try mode() == 0o600)
        #expect(try ConfigurationFile.load(path) == configuration)
        try FileManager.default.removeItem(atPath: path)
        try ConfigurationFile.save(configuration, to: path, force: false)
        #expect(try mode() == 0o600)
    }

    @Test("Files must be there and secrets secret, where that is asked for")
    func files() throws {
        let directory = FileManager.default.temporaryDirectory.appending(path: "crosspoint-\(UUID())")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        let key = directory.appending(path: "key.pem").path
        let text = "rtsp:\n  certificate:\n    chain: \(key)\n    private-key: \(key)\n"
        #expect(failure(text) == nil)
        let missing = try #require(failure(text, checksFiles: true))
        #expect(missing.line == 3 && missing.problem.contains("No such file"), "\(missing)")
        try Data("x".utf8).write(to: URL(filePath: key))
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: key)
        let open = try #require(failure(text, checksFiles: true))
        #expect(open.line == 4 && open.key == "rtsp.certificate.private-key")
        #expect(open.problem.contains("mode 0644") && open.problem.contains("chmod o="), "\(open)")
        try FileManager.default.setAttributes([.posixPermissions: 0o640], ofItemAtPath: key)
        #expect(failure(text, checksFiles: true) == nil)
        let users = try #require(failure("rtsp: {users-file: \(directory.path)}\n", checksFiles: true))
        #expect(users.problem.contains("is no file"), "\(users)")
    }
}

extension String {
    fileprivate var indented: String {
        split(separator: "\n").map { "  \($0)\n" }.joined()
    }
}

extension NodeConfiguration {
    fileprivate var rtspText: String { ConfigurationWriter.text(of: self) }
}
