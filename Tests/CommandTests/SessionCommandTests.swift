// The commands on sessions and on the proxy's routes: what they ask for, what they print, and what they keep to themselves.

@testable import CrosspointCommands
import ArgumentParser
import FastPath
import Foundation
import Node
import RTSPProxy
import Routing
import Sessions
import Testing

@Suite("Commands on sessions and RTSP routes", .timeLimit(.minutes(1)))
struct SessionCommandTests {
    private func route(_ arguments: String..., password: String? = nil) throws -> RTSPRoute {
        let command = try CrosspointCommand.parseAsRoot(["rtsp", "route", "add"] + arguments)
        return try #require(command as? RTSPRouteAddCommand).specification { prompt throws(CommandError) in
            guard let password else { throw .usage("nobody types: \(prompt)") }
            return password
        }
    }

    @Test("Every option of 'rtsp route add' is in the route")
    func options() throws {
        let pulled = try route(
            "cam1", "--regex", #"/cam(\d+)"#, "--upstream", "rtsp://10.1.0.$1:8554/main", "--transport", "tcp",
            "--read", "alice", "--read", "bob", "--allow", "10.2.0.0/16", "--allow", "2001:db8::5", "--destination",
            "10.3.0.0/24", "--always")
        #expect(
            pulled
                == RTSPRoute(
                    name: "cam1", match: .expression(#"/cam(\d+)"#), source: .upstream("rtsp://10.1.0.$1:8554/main"),
                    transport: .interleaved, read: .users(["alice", "bob"]),
                    allowedNetworks: ["10.2.0.0/16", "2001:db8::5/128"], allowedDestinations: ["10.3.0.0/24"],
                    isOnDemand: false))
        let published = try route(
            "pgm", "--prefix", "/pgm/", "--publish", "--publish-users", "anyone", "--read", "any-user")
        #expect(
            published
                == RTSPRoute(
                    name: "pgm", match: .prefix("/pgm"), source: .publisher, read: .anyUser, publish: .anyone))
    }

    @Test("A password comes from the prompt or from standard input, percent-encoded, and never from the arguments")
    func passwords() throws {
        let typed = try route("a", "--path", "/a", "--upstream", "rtsp://viewer@10.1.0.7/m@in", password: "a:b/c@d%é")
        #expect(typed.source == .upstream("rtsp://viewer:a%3Ab%2Fc%40d%25%C3%A9@10.1.0.7/m@in"))
        #expect(
            try route("a", "--path", "/a", "--upstream", "rtsp://viewer:@h").source == .upstream("rtsp://viewer:@h"))
        #expect(
            try route("a", "--path", "/a", "--upstream", "rtsp://viewer:@h", "--password-stdin", password: "x").source
                == .upstream("rtsp://viewer:x@h"))
        let shown = try #require(throws: CommandError.self) {
            try route("a", "--path", "/a", "--upstream", "rtsp://viewer:s3cret@10.1.0.7/main", password: "x")
        }
        #expect(shown.exitStatus == 64 && shown.message.contains("--password-stdin"))
        #expect(!shown.message.contains("s3cret"))
        let useless = #expect(throws: CommandError.self) {
            try route("a", "--path", "/a", "--upstream", "rtsp://10.1.0.7/", "--password-stdin", password: "x")
        }
        #expect(useless?.message.contains("no user") == true)
    }

    @Test(
        "What stands in the place of a password is masked, whatever else stands in the URL",
        arguments: [
            ("rtsp://u:p@h/x", "rtsp://u:***@h/x"), ("rtsps://u:p:q@[::1]:8554/x", "rtsps://u:***@[::1]:8554/x"),
            ("RTSP://u:p@h", "RTSP://u:***@h"), ("rtsp://u:p/q@h/x", "rtsp://u:***@h/x"),
            ("rtsp://u@h/x", "rtsp://u@h/x"), ("rtsp://u:@h/x", "rtsp://u:@h/x"),
            ("http://u:p@h/x", "http://u:***@h/x"), ("u:p@h/x", "u:***@h/x"), ("rtsp:/u:p@h", "rtsp:***@h"),
            ("rtsp://h:554/a@b:c", "rtsp://h:554/a@b:c"), ("rtsp://h/x?u:p@y", "rtsp://h/x?u:p@y"),
        ])
    func masking(url: String, masked: String) { #expect(UpstreamText.masked(url) == masked) }

    @Test(
        "Routes that cannot be end with exit code 64 before a daemon is asked",
        arguments: [
            ["a", "--path", "/a"], ["a", "--path", "/a", "--upstream", "rtsp://h", "--publish"],
            ["a", "--upstream", "rtsp://h"], ["a", "--path", "/a", "--regex", "/a", "--upstream", "rtsp://h"],
            ["a", "--path", "a", "--upstream", "rtsp://h"], ["a", "--path", "/a/../b", "--upstream", "rtsp://h"],
            ["a", "--regex", "/a(", "--upstream", "rtsp://h"], ["a", "--path", "/a", "--upstream", "http://h"],
            ["a", "--path", "/a", "--upstream", "rtsp://h:99999/"], ["a b", "--path", "/a", "--publish"],
            ["a", "--path", "/a", "--publish", "--transport", "udp"], ["a", "--path", "/a", "--publish", "--always"],
            ["a", "--path", "/a", "--upstream", "rtsp://h", "--publish-users", "x"],
            ["a", "--path", "/a", "--upstream", "rtsp://h", "--transport", "sctp"],
            ["a", "--path", "/a", "--upstream", "rtsp://h", "--allow", "10.0.0.1/8"],
            ["a", "--path", "/a", "--upstream", "rtsp://h", "--read", "anyone", "--read", "bob"],
            ["a", "--path", "/a", "--upstream", "rtsp://u:p@h"],
        ])
    func refused(arguments: [String]) async {
        let code = await CrosspointProgram.run(["rtsp", "route", "add"] + arguments + ["--socket", "/nonexistent"])
        #expect(code == 64)
    }

    @Test("Commands act on the daemon; what is saved has the password, and is for its reader alone")
    func commands() async throws {
        try await RunningNode.run(configuration: "rtsp: {}\n", proxy: MockProxy(sessions: MockProxy.sample)) { node in
            func run(_ arguments: String...) async -> Int32 {
                await CrosspointProgram.run(arguments + ["--socket", node.socket])
            }
            #expect(await run("rtsp", "route", "add", "cam1", "--path", "/cam1", "--upstream", "rtsp://10.1.0.7/") == 0)
            #expect(await run("rtsp", "route", "add", "cam1", "--path", "/cam1", "--upstream", "rtsp://10.1.0.7/") == 1)
            let mode = { () throws -> Int? in
                try FileManager.default.attributesOfItem(atPath: node.configurationFile)[.posixPermissions] as? Int
            }
            let before = try mode()
            #expect(await run("config", "save") == 0)
            #expect(try mode() == before)
            let secret = RTSPRoute(name: "cam2", match: .path("/cam2"), source: .upstream("rtsp://u:p%40@10.1.0.8/"))
            let _: RTSPRouteReport = try await node.client.send(.post, "/v1/rtsp/routes", body: secret)
            #expect(await run("config", "save") == 0)
            #expect(try ConfigurationFile.load(node.configurationFile).rtsp?.routes.last == secret)
            #expect(try mode() == 0o600)
            for arguments in [
                ["rtsp", "route", "list"], ["rtsp", "route", "list", "--json"], ["rtsp", "route", "show", "cam1"],
                ["session", "list"], ["session", "list", "--json"], ["session", "show", "player-1"],
                ["session", "show", "player-1", "--json"], ["stats"], ["stats", "--json"], ["stats", "--prometheus"],
                ["config", "save", "-"], ["config", "reload"],
            ] { #expect(await CrosspointProgram.run(arguments + ["--socket", node.socket]) == 0, "\(arguments)") }
            #expect(await run("session", "close", "player-1", "upstream-1") == 0)
            #expect(await run("session", "close", "player-1") == 1)
            #expect(await run("session", "show", "a/b") == 64)
            #expect(await run("rtsp", "route", "remove", "cam1", "cam2") == 0)
            #expect(await run("rtsp", "route", "show", "cam1") == 1)
        }
    }

    @Test("Routes as tables and as lines, without the password")
    func routeTexts() {
        let report = RTSPRouteReport(
            route: RTSPRoute(
                name: "cam1", match: .prefix("/studio1"), source: .upstream("rtsp://u:p@10.1.0.7/main"),
                read: .users(["bob", "alice"])),
            isConfigured: true, state: "waiting", detail: "connection refused, 02:16:18", players: 2)
        #expect(
            RTSPRouteText.table([report]).text(colour: false)
                == """
                ROUTE  PATH         FROM                        STATE    PLAYERS  OWNER
                cam1   /studio1/…  rtsp://u:***@10.1.0.7/main  waiting        2  configuration

                """.replacing("PATH         FROM", with: "PATH        FROM"))
        #expect(
            RTSPRouteText.details(report) == """
                route         cam1
                path          /studio1/…
                from          rtsp://u:***@10.1.0.7/main
                transport     auto
                pulled        while somebody plays
                read          alice, bob
                allow         every network
                destinations  the player's own address
                state         waiting (connection refused, 02:16:18)
                players       2
                owner         configuration

                """)
    }

    @Test("Sessions as a table and as lines, with what their legs and flows carried")
    func sessionTexts() {
        let snapshot = SampleReading.cam1
        var long = MockProxy.sample[0]
        long.expiresIn = 1800.2
        #expect(SessionText.details(long, snapshot, colour: false).contains("in 1800 s without a sign of life"))
        #expect(
            SessionText.table(MockProxy.sample, snapshot).text(colour: false) == """
                SESSION     KIND           STATE    TARGET  PEER            USER   TRANSPORT    PACKETS  LOST  JITTER
                player-1    rtsp-player    playing  /cam1   10.2.0.5:40000  alice  udp              110     5       -
                upstream-1  rtsp-upstream  playing  /cam1   10.1.0.7:554    -      interleaved     1010     4       -

                """)
        #expect(
            SessionText.details(MockProxy.sample[0], snapshot, colour: false) == """
                session  player-1
                kind     rtsp-player
                state    playing
                target   /cam1
                peer     10.2.0.5:40000
                user     alice
                agent    Player/1.0 X: y
                started  2026-11-21T02:16:18.123Z
                expires  in 42 s without a sign of life
                packets  110
                lost     5
                note     answered 461 to multicast: no pool is configured

                STREAM  MEDIA  TRANSPORT  ADDRESS        RTP         RTCP             DROPPED  ENGINE
                     0  video  udp        10.2.0.5:5004  cam1 leg 1  cam1-rtcp leg 7        3  kernel (every UDP player is a leg)

                """)
        #expect(SessionTraffic(of: MockProxy.sample[0], in: SampleReading.empty) == nil)
        let statistics = SessionStatistics(sessions: MockProxy.sample)
        let measured = MeasuredStatistics(from: snapshot, to: snapshot, sessions: statistics)
        let text = StatisticsText(measured, colour: false).text
        #expect(text.contains("\n\nSESSION ") && text.contains("\nplayer-1 "))
        #expect(measured.only(route: "cam1-rtcp").sessions?.sessions.count == 2)
        #expect(measured.only(route: "cam2").sessions?.sessions.isEmpty == true)
    }

    @Test(
        "Every command explains itself, with an example",
        arguments: [
            RTSPRouteAddCommand.self, RTSPRouteListCommand.self, RTSPRouteShowCommand.self,
            RTSPRouteRemoveCommand.self, SessionListCommand.self, SessionShowCommand.self, SessionCloseCommand.self,
        ] as [any ParsableCommand.Type])
    func help(command: any ParsableCommand.Type) {
        let text = CrosspointCommand.helpMessage(for: command, columns: 120)
        #expect(text.contains("EXAMPLE") && text.contains("--json") && text.contains("--socket"))
        #expect(text.split(separator: "\n").allSatisfy { $0.count <= 120 && !$0.hasSuffix("\\") }, "\(text)")
    }
}
