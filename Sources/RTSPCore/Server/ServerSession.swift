// The server's side of one session: which requests it takes when, and how long it lives.

public import RTPWire
import Timing

/// An RTSP session as RFC 2326 appendix A.2 has it, for a player or a publisher.
///
/// A request is first asked about (`setup`, `play`, …: what is to be done, or the refusal), then carried out by the owner, then
/// noted (`didSetUp`, `didStart`, …). So a request that could not be carried out changes nothing.
public struct ServerSession: Hashable, Sendable, Codable {
    public enum Role: String, Hashable, Sendable, Codable { case player, publisher }

    /// Init is a session of a publisher before its first SETUP, or one whose streams were all torn down.
    public enum State: String, Hashable, Sendable, Codable { case initial, ready, playing, recording }

    /// The target that a request's URL names.
    public enum Target: Hashable, Sendable {
        case presentation
        case stream(Int)
    }

    /// One stream that was set up.
    public struct Stream: Hashable, Sendable, Codable {
        public var transport: ServerTransport
        /// The URL of its SETUP, which RTP-Info repeats.
        public var url: String
        /// True if it plays or records.
        public var isRunning = false
    }

    /// Unguessable, and the client's alone.
    public let id: String
    public let role: Role
    /// The path of the presentation.
    public let path: String
    /// The peer that may control it: requests from another address or by another user do not find it.
    public let peer: IPAddress
    public let user: String?
    /// In seconds, as the Session header says it.
    public let timeout: UInt32
    /// By the number of the media description.
    public private(set) var streams: [Int: Stream] = [:]
    private var lastSignOfLife: UInt64
    /// True if it has never played or recorded; nil, in records of earlier daemons, is no.
    private var isUnused: Bool? = true

    /// - Parameters:
    ///   - timeout: In seconds.
    ///   - now: Nanoseconds of any monotonic clock, the same for all functions.
    ///   - generator: Where the identifier comes from: 128 bits.
    public init(
        role: Role, path: String, peer: IPAddress, user: String?, timeout: UInt32, now: UInt64,
        generator: inout some RandomNumberGenerator
    ) {
        id = (0..<2).map { _ in
            let digits = String(UInt64.random(in: .min ... .max, using: &generator), radix: 16)
            return String(repeating: "0", count: 16 - digits.count) + digits
        }.joined()
        self.role = role
        self.path = path
        self.peer = peer
        self.user = user
        self.timeout = timeout
        lastSignOfLife = now
    }

    public var state: State {
        if streams.isEmpty { return .initial }
        guard streams.values.contains(where: \.isRunning) else { return .ready }
        return role == .player ? .playing : .recording
    }

    /// The value of the Session header in responses (section 12.37).
    public var header: SessionHeader { SessionHeader(id, timeout: timeout) }

    /// True if a request from `peer`, authenticated as `user` if at all, may control the session.
    public func isOwned(by peer: IPAddress, user: String?) -> Bool {
        self.peer == peer && (user == nil || user == self.user)
    }

    /// The methods that may be asked for now: the Allow of a 455 (section 11.3.6).
    public var allowedMethods: [RTSPMethod] {
        let always: [RTSPMethod] = [.options, .setup, .teardown, .getParameter, .setParameter]
        return switch (role, state) {
        case (_, .initial): always
        case (.player, _): always + [.play, .pause]
        case (.publisher, _): always + [.record, .pause]
        }
    }
}

extension ServerSession {
    /// Checks if a stream may be set up now (section 10.4). One that is set up already may change its transport as long
    /// as it is not running; other streams are not disturbed.
    ///
    /// - Parameter path: The path of the presentation that the request names; another's cannot be bundled.
    public func setup(_ stream: Int, path: String) throws(RTSPRefusal) {
        guard path == self.path else {
            throw RTSPRefusal(.aggregateNotAllowed, "the session is of \(self.path) and cannot take \(path) in")
        }
        guard streams[stream]?.isRunning != true else {
            throw RTSPRefusal(
                .methodNotValidInThisState, "stream \(stream) is \(state.rawValue); its transport cannot change",
                allow: allowedMethods.filter { $0 != .setup })
        }
    }

    public mutating func didSetUp(_ stream: Int, _ transport: ServerTransport, url: String) {
        streams[stream] = Stream(transport: transport, url: url)
    }

    /// The streams that PLAY starts (section 10.5): none where all of them play already.
    public func play(_ target: Target) throws(RTSPRefusal) -> [Int] { try start(.play, as: .player, target) }

    /// The streams that RECORD starts (section 10.11).
    public func record(_ target: Target) throws(RTSPRefusal) -> [Int] { try start(.record, as: .publisher, target) }

    private func start(_ method: RTSPMethod, as role: Role, _ target: Target) throws(RTSPRefusal) -> [Int] {
        guard role == self.role else {
            throw RTSPRefusal(
                .methodNotAllowed, "\(method.name) in the session of a \(self.role.rawValue)", allow: allowedMethods)
        }
        return try members(target, for: method).filter { streams[$0]?.isRunning == false }
    }

    public mutating func didStart(_ streams: [Int]) {
        for stream in streams { self.streams[stream]?.isRunning = true }
        isUnused = nil
    }

    /// The streams that PAUSE stops (section 10.6): none where nothing runs.
    public func pause(_ target: Target) throws(RTSPRefusal) -> [Int] {
        try members(target, for: .pause).filter { streams[$0]?.isRunning == true }
    }

    public mutating func didPause(_ streams: [Int]) {
        for stream in streams { self.streams[stream]?.isRunning = false }
    }

    /// The streams that TEARDOWN ends (section 10.7); the session ends where `endsSession` says so.
    public func teardown(_ target: Target) throws(RTSPRefusal) -> (streams: [Int], endsSession: Bool) {
        guard case .stream = target else { return (streams.keys.sorted(), true) }
        let ended = try members(target, for: .teardown)
        return (ended, ended.count == streams.count)
    }

    public mutating func didTearDown(_ streams: [Int]) { for stream in streams { self.streams[stream] = nil } }

    /// The streams that end with the connection that carries them.
    public var interleavedStreams: [Int] { streams.filter(\.value.transport.isInterleaved).keys.sorted() }

    private func members(_ target: Target, for method: RTSPMethod) throws(RTSPRefusal) -> [Int] {
        guard !streams.isEmpty else {
            throw RTSPRefusal(
                .methodNotValidInThisState, "\(method.name) before SETUP", allow: allowedMethods)
        }
        guard case .stream(let stream) = target else { return streams.keys.sorted() }
        guard streams[stream] != nil else {
            throw RTSPRefusal(
                .methodNotValidInThisState, "\(method.name) of stream \(stream), which is not set up",
                allow: allowedMethods)
        }
        return [stream]
    }
}

extension ServerSession {
    /// A client may keep alive a little late: it counts from when the last response reached it.
    private var grace: UInt64 { max(5, UInt64(timeout) / 4) }

    /// Notes a request that names the session, whatever it asks for.
    public mutating func keepAlive(now: UInt64) { lastSignOfLife = max(lastSignOfLife, now) }

    /// Notes RTCP of the client, or media of a publisher: a sign of life while the session runs, and not before (appendix A.2).
    public mutating func noteMedia(now: UInt64) {
        if state == .playing || state == .recording { keepAlive(now: now) }
    }

    /// When the session ends unless there is a sign of life before; nil while a connection carries all of its running streams:
    /// it ends with that connection.
    public var deadline: UInt64? {
        let running = streams.values.filter(\.isRunning)
        if !running.isEmpty, running.allSatisfy(\.transport.isInterleaved) { return nil }
        return lastSignOfLife.addingSaturating((UInt64(timeout) + grace).multipliedSaturating(by: 1_000_000_000))
    }

    /// The time for which a session that has never played is kept without a sign of life where others want its place.
    private static let unusedLife: UInt64 = 15_000_000_000

    /// True if the session is over.
    ///
    /// - Parameter isCrowded: Whether places for sessions are scarce: one that has never played or recorded lives shorter then.
    public func isExpired(now: UInt64, isCrowded: Bool = false) -> Bool {
        if isCrowded, isUnused == true, now.subtractingSaturating(lastSignOfLife) >= Self.unusedLife { return true }
        return deadline.map { Deadline(at: $0).hasPassed(at: now) } ?? false
    }
}
