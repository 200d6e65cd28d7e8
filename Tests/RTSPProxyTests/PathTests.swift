// One source for all players of a path.

import AgentSupport
import Logging
import RTSPCore
import Testing

@testable import RTSPProxy

@Suite("Paths") @AgentActor struct PathTests {
    private let source: FakeSource
    private let path: Path

    init() throws {
        let source = FakeSource(presentation: try .video())
        let context = ProxyContext(
            configuration: RTSPConfiguration(linger: 0), routing: MockRouting(), logger: Logger(label: "test"))
        self.source = source
        path = Path(
            route: RTSPRoute(name: "cam", match: .path("/cam"), source: .upstream("rtsp://camera/")), path: "/cam",
            routeName: "rtsp.cam", context: context
        ) { _ in source }
    }

    @Test("Two routes do not have one path: one of them would be hidden, and nothing could be saved")
    func samePath() throws {
        let context = ProxyContext(
            configuration: RTSPConfiguration(linger: 0), routing: MockRouting(), logger: Logger(label: "test"))
        let source = source
        let paths = PathTable(context: context) { _, _ in source }
        let first = RTSPRoute(name: "cam", match: .path("/cam"), source: .upstream("rtsp://camera/"))
        try paths.add(first, isConfigured: true)
        var second = first
        second.name = "other"
        let error = #expect(throws: RTSPRouteError.self) { try paths.add(second, isConfigured: false) }
        #expect(error?.code == .conflict && error?.message.contains("route cam has its path") == true)
        second.match = .path("/other")
        try paths.add(second, isConfigured: false)
    }

    private func settled(_ condition: @AgentActor () -> Bool) async throws {
        for _ in 0..<500 where !condition() { try await Task.sleep(for: .milliseconds(10)) }
        #expect(condition())
    }

    /// The status that a player gets who asks for the path.
    private static func status(at path: Path) async -> UInt16 {
        do throws(MediaSourceError) {
            _ = try await path.attach()
            return 200
        } catch {
            return error.status.code
        }
    }

    /// What fifty players get who ask at once.
    private func fifty() async -> [UInt16] {
        let path = path
        let players = (0..<50).map { _ in Task { await Self.status(at: path) } }
        var codes: [UInt16] = []
        for player in players { codes.append(await player.value) }
        return codes
    }

    @Test("F-07: fifty players at a cold path open its source once, and all get it")
    func coldPath() async throws {
        source.delay = .milliseconds(50)
        #expect(await fifty() == [UInt16](repeating: 200, count: 50))
        #expect(source.opened == 1)
        #expect(path.users == 50)
    }

    @Test("F-07: all who wait for a source that fails get the same error")
    func coldFailure() async throws {
        source.delay = .milliseconds(50)
        source.failures = [MediaSourceError(.gatewayTimeout, "camera: silent")]
        #expect(await fifty() == [UInt16](repeating: 504, count: 50))
        #expect(source.opened == 1)
        #expect(path.users == 0)
    }

    @Test("F-02: the source is let go when the last player has left, not before")
    func linger() async throws {
        _ = try await path.attach()
        _ = try await path.attach()
        path.detach()
        try await Task.sleep(for: .milliseconds(50))
        #expect(source.closed == 0)
        path.detach()
        try await settled { source.closed == 1 }
        #expect(path.report.state == "idle")
    }

    @Test("C-19: without linger, a source that is asked for again begins when the earlier one has ended")
    func reopened() async throws {
        source.closeDelay = .milliseconds(50)
        for round in 1...3 {
            _ = try await path.attach()
            #expect(source.opened == round)
            path.detach()
            try await settled { path.report.state == "idle" }
        }
        try await settled { source.closed == 3 }
        #expect(!source.isDisturbed)
    }

    @Test("C-19: without linger, the source stays between DESCRIBE and the SETUP that follows")
    func followed() async throws {
        _ = try await path.attach()
        path.detach(isFollowed: true)
        try await Task.sleep(for: .milliseconds(100))
        #expect(source.closed == 0 && path.report.state == "live")
        _ = try await path.attach()
        path.detach()
        try await settled { source.closed == 1 }
        #expect(source.opened == 1)
    }

    @Test("F-08: a lost source is opened again while somebody plays")
    func reconnect() async throws {
        _ = try await path.attach()
        source.failures = [MediaSourceError(.badGateway, "camera: refused")]
        source.onEnd?(MediaSourceError(.badGateway, "camera: connection lost"))
        #expect(path.report.state == "waiting")
        do {
            _ = try await path.attach()
            Issue.record("it was answered while its source was away")
        } catch {
            #expect(error.status.code == 503)
        }
        try await settled { path.report.state == "live" }
        #expect(source.opened == 3)
        #expect(source.closed == 0)
    }

    @Test("F-08: players whose streams are not the source's any more are told")
    func replaced() async throws {
        var told: [UInt16] = []
        path.onReplaced[ObjectIdentifier(source)] = { told.append($0.status.code) }
        _ = try await path.attach()
        source.presentation = try .video(clockRate: 27_000_000)
        source.onEnd?(MediaSourceError(.badGateway, "camera: connection lost"))
        try await settled { path.report.state == "live" }
        #expect(told == [454])
    }

    @Test("A path that was removed takes no publisher")
    func publishClosed() async throws {
        let route = RTSPRoute(name: "live", match: .path("/live"), source: .publisher)
        let context = ProxyContext(
            configuration: RTSPConfiguration(linger: 0), routing: MockRouting(), logger: Logger(label: "test"))
        let path = Path(route: route, path: "/live", routeName: "rtsp.live", context: context) { [source] _ in source }
        await path.close()
        do {
            try path.publish(source, try .video())
            Issue.record("somebody publishes on a path that is not there")
        } catch {
            #expect((error as? MediaSourceError)?.status.code == 404)
        }
        #expect(path.current == nil)
    }

    @Test("Who waits for a source is answered when the path is removed or reset meanwhile, and the source is let go")
    func closedWhileOpening() async throws {
        source.delay = .milliseconds(200)
        for (isReset, status) in [(true, 503 as UInt16), (false, 404)] {
            let opened = source.opened
            let player = Task { [path] in await Self.status(at: path) }
            try await settled { source.opened == opened + 1 }
            if isReset {
                await path.reset(MediaSourceError(.serviceUnavailable, "path /cam: reset"))
            } else {
                await path.close()
            }
            #expect(await player.value == status)
            #expect(source.closed == source.opened)
        }
        #expect(await Self.status(at: path) == 404)
        #expect(path.users == 0)
    }

    @Test("The end of an opening that was given up is not that of the next one")
    func overtaken() async throws {
        source.delay = .milliseconds(100)
        source.failures = [MediaSourceError(.badGateway, "camera: closed")]
        let first = Task { [path] in await Self.status(at: path) }
        try await settled { source.opened == 1 }
        await path.reset(MediaSourceError(.serviceUnavailable, "path /cam: reset"))
        let second = Task { [path] in await Self.status(at: path) }
        try await settled { source.opened == 2 }
        #expect(await first.value == 503)
        #expect(await second.value == 200)
        #expect(path.report.state == "live")
    }

    @Test("Nobody publishes where the streams come from an upstream")
    func publish() async throws {
        #expect(throws: MediaSourceError.self) { try path.publish(source, try .video()) }
    }
}
