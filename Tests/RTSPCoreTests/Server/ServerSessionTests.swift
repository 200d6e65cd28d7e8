// Which requests a session takes in which state, and how long it lives.

import RTPWire
import RTSPCore
import Testing

/// Numbers that repeat from test to test.
private struct CountingGenerator: RandomNumberGenerator {
    var value: UInt64
    mutating func next() -> UInt64 {
        value &+= 1
        return value
    }
}

@Suite struct ServerSessionTests {
    static let peer = IPAddress(10, 2, 0, 5)
    static let second: UInt64 = 1_000_000_000
    static let udp = ServerTransport.udp(address: peer, rtpUDPPort: 6, rtcpUDPPort: 7)

    static func session(_ role: ServerSession.Role = .player, seed: UInt64 = 0, user: String? = nil) -> ServerSession {
        var generator = CountingGenerator(value: seed)
        return ServerSession(
            role: role, path: "/cam", peer: peer, user: user, timeout: 60, now: 100 * second, generator: &generator)
    }

    /// A session with two streams.
    static func ready(_ role: ServerSession.Role = .player) -> ServerSession {
        var session = session(role)
        session.didSetUp(0, udp, url: "rtsp://h/cam/streamid=0")
        session.didSetUp(1, .interleaved(rtp: 0, rtcp: 1), url: "rtsp://h/cam/streamid=1")
        return session
    }

    /// The refusal of a request, or nil.
    static func refusal<T>(_ ask: () throws(RTSPRefusal) -> T) -> RTSPRefusal? {
        do throws(RTSPRefusal) {
            _ = try ask()
            return nil
        } catch { return error }
    }

    var session = Self.ready()

    @Test("R-25: Session names the timeout, and any request moves the end")
    mutating func timeout() {
        #expect(session.header.description == "\(session.id);timeout=60")
        let first = session.deadline
        session.keepAlive(now: 130 * Self.second)
        #expect(first.map { $0 + 30 * Self.second } == session.deadline)
        session.keepAlive(now: 120 * Self.second)
        #expect(first.map { $0 + 30 * Self.second } == session.deadline, "an older sign of life takes nothing back")
    }

    @Test("R-26: RTCP keeps a session that plays, and none that does not")
    mutating func rtcp() throws {
        let first = session.deadline
        session.noteMedia(now: 150 * Self.second)
        #expect(session.deadline == first)
        session.didStart([0])
        session.noteMedia(now: 150 * Self.second)
        #expect(session.deadline == first.map { $0 + 50 * Self.second })
        session.didPause([0])
        session.noteMedia(now: 190 * Self.second)
        #expect(session.deadline == first.map { $0 + 50 * Self.second })
    }

    @Test("R-26: a session in Ready without a request for longer than the timeout and its grace is over")
    func expiry() throws {
        let deadline = try #require(session.deadline)
        #expect(!session.isExpired(now: deadline - 1))
        #expect(session.isExpired(now: deadline))
    }

    @Test("Where places are scarce, a session that has never played lives shorter; one that has played, as it is told")
    mutating func crowded() {
        let begun = 100 * Self.second
        #expect(!session.isExpired(now: begun + 14 * Self.second, isCrowded: true))
        #expect(session.isExpired(now: begun + 15 * Self.second, isCrowded: true))
        #expect(!session.isExpired(now: begun + 15 * Self.second))
        session.didStart([0])
        session.didPause([0])
        #expect(!session.isExpired(now: begun + 74 * Self.second, isCrowded: true))
        #expect(session.isExpired(now: begun + 75 * Self.second, isCrowded: true))
        #expect(session.isExpired(now: .max) && !session.isExpired(now: 0, isCrowded: true))
    }

    @Test(
        "R-27: what is interleaved ends with its connection, what is on UDP stays; what runs interleaved only has no end"
    )
    mutating func interleaved() {
        #expect(session.interleavedStreams == [1])
        session.didTearDown(session.interleavedStreams)
        #expect(session.state == .ready && session.streams.keys.sorted() == [0])
        session = Self.session()
        session.didSetUp(0, .interleaved(rtp: 0, rtcp: 1), url: "rtsp://h/cam")
        #expect(session.deadline != nil)
        session.didStart([0])
        #expect(session.deadline == nil && !session.isExpired(now: .max))
        session.didPause([0])
        #expect(session.deadline != nil)
    }

    @Test("R-28: keep-alives that come every 60 s or a little later are in time")
    func grace() {
        #expect(!session.isExpired(now: 100 * Self.second + 60 * Self.second))
        #expect(!session.isExpired(now: 100 * Self.second + 70 * Self.second))
        #expect(session.isExpired(now: 100 * Self.second + 80 * Self.second))
    }

    @Test("R-29, R-32: a session is found only from the address and by the user that made it")
    func ownership() {
        let session = Self.session(user: "anna")
        #expect(session.isOwned(by: Self.peer, user: "anna"))
        #expect(session.isOwned(by: Self.peer, user: nil))
        #expect(!session.isOwned(by: Self.peer, user: "otto"))
        #expect(!session.isOwned(by: IPAddress(10, 2, 0, 6), user: "anna"))
    }

    @Test("R-30: PLAY, PAUSE and RECORD in Init get 455 with Allow")
    func initial() {
        let player = Self.session()
        let publisher = Self.session(.publisher)
        for refusal in [
            Self.refusal { () throws(RTSPRefusal) in try player.play(.presentation) },
            Self.refusal { () throws(RTSPRefusal) in try player.pause(.presentation) },
            Self.refusal { () throws(RTSPRefusal) in try publisher.record(.presentation) },
        ] {
            #expect(refusal?.response.status.code == 455)
            #expect(refusal?.response.headers["Allow"] == "OPTIONS, SETUP, TEARDOWN, GET_PARAMETER, SET_PARAMETER")
        }
    }

    @Test("R-30: states follow appendix A.2; a second PLAY and a PAUSE in Ready have no effect")
    mutating func states() throws {
        #expect(session.state == .ready)
        #expect(try session.pause(.presentation).isEmpty)
        let started = try session.play(.presentation)
        #expect(started == [0, 1])
        session.didStart(started)
        #expect(session.state == .playing)
        #expect(try session.play(.presentation).isEmpty)
        let paused = try session.pause(.presentation)
        session.didPause(paused)
        #expect(paused == [0, 1] && session.state == .ready)
        #expect(try session.teardown(.presentation) == ([0, 1], true))
    }

    @Test("R-30: SETUP of a stream that plays gets 455, of another it does not disturb what plays")
    mutating func setupWhilePlaying() throws {
        session.didStart([0])
        let refusal = Self.refusal { () throws(RTSPRefusal) in try session.setup(0, path: "/cam") }
        #expect(refusal?.response.status.code == 455)
        #expect(refusal?.response.headers["Allow"] == "OPTIONS, TEARDOWN, GET_PARAMETER, SET_PARAMETER, PLAY, PAUSE")
        try session.setup(1, path: "/cam")
        session.didSetUp(1, .interleaved(rtp: 4, rtcp: 5), url: "rtsp://h/cam/streamid=1")
        #expect(session.streams[0]?.isRunning == true && session.streams[1]?.isRunning == false)
        #expect(try session.play(.presentation) == [1])
    }

    @Test("R-31: TEARDOWN of one stream ends that stream, of the last or of the presentation the session")
    mutating func teardown() throws {
        session.didStart([0, 1])
        #expect(try session.teardown(.stream(1)) == ([1], false))
        session.didTearDown([1])
        #expect(session.state == .playing)
        let again = Self.refusal { () throws(RTSPRefusal) in try session.teardown(.stream(1)) }
        #expect(again?.response.status.code == 455)
        #expect(try session.teardown(.stream(0)) == ([0], true))
    }

    @Test("R-31: PLAY and PAUSE of one stream act on it alone; another presentation cannot be bundled (459)")
    mutating func streams() throws {
        #expect(try session.play(.stream(1)) == [1])
        session.didStart([1])
        #expect(session.state == .playing)
        #expect(try session.pause(.stream(0)).isEmpty)
        #expect(try session.pause(.stream(1)) == [1])
        let refusal = Self.refusal { () throws(RTSPRefusal) in try session.setup(0, path: "/other") }
        #expect(refusal?.response.status.code == 459)
    }

    @Test("R-32: identifiers are 128 random bits, each session's own")
    func identifiers() {
        let ids = (0..<100).map { Self.session(seed: $0 * 2).id }
        #expect(Set(ids).count == 100)
        #expect(ids.allSatisfy { $0.count == 32 && $0.allSatisfy(\.isHexDigit) })
        #expect(SessionHeader("\(ids[0]) ; timeout=60")?.id == ids[0])
    }

    @Test("R-33: RECORD in a player's session and PLAY in a publisher's get 405 with Allow")
    func modes() {
        let record = Self.refusal { () throws(RTSPRefusal) in try session.record(.presentation) }
        #expect(record?.response.status.code == 405)
        #expect(record?.response.headers["Allow"]?.contains("PLAY") == true)
        let publisher = Self.ready(.publisher)
        let play = Self.refusal { () throws(RTSPRefusal) in try publisher.play(.presentation) }
        #expect(play?.response.status.code == 405)
        #expect(play?.response.headers["Allow"]?.contains("RECORD") == true)
    }

    @Test("A publisher records, pauses and ends like a player")
    mutating func publisher() throws {
        session = Self.ready(.publisher)
        session.didStart(try session.record(.presentation))
        #expect(session.state == .recording)
        #expect(try session.record(.presentation).isEmpty)
        session.didPause(try session.pause(.presentation))
        #expect(session.state == .ready)
    }

    @Test("R-33: a live source plays from now on at its own speed, whatever range was asked for")
    func range() throws {
        for text in ["npt=0.000-", "npt=now-", "npt=12.5-", "npt=-30", "npt=0:00:10-20", "NPT = 0-"] {
            #expect(try LiveRange.answer(to: ["Range": text]) == ["Range": "npt=now-"], "\(text)")
        }
        #expect(try LiveRange.answer(to: [:]) == ["Range": "npt=now-"])
        let answer = try LiveRange.answer(to: ["Scale": "2.0", "Speed": "0.5"])
        #expect(answer["Scale"] == "1.0" && answer["Speed"] == "1.0")
    }

    @Test("C-14, R-33: units that a live source has not get 501, ranges that cannot be read, or have no unit, 457")
    func badRange() {
        func status(_ text: String) -> UInt16? {
            Self.refusal { () throws(RTSPRefusal) in try LiveRange.answer(to: ["Range": text]) }?.response.status.code
        }
        for text in ["smpte=0:10:20-", "clock=19961108T143720.25Z-", "weeks=1-2"] { #expect(status(text) == 501) }
        for text in ["npt=", "npt=a-b", "npt=5", "npt=-", "0.000-", "", "now-"] {
            #expect(status(text) == 457, "\(text)")
        }
    }
}
