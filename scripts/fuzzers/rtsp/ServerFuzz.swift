// The server's side: a connection whose requests are served by one session, as a server would.

import RTPWire
import RTSPCore

struct ServerFuzz {
    private static let methods: [RTSPMethod] = [
        .options, .describe, .announce, .setup, .play, .record, .pause, .teardown, .getParameter, .setParameter,
    ]

    private var connection = ServerConnection(
        name: "fuzz", methods: methods, features: ["play.basic"],
        limits: RTSPLimits(header: 2048, body: 1024, fields: 20))
    private var session: ServerSession?
    private var generator = SystemRandomNumberGenerator()
    private var now: UInt64 = 0
    private var isClosed = false
    private var responses = 0
    private var served = 0

    /// The first byte says how long the pieces are in which the others come.
    static func run(_ bytes: [UInt8]) {
        guard let first = bytes.first else { return }
        let length = first < 0x80 ? bytes.count : Int(first & 0x7f) + 1
        var fuzz = ServerFuzz()
        for start in stride(from: 1, to: bytes.count, by: length) where !fuzz.isClosed {
            fuzz.carryOut(fuzz.connection.receive(bytes[start..<min(start + length, bytes.count)]))
            while fuzz.connection.isSuspended, !fuzz.isClosed { fuzz.carryOut(fuzz.connection.resume()) }
        }
        precondition(fuzz.responses >= fuzz.served, "every request is answered")
    }

    private mutating func carryOut(_ actions: [ServerConnection.Action]) {
        // Not recursive: `respond` may hand out the next request.
        var actions = actions[...]
        while let action = actions.popFirst() {
            switch action {
            case .serve(let request):
                served += 1
                now += 1_000_000_000
                actions += connection.respond(serve(request))
            case .send(let bytes):
                responses += 1
                precondition(!isClosed, "nothing is sent after the end")
                check(bytes)
            case .close: isClosed = true
            case .interleaved, .answered: break
            }
        }
    }

    /// Checks that the server sends one response, whatever the request had in its fields.
    private func check(_ bytes: [UInt8]) {
        if bytes.starts(with: Array("HTTP/".utf8)) { return }
        let outcome = DecoderFuzz.decode([bytes[...]], limits: RTSPLimits())
        precondition(outcome.messages.count == 1 && outcome.error == nil, "a response is one message")
        guard case .response = outcome.messages[0] else { preconditionFailure("a response is a response") }
    }

    private mutating func serve(_ request: RTSPRequest) -> RTSPResponse {
        do throws(RTSPRefusal) { return try answer(request) } catch { return error.response }
    }

    private mutating func answer(_ request: RTSPRequest) throws(RTSPRefusal) -> RTSPResponse {
        let url = RTSPURL(request.uri)
        let split = url?.splittingControl { $0.hasPrefix("streamid=") }
        let path = (split?.presentation ?? url)?.routingPath ?? "/"
        let stream = split.flatMap { Int($0.control.dropFirst(9)) }.map { $0 & 7 }
        let target = stream.map { ServerSession.Target.stream($0) } ?? .presentation
        if let header = request.headers["Session"], SessionHeader(header)?.id == session?.id {
            session?.keepAlive(now: now)
        }
        _ = session?.isExpired(now: now)
        switch request.method {
        case .setup:
            var offer = TransportOffer(peer: IPAddress(10, 0, 0, 1))
            offer.hasUDP = true
            offer.usedChannels = []
            offer.multicast = .init(group: IPAddress(239, 1, 1, 1), udpPort: 5004, timeToLive: 16)
            offer.mayUse = { $0 == IPAddress(10, 0, 0, 2) }
            let choice = try offer.choose(from: request.headers)
            let transport = choice.answer(serverUDPPort: 5004, source: IPAddress(10, 0, 0, 9), ssrc: 7)
            precondition(TransportHeader(transport) != nil, "the answer can be read")
            if case .udp(let address, _, _) = choice.transport {
                precondition(address == offer.peer || offer.mayUse(address), "no other destination is agreed on")
            }
            var session =
                self.session
                ?? ServerSession(
                    role: .player, path: path, peer: offer.peer, user: nil, timeout: 60, now: now, generator: &generator
                )
            try session.setup(stream ?? 0, path: path)
            session.didSetUp(stream ?? 0, choice.transport, url: request.uri)
            self.session = session
            return RTSPResponse(
                .ok, headers: ["Transport": transport, "Session": session.header.description])
        case .play:
            guard let streams = try session?.play(target) else { return RTSPResponse(.sessionNotFound) }
            session?.didStart(streams)
        case .record: _ = try session?.record(target)
        case .pause:
            guard let streams = try session?.pause(target) else { return RTSPResponse(.sessionNotFound) }
            session?.didPause(streams)
        case .teardown:
            guard let ended = try session?.teardown(target) else { return RTSPResponse(.sessionNotFound) }
            session?.didTearDown(ended.streams)
            if ended.endsSession { session = nil }
        default: break
        }
        var response = RTSPResponse(.ok)
        // Everything of the request that a server may repeat.
        response.headers["Content-Base"] = url?.description
        response.headers["Range"] = request.headers["Range"].flatMap { RangeHeader($0) }?.description
        return response
    }
}
