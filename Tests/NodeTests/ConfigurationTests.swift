// The configuration file: what it may say, and that every error names its line and key.

import AFXDP
import Foundation
import Logging
import Node
import RTPWire
import Routing
import Testing

@Suite("Configuration file")
struct ConfigurationTests {
    static let complete = """
        # A studio.
        node: studio-a
        ports: [eth0, eth1]
        control:
          socket: /run/xp/c.sock
          group: crosspoint
        metrics:
          listen: "[::1]:9000"
        runtime-directory: /run/xp
        keys-directory: /etc/xp/keys
        state-directory: /var/lib/xp
        bpffs: /sys/fs/bpf/xp
        limits: {flows: 4096, legs: 10000}
        log-level: debug
        afxdp: {workers: 2, frames: 4096, mode: copy, polling: busy, payload-sharing: never}
        routes:
          cam1:
            from: 239.1.1.10:5004@eth0,source=10.1.0.7
            to:
              - 10.2.0.5:5004@eth1
              - 239.9.9.1:5004@eth1,ttl=16,dscp=34
            accounting: sampled
            clock: 90000
            rate: 2.66Gb/s
          cam2:
            from: "[ff3e::1]:5004@eth0.100"
            to: []
            payload: raw
            engine: afxdp
            force: true

        """

    private func failure(_ text: String) -> ConfigurationError? {
        do { _ = try ConfigurationFile.parse(text, file: "x.yaml") } catch { return error }
        return nil
    }

    @Test("Every key is read")
    func completeFile() throws {
        let configuration = try ConfigurationFile.parse(Self.complete, file: "x.yaml")
        #expect(configuration.node == "studio-a")
        #expect(configuration.ports == ["eth0", "eth1"])
        #expect(configuration.control == .init(socket: "/run/xp/c.sock", group: "crosspoint"))
        #expect(configuration.metrics == ListenAddress("[::1]:9000"))
        #expect(configuration.runtimeDirectory == "/run/xp")
        #expect(
            configuration.keyPaths
                == KeyPaths(keys: "/etc/xp/keys", sessionKeys: "/run/xp/keys", state: "/var/lib/xp"))
        #expect(configuration.bpffs == "/sys/fs/bpf/xp")
        #expect(configuration.limits == .init(flows: 4096, legs: 10_000))
        #expect(configuration.logLevel == .debug)
        #expect(
            configuration.engine
                == .init(workers: 2, frames: 4096, mode: .copy, polling: .busy, payloadSharing: .never))
        #expect(configuration.routes.map(\.engine) == [.auto, .afxdp])
        #expect(configuration.routes.map(\.name) == ["cam1", "cam2"])
        #expect(
            configuration.routes[0]
                == RouteSpecification(
                    name: "cam1", source: try SourceSpecification("239.1.1.10:5004@eth0,source=10.1.0.7"),
                    legs: [
                        try LegSpecification("10.2.0.5:5004@eth1"),
                        try LegSpecification("239.9.9.1:5004@eth1,ttl=16,dscp=34"),
                    ], accounting: .sampled, clockRate: 90_000, wireRate: 2_660_000_000))
        #expect(configuration.routes[1].payload == .raw && configuration.routes[1].isForced)
    }

    @Test("What is left out has its default", arguments: ["", "\n", "# nothing\n", "routes:\n", "---\n"])
    func defaults(text: String) throws {
        #expect(try ConfigurationFile.parse(text, file: "x.yaml") == NodeConfiguration())
    }

    @Test("The socket follows the runtime directory unless it is named")
    func socketFollowsDirectory() throws {
        let configuration = try ConfigurationFile.parse("runtime-directory: /run/other/\n", file: "x.yaml")
        #expect(configuration.control.socket == "/run/other/control.sock")
    }

    @Test("Metrics can be off")
    func metricsOff() throws {
        #expect(try ConfigurationFile.parse("metrics: {listen: off}\n", file: "x.yaml").metrics == nil)
    }

    @Test(
        "An error names its line, its key, and the remedy",
        arguments: [
            ("node: a\nnoode: b\n", 2, "noode", "did you mean 'node'?"),
            ("afxdp:\n  frames: 5000\n", 2, "afxdp.frames", "no power of two"),
            ("afxdp:\n  mode: zerocopy\n", 2, "afxdp.mode", "use auto, copy, zero-copy"),
            ("afxdp:\n  workers: 9\n", 2, "afxdp.workers", "8"),
            (
                "routes:\n  cam1:\n    from: 239.1.1.10:5004@eth0\n    to: []\n    paylod: raw\n", 5,
                "routes.cam1.paylod", "did you mean 'payload'?"
            ),
            (
                "routes:\n  cam1:\n    from: 239.1.1.10:99999@eth0\n    to: []\n", 3, "routes.cam1.from",
                "use 1 to 65535"
            ),
            (
                "routes:\n  cam1:\n    from: 239.1.1.10:1@eth0\n    to:\n    - 10.0.0.1:1@eth1\n    - 10.0.0.1@eth1\n",
                6, "routes.cam1.to[2]", "names no UDP port"
            ),
            (
                "routes:\n  cam1:\n    from: 239.1.1.10:1@eth0\n    to:\n    - 10.0.0.1:1@eth1\n    - 10.0.0.1:1@eth1\n",
                6, "routes.cam1.to[2]", "first on line 5"
            ),
            (
                "routes:\n  cam1:\n    from: 239.1.1.10:1@eth0\n    to:\n    - '[2001:db8::1]:1@eth1,source=keep'\n", 5,
                "routes.cam1.to[1]", "the leg is IPv6"
            ),
            ("routes:\n  cam1:\n    from: 239.1.1.10:1@eth0\n", 2, "routes.cam1", "has no 'to'"),
            ("routes:\n  cam1:\n    to: []\n", 2, "routes.cam1", "has no 'from'"),
            ("routes:\n  cam1:\n", 2, "routes.cam1", "has no value"),
            ("routes:\n  cam1:\n    from: 239.1.1.10:1@eth0\n    to:\n", 4, "routes.cam1.to", "write []"),
            ("routes:\n  cam1:\n    from:\n    to: []\n", 3, "routes.cam1.from", "has no value"),
            ("routes:\n  a b:\n    from: 239.1.1.10:1@eth0\n    to: []\n", 2, "routes.a b", "route name"),
            ("routes:\n- cam1\n", 1, "routes", "must be keys and values"),
            (
                "routes:\n  cam1:\n    from: 239.1.1.10:1@eth0\n    to: []\n    clock: fast\n", 5, "routes.cam1.clock",
                "is not a number"
            ),
            (
                "routes:\n  cam1:\n    from: 239.1.1.10:1@eth0\n    to: []\n    rate: 2GB/s\n", 5, "routes.cam1.rate",
                "counts bytes"
            ),
            (
                "routes:\n  cam1:\n    from: 239.1.1.10:1@eth0\n    to: []\n    force: yes\n", 5, "routes.cam1.force",
                "true nor false"
            ),
            (
                "routes:\n  cam1:\n    from: 239.1.1.10:1@eth0\n    to: []\n    payload: mpeg\n", 5,
                "routes.cam1.payload", "rtp, rtcp, raw"
            ),
            (
                "limits: {flows: 1}\nroutes:\n  a: {from: 239.1.1.1:1@e, to: []}\n  b: {from: 239.1.1.2:1@e, to: []}\n",
                4, "routes.b", "limits.flows is 1"
            ),
            ("ports:\n- eth0\n- eth0\n", 3, "ports[2]", "stands twice"),
            ("ports: [eth0.100]\n", 1, "ports[1]", "names a VLAN"), ("ports: eth0\n", 1, "ports", "must be a list"),
            ("node: [a]\n", 1, "node", "one value"),
            ("metrics: {listen: 9464}\n", 1, "metrics.listen", "127.0.0.1:9464"),
            ("bpffs: here\n", 1, "bpffs", "absolute path"), ("log-level: loud\n", 1, "log-level", "no log level"),
            ("limits:\n  flows: 0\n", 2, "limits.flows", "from 1 to"),
            ("control:\n  socket: /\(String(repeating: "a", count: 107))\n", 2, "control.socket", "107 bytes"),
            ("runtime-directory: /\(String(repeating: "a", count: 100))\n", 1, "runtime-directory", "107 bytes"),
            ("- a\n", 1, nil, "must be keys and values"),
        ] as [(String, Int, String?, String)])
    func errors(text: String, line: Int, key: String?, words: String) throws {
        let error = try #require(failure(text))
        #expect(error.line == line)
        #expect(error.key == key)
        #expect(error.problem.contains(words), "\(error)")
        #expect(error.description.hasPrefix("x.yaml:\(line): "))
        #expect(!error.description.contains("\n"))
    }

    @Test(
        "An error of syntax names its line",
        arguments: [
            ("node: a\nroutes:\n\tcam1: x\n", 3, "tab"), ("node: a\nnode: b\n", 2, "stands twice (first on line 1)"),
            ("routes:\n  cam1: {}\n  cam2: {}\n  cam1: {}\n", 4, "stands twice (first on line 2)"),
            ("node: 'a\nb: c\n", 3, "not YAML"), ("ports: [eth0\nnode: a\n", 2, "not YAML"),
            ("node: a\n b: c\n", 2, "not YAML"), ("node: a\n---\nnode: b\n", 2, "not YAML"),
        ])
    func syntax(text: String, line: Int, words: String) throws {
        let error = try #require(failure(text))
        #expect(error.line == line, "\(error)")
        #expect(error.problem.contains(words), "\(error)")
        #expect(!error.description.contains("\n"))
    }

    @Test("A file that is cut within a line is refused, wherever it is cut")
    func halfWritten() throws {
        let text = Self.complete
        for end in text.indices.dropFirst() where text[text.index(before: end)] != "\n" {
            let half = String(text[..<end])
            let error = try #require(failure(half), "accepted: \(half.suffix(30))")
            #expect(error.line == half.split(separator: "\n", omittingEmptySubsequences: false).count)
        }
    }

    @Test("What is written is read as the same, and written the same again")
    func writer() throws {
        let configuration = try ConfigurationFile.parse(Self.complete, file: "x.yaml")
        let text = ConfigurationWriter.text(of: configuration)
        #expect(try ConfigurationFile.parse(text, file: "y.yaml") == configuration)
        #expect(ConfigurationWriter.text(of: try ConfigurationFile.parse(text, file: "y.yaml")) == text)
        #expect(text.hasPrefix("# Configuration of a Crosspoint node"))
        #expect(text.contains("    from: 239.1.1.10:5004@eth0,source=10.1.0.7\n"), "\(text)")
    }

    @Test("Words that YAML would take for something else come back as they were")
    func quoting() throws {
        for name in ["true", "1", "0x10", "null", "1e3", "no"] {
            var configuration = NodeConfiguration(node: name)
            configuration.routes = [
                RouteSpecification(name: name, source: try SourceSpecification("[ff3e::1]:5004@eth0"))
            ]
            let text = ConfigurationWriter.text(of: configuration)
            #expect(try ConfigurationFile.parse(text, file: "y.yaml") == configuration, "\(text)")
        }
    }

    @Test("Saving replaces a good file, keeps its mode, and leaves a broken one alone")
    func save() throws {
        let directory = FileManager.default.temporaryDirectory.appending(path: "crosspoint-\(UUID())")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        let path = directory.appending(path: "x.yaml").path
        let configuration = try ConfigurationFile.parse(Self.complete, file: "x.yaml")
        try ConfigurationFile.save(configuration, to: path, force: false)
        #expect(try ConfigurationFile.load(path) == configuration)
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
        try ConfigurationFile.save(NodeConfiguration(node: "b"), to: path, force: false)
        #expect(try ConfigurationFile.load(path).node == "b")
        #expect(try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int == 0o600)
        try Data("node: [\n".utf8).write(to: URL(filePath: path))
        let error = try #require(throws: ConfigurationError.self) {
            try ConfigurationFile.save(configuration, to: path, force: false)
        }
        #expect(error.description.contains("--force"))
        #expect(try Data(contentsOf: URL(filePath: path)) == Data("node: [\n".utf8))
        try ConfigurationFile.save(configuration, to: path, force: true)
        #expect(try ConfigurationFile.load(path) == configuration)
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path) == ["x.yaml"])
    }

    @Test("A file that cannot be read says why")
    func unreadable() throws {
        let error = try #require(throws: ConfigurationError.self) { try ConfigurationFile.load("/nonexistent/x.yaml") }
        #expect(error.description == "/nonexistent/x.yaml: cannot be read: No such file or directory")
    }
}
