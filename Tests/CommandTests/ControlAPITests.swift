// The control API over a real Unix domain socket, asked by the command line's own client.

@testable import CrosspointCommands
import FastPath
import Foundation
import Glibc
import Logging
import Node
import Routing
import TestSupport
import Testing

@Suite("Control API", .timeLimit(.minutes(1)))
struct ControlAPITests {
    private static let cam1 = """
        {"name": "cam1", "from": "239.1.1.10:5004@eth0", "to": ["10.2.0.5:5004@eth1", "10.2.0.6:5004@eth1"]}
        """

    private static func specification(_ name: String, _ from: String = "239.1.1.10:5004@eth0") throws
        -> RouteSpecification
    {
        RouteSpecification(
            name: name, source: try SourceSpecification(from), legs: [try LegSpecification("10.2.0.5:5004@eth1")])
    }

    @Test func itIsReadyWhenItsAgentsListen() async throws {
        let proxy = MockProxy(listens: false)
        async let listening: Void = {
            try await Task.sleep(for: .milliseconds(500))
            await proxy.listen()
        }()
        try await RunningNode.run(proxy: proxy) { _ in #expect(await proxy.isListening) }
        try await listening
    }

    @Test("Routes and legs: added, shown, changed, removed")
    func routes() async throws {
        try await RunningNode.run { node in
            let client = node.client
            let added: RouteReport = try await client.send(.post, "/v1/routes", body: try Self.specification("cam1"))
            #expect(added.owner == .operator && added.legs.map(\.number) == [1])
            let leg: LegReport = try await client.send(
                .post, "/v1/routes/cam1/legs", body: LegRequest(to: try LegSpecification("10.2.0.6:5004@eth1")))
            #expect(leg.number == 2)
            let set: LegReport = try await client.send(
                .put, "/v1/routes/cam1/legs/2", body: LegRequest(to: try LegSpecification("10.2.0.7:5004@eth1")))
            #expect(set.specification == (try LegSpecification("10.2.0.7:5004@eth1")))
            try await client.send(.delete, "/v1/routes/cam1/legs/1")
            let taken: RouteReport = try await client.send(
                .post, "/v1/routes/cam1/take", body: TakeRequest(from: try SourceSpecification("239.1.1.11:5004@eth0")))
            #expect(taken.specification.source.description == "239.1.1.11:5004@eth0")
            let shown: RouteReport = try await client.send(.get, "/v1/routes/cam1")
            #expect(shown.legs.map(\.number) == [2])
            let list: [RouteReport] = try await client.send(.get, "/v1/routes")
            #expect(list == [shown])
            try await client.send(.delete, "/v1/routes/cam1")
            let none: [RouteReport] = try await client.send(.get, "/v1/routes")
            #expect(none.isEmpty)
        }
    }

    @Test("A session's route is shown, left out of the saved configuration, and changed by nobody but its session")
    func sessionRoutes() async throws {
        try await RunningNode.run { node in
            let client = node.client
            _ = try await node.control.add(try Self.specification("rtsp.cam1.0.rtp"), owner: .session)
            let shown: RouteReport = try await client.send(.get, "/v1/routes/rtsp.cam1.0.rtp")
            #expect(shown.owner == .session)
            let leg = LegRequest(to: try LegSpecification("10.2.0.6:5004@eth1"))
            let take = TakeRequest(from: try SourceSpecification("239.1.1.11:5004@eth0"))
            let path = "/v1/routes/rtsp.cam1.0.rtp"
            let changes: [@Sendable () async throws -> Void] = [
                { try await client.send(.delete, path) },
                { try await client.send(.delete, "\(path)/legs/1") },
                { let _: LegReport = try await client.send(.post, "\(path)/legs", body: leg) },
                { let _: LegReport = try await client.send(.put, "\(path)/legs/1", body: leg) },
                { let _: RouteReport = try await client.send(.post, "\(path)/take", body: take) },
            ]
            for change in changes {
                let error = try await #require(throws: CommandError.self) { try await change() }
                #expect("\(error)".contains("crosspoint session close"), "\(error)")
            }
            let still: RouteReport = try await client.send(.get, path)
            #expect(still == shown)
            let saved = try await client.text(.get, "/v1/configuration?format=yaml")
            #expect(try ConfigurationFile.parse(saved, file: "x").routes.isEmpty)
        }
    }

    @Test("Many routes in one request: all of them, or none")
    func bulk() async throws {
        try await RunningNode.run { node in
            let routes = try (1...500).map { try Self.specification("r\($0)", "239.1.1.10:\($0 + 1000)@eth0") }
            let reports: [RouteReport] = try await node.client.send(.post, "/v1/routes", body: routes)
            #expect(reports.count == 500)
            await node.control.refuse("s3")
            let more = try (1...5).map { try Self.specification("s\($0)", "239.1.2.10:\($0 + 1000)@eth0") }
            let error = try await #require(throws: CommandError.self) {
                let _: [RouteReport] = try await node.client.send(.post, "/v1/routes", body: more)
            }
            #expect(error.message.hasPrefix("none was added: "))
            #expect(await node.control.routes().count == 500)
        }
    }

    @Test("F-11: refusals carry a code, a message and the HTTP status")
    func refusals() async throws {
        try await RunningNode.run { node in
            await node.control.refuse("big")
            let cases:
                [(method: String, path: String, body: String?, status: Int, code: RoutingError.Code, words: String)] = [
                    ("GET", "/v1/routes/nope", nil, 404, .notFound, "no route 'nope'"),
                    ("GET", "/v1/nope", nil, 404, .notFound, "/v1/nope"),
                    ("POST", "/v1/routes", #"{"name": "a"}"#, 400, .invalid, "has no 'from'"),
                    ("POST", "/v1/routes", #"{"name": "#, 400, .invalid, "cannot be read"),
                    ("POST", "/v1/routes", #"{"name": "a", "from": "x"}"#, 400, .invalid, "names no interface"),
                    (
                        "POST", "/v1/routes", #"[{"name": "a", "from": "239.1.1.1:1@e", "too": []}]"#, 400, .invalid,
                        "did you mean 'to'?"
                    ),
                    ("POST", "/v1/routes", #"{"name": "big", "from": "239.1.1.1:1@e"}"#, 507, .capacity, "1Gb/s left"),
                    ("POST", "/v1/routes", Self.cam1, 201, .failed, ""),
                    ("POST", "/v1/routes", Self.cam1, 409, .conflict, "is there"),
                    ("DELETE", "/v1/routes/cam1/legs/77", nil, 404, .notFound, "no leg 77"),
                    ("DELETE", "/v1/routes/cam1/legs/x", nil, 400, .invalid, "not a number"),
                    ("POST", "/v1/routes/cam1/legs", #"{"to": "10.2.0.5:0@eth1"}"#, 400, .invalid, "use 1 to 65535"),
                    ("GET", "/v1/configuration?format=xml", nil, 400, .invalid, "use json or yaml"),
                ]
            for (method, path, body, status, code, words) in cases {
                let answer = try await RawHTTP.request(method, path, body: body, to: .socket(node.socket))
                #expect(answer.status == status, "\(method) \(path): \(answer.body)")
                if status < 300 { continue }
                let report = try JSONText.decode(ErrorReport.self, from: Array(answer.body.utf8))
                #expect(report.error.code == code)
                #expect(report.error.message.contains(words), "\(report.error.message)")
            }
        }
    }

    @Test("Node, ports, statistics and configuration")
    func reading() async throws {
        try await RunningNode.run(configuration: "node: studio-a\n") { node in
            let report: NodeReport = try await node.client.send(.get, "/v1/node")
            #expect(report.node == "studio-a" && report.configurationFile == node.configurationFile)
            let ports: [PortReport] = try await node.client.send(.get, "/v1/ports")
            #expect(ports == RunningNode.Information().ports())
            let statistics: StatisticsSnapshot = try await node.client.send(.get, "/v1/statistics")
            #expect(statistics == RunningNode.Statistics().snapshot())
            let _: RouteReport = try await node.client.send(.post, "/v1/routes", body: try Self.specification("cam1"))
            let yaml = try await node.client.text(.get, "/v1/configuration?format=yaml")
            #expect(try ConfigurationFile.parse(yaml, file: "x").routes.map(\.name) == ["cam1"])
            let json = try await node.client.text(.get, "/v1/configuration")
            #expect(json.contains(#""cam1":{"accounting":"full""#) && json.contains(#""node":"studio-a""#))
        }
    }

    @Test("The TCP listener serves metrics, and nothing else: what anybody can read there is not the socket's")
    func readOnlyListener() async throws {
        try await RunningNode.run { node in
            let tcp = RawHTTP.Target.tcp(node.metricsTCPPort)
            let metrics = try await RawHTTP.request("GET", "/metrics", to: tcp)
            #expect(metrics.status == 200 && metrics.body.contains("crosspoint_build_info"))
            #expect(metrics.head.lowercased().contains("content-type: text/plain; version=0.0.4"))
            #expect(try await RawHTTP.request("GET", "/metrics", to: .socket(node.socket)).body == metrics.body)
            for path in ["/v1/routes", "/v1/configuration", "/v1/sessions", "/v1/sessions/sip-1/messages", "/v1/node"] {
                #expect(try await RawHTTP.request("GET", path, to: tcp).status == 404, "\(path)")
            }
            for (method, path) in [("POST", "/v1/routes"), ("DELETE", "/v1/routes/cam1"), ("POST", "/v1/reload")] {
                let answer = try await RawHTTP.request(method, path, body: Self.cam1, to: tcp)
                #expect(answer.status == 405 && answer.body.contains("read-only"))
            }
            #expect(await node.control.routes().isEmpty)
        }
    }

    @Test("JSON that is nested too deeply is refused before it is decoded, wherever its last bracket is")
    func depth() async throws {
        try await RunningNode.run { node in
            for count in [33, 512, 513, 514, 100_000] {
                let answer = try await RawHTTP.request(
                    "POST", "/v1/routes", body: String(repeating: "[", count: count), to: .socket(node.socket))
                #expect(answer.status == 400 && answer.body.contains("more than 32 others"), "\(count): \(answer.body)")
            }
            let text = #"{"name": "\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["}"#
            let answer = try await RawHTTP.request("POST", "/v1/routes", body: text, to: .socket(node.socket))
            #expect(answer.status == 400 && !answer.body.contains("others"))
        }
    }

    @Test(
        "The folder of pins is locked wherever it is, also one that is made for it; what cannot be locked is an error")
    func pinLock() throws {
        let directory = try TemporaryDirectory()
        for folder in ["\(directory.path)/pins", "\(directory.path)/a/b/pins", "\(directory.path)/c/pins/"] {
            do {
                let lock = try InstanceLock.pins(folder)
                let second = #expect(throws: NodeError.self) { try InstanceLock.pins(folder) }
                #expect(second?.code == .alreadyRunning && second?.description.contains("bpffs of its own") == true)
                withExtendedLifetime(lock) {}
            }
            // It goes with its holder.
            _ = try InstanceLock.pins(folder)
        }
        #expect(FileManager.default.createFile(atPath: "\(directory.path)/file", contents: nil))
        for folder in ["\(directory.path)/file", "\(directory.path)/file/pins"] {
            let error = #expect(throws: NodeError.self) { try InstanceLock.pins(folder) }
            #expect(error?.code != .alreadyRunning && error?.description.contains("mount -t bpf") == true)
        }
    }

    @Test("The socket is for its owner and its group; a second daemon is refused, a stale socket is not in the way")
    func socket() async throws {
        try await RunningNode.run { node in
            let mode = try FileManager.default.attributesOfItem(atPath: node.socket)[.posixPermissions]
            #expect(mode as? Int == 0o660)
            let error = try #require(throws: NodeError.self) { try ControlSocket(path: node.socket, group: nil) }
            #expect(error.code == .alreadyRunning && error.description.contains(node.socket))
            let lock = try InstanceLock(directory: node.directory.path)
            let second = #expect(throws: NodeError.self) { try InstanceLock(directory: node.directory.path) }
            #expect(second?.code == .alreadyRunning)
            withExtendedLifetime(lock) {}
            let unknown = #expect(throws: NodeError.self) {
                try ControlSocket(path: node.socket + "2", group: "no-such-group")
            }
            #expect(unknown?.description.contains("groupadd") == true)
            let stale = node.socket + "3"
            Self.leaveStaleSocket(at: stale)
            _ = try ControlSocket(path: stale, group: nil)
            #expect(!FileManager.default.fileExists(atPath: stale))
            let occupied = #expect(throws: NodeError.self) {
                try ControlSocket(path: node.configurationFile, group: nil)
            }
            #expect(occupied?.description.contains("is no socket") == true)
        }
    }

    /// Leaves at `path` what a daemon that was killed leaves there.
    private static func leaveStaleSocket(at path: String) {
        let file = Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(file) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(file, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        #expect(result == 0)
    }

    @Test("A stopped node leaves no socket; a TCP port that is taken is a refusal that names the key")
    func listeners() async throws {
        try await RunningNode.run { node in
            let taken = try ConfigurationFile.parse(
                "runtime-directory: \(node.directory.path)/2\nmetrics: {listen: '127.0.0.1:\(node.metricsTCPPort)'}\n",
                file: "x")
            var logger = Logger(label: "test")
            logger.logLevel = .critical
            let lock = try InstanceLock(directory: taken.runtimeDirectory)
            let second = NodeService(
                configuration: taken, configurationFile: nil,
                socket: try ControlSocket(path: taken.control.socket, group: nil),
                control: MockRouteControl(), statistics: RunningNode.Statistics(),
                information: RunningNode.Information(),
                handlesSignals: false, logger: logger)
            let error = try await #require(throws: NodeError.self) { try await second.run() }
            #expect(
                error.description
                    == "metrics.listen 127.0.0.1:\(node.metricsTCPPort): cannot listen: Address already in use; "
                    + "another program listens there, choose another address")
            #expect(!FileManager.default.fileExists(atPath: taken.control.socket))
            withExtendedLifetime(lock) {}
        }
    }

    @Test("Half requests take no more places than a listener has, and the next client is served when one goes")
    func halfRequests() async throws {
        try await RunningNode.run { node in
            func connect() -> CInt {
                let file = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
                var address = sockaddr_in()
                address.sin_family = sa_family_t(AF_INET)
                address.sin_port = in_port_t(node.metricsTCPPort).bigEndian
                address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
                let result = withUnsafePointer(to: &address) {
                    $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                        Glibc.connect(file, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                    }
                }
                #expect(result == 0)
                var time = timeval(tv_sec: 0, tv_usec: 300_000)
                setsockopt(file, SOL_SOCKET, SO_RCVTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
                return file
            }
            func ask(_ file: CInt, _ text: String) -> Int {
                var room = [UInt8](repeating: 0, count: 64)
                _ = Glibc.send(file, text, text.utf8.count, Int32(MSG_NOSIGNAL))
                return Glibc.recv(file, &room, room.count, 0)
            }
            var files: [CInt] = []
            for _ in 0..<256 {
                files.append(connect())
                _ = Glibc.send(files[files.count - 1], "GET /metrics", 12, Int32(MSG_NOSIGNAL))
            }
            defer { for file in files { close(file) } }
            try await Task.sleep(for: .milliseconds(300))
            let late = connect()
            defer { close(late) }
            let request = "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"
            #expect(ask(late, request) < 0, "there is no place for it yet")
            for file in files.prefix(8) { close(file) }
            files.removeFirst(8)
            var answered = 0
            for _ in 0..<20 where answered <= 0 { answered = ask(late, "") }
            #expect(answered > 0)
        }
    }

    @Test("A reload touches only what changed, and a broken file changes nothing")
    func reload() async throws {
        let base = "routes:\n  a: {from: '239.1.1.1:1@eth0', to: []}\n  b: {from: '239.1.1.2:1@eth0', to: []}\n"
        try await RunningNode.run(configuration: base) { node in
            #expect(await node.control.routes().map(\.specification.name) == ["a", "b"])
            let _: RouteReport = try await node.client.send(.post, "/v1/routes", body: try Self.specification("mine"))
            let url = URL(filePath: node.configurationFile)
            let text = try String(contentsOf: url, encoding: .utf8)
            let changed = text.replacing("b: {from: '239.1.1.2", with: "c: {from: '239.1.1.3").replacing(
                "critical", with: "error")
            try Data(changed.utf8).write(to: url)
            let report: ReloadReport = try await node.client.send(.post, "/v1/reload")
            #expect(report.routes == ReconcileReport(added: ["c"], removed: ["b"], unchanged: ["a"]))
            #expect(report.needRestart == ["log-level"])
            #expect(await node.control.routes().map(\.specification.name) == ["a", "c", "mine"])
            try Data((changed + "  d: {from: '239.1").utf8).write(to: url)
            let error = try await #require(throws: CommandError.self) {
                let _: ReloadReport = try await node.client.send(.post, "/v1/reload")
            }
            #expect(error.message.hasPrefix("\(node.configurationFile):7: "))
            #expect(await node.control.routes().count == 3)
        }
    }
}
