// Cameras that stop answering, with the connection as it was: in every state of the session.

import AgentSupport
import Logging
import RTPWire
import RTSPCore
import Routing
import Testing

@testable import RTSPProxy

@Suite("Frozen cameras", .timeLimit(.minutes(2))) @AgentActor struct FrozenCameraTests {
    private let routing = EmulatedRoutes()
    private let context: ProxyContext

    init() {
        let first = UInt16.random(in: 10_000...19_000) & ~1
        context = ProxyContext(
            configuration: RTSPConfiguration(udpPorts: first...first + 200), routing: routing,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    private func source(_ url: String) throws -> UpstreamSource {
        var timing = UpstreamTiming()
        timing.watch = 5_000_000
        timing.firstPacket = 30_000_000_000
        timing.loss = 200_000_000
        timing.reply = 250_000_000
        timing.teardown = 150_000_000
        return UpstreamSource(
            context: context, routeName: "rtsp.cam", url: try #require(RTSPURL(url)), timing: timing)
    }

    private func status(_ source: UpstreamSource) async -> RTSPStatus? {
        do throws(MediaSourceError) {
            _ = try await source.open()
            return nil
        } catch { return error.status }
    }

    @Test(
        "One that freezes before it plays is given up with 504, and is opened again when it answers",
        arguments: [RTSPMethod.options, .describe, .setup, .play], [false, true])
    func beforePlaying(method: RTSPMethod, chats: Bool) async throws {
        var script = ScriptedCamera.Script()
        script.freezesAt = method
        // Events in every millisecond: also in those between a deadline and its timer.
        if chats { script.chat = .microseconds(300) }
        let camera = try await ScriptedCamera(script)
        let source = try source(camera.url)
        #expect(await status(source) == .gatewayTimeout)
        camera.freeze(false)
        #expect(await status(source) == nil)
        #expect(source.isLive)
        await source.close()
        #expect(await routing.routes().isEmpty)
        try await camera.stop()
    }

    @Test(
        "One that freezes while it plays is lost once, its TEARDOWN is waited for once, and its routes stay for when it comes back",
        arguments: [false, true])
    func whilePlaying(chats: Bool) async throws {
        var script = ScriptedCamera.Script()
        if chats { script.chat = .microseconds(300) }
        let camera = try await ScriptedCamera(script)
        let source = try source(camera.url)
        var errors: [MediaSourceError] = []
        source.onEnd = { errors.append($0) }
        _ = try await source.open()
        let plays = await eventually { await routing.progress(of: "rtsp.cam.0.rtp")?.packets ?? 0 > 3 }
        #expect(plays)
        camera.freeze()
        let isClosing = await eventually { camera.methods.contains(.teardown) }
        #expect(isClosing && errors.isEmpty && source.session?.isPlaying == false)
        // Its media is looked at no more: while it is closing, nothing is due.
        let isLost = await eventually { !errors.isEmpty }
        #expect(isLost)
        #expect(errors.map(\.status) == [.gatewayTimeout])
        #expect(camera.methods.filter { $0 == .teardown }.count == 1)
        #expect(await routing.routes().count == 2)
        camera.freeze(false)
        #expect(await status(source) == nil)
        await source.close()
        #expect(await routing.routes().isEmpty)
        try await camera.stop()
    }

    @Test("One that freezes when it is told to end is left after the time that TEARDOWN has", arguments: [false, true])
    func whileClosing(chats: Bool) async throws {
        var script = ScriptedCamera.Script()
        script.freezesAt = .teardown
        if chats { script.chat = .microseconds(300) }
        let camera = try await ScriptedCamera(script)
        let source = try source(camera.url)
        _ = try await source.open()
        let began = ContinuousClock.now
        await source.close()
        #expect(ContinuousClock.now - began >= .milliseconds(140))
        #expect(await routing.routes().isEmpty)
        try await camera.stop()
    }
}
