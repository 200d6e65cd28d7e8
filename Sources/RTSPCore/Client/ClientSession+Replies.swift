// Handling of the messages that a client session receives.

import Timing

extension ClientSession {
    /// A message, or a packet, came.
    public mutating func received(_ message: RTSPMessage, at now: UInt64) -> [ClientAction] {
        switch message {
        case .request(let request): return answer(request, at: now)
        case .response(let response): return receive(response, at: now)
        case .interleaved(let channel, let payload):
            guard let (index, isRTCP) = stream(ofChannel: channel) else { return [] }
            return [.packet(stream: index, isRTCP: isRTCP, payload: payload)]
        }
    }

    /// A reply that nobody waits for, or no longer, is ignored. From a server that numbers none
    /// (RFC 2326 section 12.17 wants it), a reply is that to the only request that is under way.
    private mutating func receive(_ response: RTSPResponse, at now: UInt64) -> [ClientAction] {
        if response.headers["CSeq"] != nil { numbersReplies = true }
        let only = !numbersReplies && pending.count == 1 ? pending.keys.first : nil
        guard let number = response.sequence ?? only, let request = pending[number], response.status.code >= 200 else {
            return []
        }
        pending[number] = nil
        serverAgent = response.headers["Server"].map { String($0.prefix(256)) } ?? serverAgent
        if response.status.code == 401 { return challenged(response, request, at: now) }
        authenticator?.accepted()
        switch request.purpose {
        case .teardown:
            guard case .closing(let closing) = state else { return [] }
            return finish(closing)
        case .keepAlive: return keptAlive(response, request.request.method, at: now)
        case .probe: return state == .resuming ? resumed(response, request.request.method, at: now) : []
        case .negotiation: break
        }
        if response.status.isRedirection { return redirected(response, request.request, at: now) }
        switch state {
        case .options:
            // A server that refuses OPTIONS may serve all the same.
            if response.status.isSuccess { methods = MethodList(response.headers, "Public") }
            return [describe(at: now)]
        case .describing: return described(response)
        case .settingUp(let stream, let attempt): return wasSetUp(response, request.request, stream, attempt, at: now)
        case .starting: return started(response, at: now)
        default: return []
        }
    }

    // MARK: Authentication and redirects

    /// Of one request; a server may call a nonce stale that it has just given, but not for ever.
    private static let maximumChallenges = 3

    /// A request is repeated with credentials; one that fails with them ends the session (for a keep-alive: if nothing flows).
    private mutating func challenged(
        _ response: RTSPResponse, _ request: Pending, at now: UInt64
    ) -> [ClientAction] {
        var request = request
        request.challenges += 1
        if request.challenges <= Self.maximumChallenges,
            authenticator?.take(challenges: response.headers.all("WWW-Authenticate")) == true
        {
            request.deadline = now.addingSaturating(settings.replyTime)
            let repeated = send(request)
            guard url.scheme != .rtsps, case .send(.request(let request)) = repeated,
                request.headers["Authorization"]?.hasPrefix("Basic ") == true
            else { return [repeated] }
            return [.note("the upstream wants Basic: the password goes in the clear; use rtsps, or Digest"), repeated]
        }
        switch request.purpose {
        case .keepAlive where isMediaFlowing: return []
        case .teardown:
            guard case .closing(let closing) = state else { return [] }
            return finish(closing)
        default: return finish(.end(ClientSessionEnd(refusal: response.status, of: request.request.method)))
        }
    }

    /// RFC 2326 section 11.2. Never to a weaker scheme, never with another host's credentials, and not for ever.
    private mutating func redirected(
        _ response: RTSPResponse, _ request: RTSPRequest, at now: UInt64
    ) -> [ClientAction] {
        let code = response.status.code
        guard [300, 301, 302, 303, 307, 308].contains(code), let location = response.headers["Location"] else {
            return tearDown(.end(ClientSessionEnd(refusal: response.status, of: request.method)), at: now)
        }
        return move(to: location, reason: "redirected by \(code)", at: now)
    }

    private mutating func move(to location: String, reason: String, at now: UInt64) -> [ClientAction] {
        guard let target = RTSPURL(location) ?? (location.hasPrefix("/") ? url.sibling(location) : nil) else {
            return tearDown(.end(ClientSessionEnd(.badGateway, "\(reason) to what is no RTSP URL")), at: now)
        }
        guard target.scheme == url.scheme || target.scheme == .rtsps else {
            return tearDown(
                .end(ClientSessionEnd(.badGateway, "\(reason) to \(target), from \(url.scheme.rawValue): refused")),
                at: now)
        }
        redirects += 1
        guard redirects <= settings.maximumRedirects else {
            return tearDown(
                .end(ClientSessionEnd(.badGateway, "\(reason) for the \(redirects)th time, to \(target)")), at: now)
        }
        return tearDown(.connect(target.withoutCredentials, reason: reason), at: now)
    }

    // MARK: Negotiation

    private mutating func described(_ response: RTSPResponse) -> [ClientAction] {
        guard response.status.isSuccess else {
            return finish(.end(ClientSessionEnd(refusal: response.status, of: .describe)))
        }
        guard !response.body.isEmpty else { return end(.badGateway, "the reply to DESCRIBE has no description") }
        base = RTSPURL.base(of: response.headers, request: url)
        state = .planning
        return [.described(sdp: response.body)]
    }

    private mutating func wasSetUp(
        _ response: RTSPResponse, _ request: RTSPRequest, _ index: Int, _ attempt: Int, at now: UInt64
    ) -> [ClientAction] {
        guard response.status.isSuccess else { return refusedSetUp(response.status, index, attempt, at: now) }
        if let header = response.headers["Session"].flatMap({ SessionHeader($0) }) { session = header }
        let reply = TransportHeader(response.headers)?.specifications.first
        guard let stream = ClientStream(index: index, url: request.uri, asked: asked, reply: reply) else {
            return tearDown(
                .end(
                    ClientSessionEnd(
                        .badGateway, "stream \(index): it answers '\(asked)' with '\(reply?.description ?? "")'")),
                at: now)
        }
        var notes: [ClientAction] = []
        if stream.transport == .interleaved {
            guard plans[index].transports.contains(.interleaved) else {
                return tearDown(
                    .end(ClientSessionEnd(.badGateway, "stream \(index): it wants TCP, which its route rules out")),
                    at: now)
            }
            let channels = [stream.rtpChannel, stream.rtcpChannel].compactMap { $0 }
            guard channels.allSatisfy({ self.stream(ofChannel: $0) == nil }) else {
                return tearDown(
                    .end(ClientSessionEnd(.badGateway, "stream \(index): channels \(channels) are another's already")),
                    at: now)
            }
            if asked.lowerTransport == .udp {
                notes = [.note("stream \(index): the upstream answers UDP with TCP; interleaved from here on")]
            }
            isInterleavedOnly = true
        }
        streams.append(stream)
        if keepAliveDue == nil { keepAliveDue = now.addingSaturating(keepAliveInterval) }
        return notes + setUpStream(index + 1, attempt: 0, at: now)
    }

    /// The next transport is tried, whatever the status: few servers answer a transport that they do not have with 461. Where streams
    /// before this one have another transport, 461 begins all over again; any other status then is of the stream.
    private mutating func refusedSetUp(
        _ status: RTSPStatus, _ index: Int, _ attempt: Int, at now: UInt64
    ) -> [ClientAction] {
        let end = ClientSessionEnd(refusal: status, of: .setup)
        // A camera that is overloaded is tried again as a whole: players are not to miss a stream for long.
        if status.code == 454 || Self.overload.contains(status.code) && !streams.isEmpty {
            return tearDown(.end(end), at: now)
        }
        let transports = plans[index].transports
        let next = transports.dropFirst(attempt + 1).first
        guard status.code == 461 || streams.isEmpty && next != nil else { return leaveOut(index, end, at: now) }
        if status.code != 461 { refusal = refusal ?? end }
        let note = ClientAction.note(
            "stream \(index): \(status.code), the upstream refuses \(transports[attempt].rawValue)")
        if next == .interleaved, streams.contains(where: { $0.transport != .interleaved }) {
            isInterleavedOnly = true
            return [note] + tearDown(.connect(url, reason: "a stream is refused by UDP"), at: now)
        }
        return [note] + setUpStream(index, attempt: attempt + 1, at: now)
    }

    /// The statuses that say nothing of the request: 408, 453, 503, 504.
    private static let overload: Set<UInt16> = [408, 453, 503, 504]

    private mutating func started(_ response: RTSPResponse, at now: UInt64) -> [ClientAction] {
        if !response.status.isSuccess, response.status.code != 454, !Self.overload.contains(response.status.code),
            !withoutRange
        {
            withoutRange = true
            return [
                .note("PLAY with Range is refused: \(response.status.code); it is tried without"), sendPlay(at: now),
            ]
        }
        guard response.status.isSuccess else {
            return tearDown(.end(ClientSessionEnd(refusal: response.status, of: .play)), at: now)
        }
        if let text = response.headers["RTP-Info"] { take(RTPInfoHeader(text)) }
        return establish(at: now)
    }

    /// By URL, or by place where the server writes its URLs in another way than its description does.
    private mutating func take(_ info: RTPInfoHeader) {
        for index in streams.indices {
            let url = streams[index].url
            let found =
                info.streams.first { $0.url == url }
                ?? info.streams.first { !$0.url.isEmpty && url.hasSuffix("/" + $0.url) }
                ?? (info.streams.count == streams.count ? info.streams[index] : nil)
            streams[index].firstSequence = found?.sequence
            streams[index].firstTimestamp = found?.timestamp
        }
    }

    mutating func establish(at now: UInt64) -> [ClientAction] {
        state = .playing
        redirects = 0
        closedChallenges = 0
        keepAliveDue = now.addingSaturating(keepAliveInterval)
        return [.established(streams)]
    }
}

// MARK: - The server's own requests

extension ClientSession {
    private static let served: [RTSPMethod] = [.options, .getParameter, .setParameter, .announce, .redirect]

    /// Servers may ask too, also while a reply of theirs is due (RFC 2326 section 10).
    private mutating func answer(_ request: RTSPRequest, at now: UInt64) -> [ClientAction] {
        guard request.sequence != nil else { return [reply(.badRequest, to: request)] }
        guard request.version.major == 1 else { return [reply(.versionNotSupported, to: request)] }
        if let options = request.headers["Require"] {
            return [reply(.optionNotSupported, to: request, ["Unsupported": options])]
        }
        if let named = request.headers["Session"].flatMap({ SessionHeader($0) }), named.id != session?.id {
            return [reply(.sessionNotFound, to: request)]
        }
        switch request.method {
        case .options: return [reply(.ok, to: request, ["Public": MethodList(Self.served).description])]
        case .getParameter, .setParameter:
            // As a sign of life it is empty; there are no parameters.
            return [reply(request.body.isEmpty ? .ok : .parameterNotUnderstood, to: request)]
        case .announce:
            let type = HeaderText.split((request.headers["Content-Type"] ?? "")[...], at: UInt8(ascii: ";"))[0]
            guard HeaderText.lowercased(type) == "application/sdp", !request.body.isEmpty else {
                return [reply(.unsupportedMediaType, to: request)]
            }
            return [reply(.ok, to: request), .announced(sdp: request.body)]
        case .redirect:
            guard let location = request.headers["Location"] else { return [reply(.badRequest, to: request)] }
            return [reply(.ok, to: request)] + move(to: location, reason: "redirected by REDIRECT", at: now)
        case .other: return [reply(.notImplemented, to: request)]
        default:
            return [reply(.methodNotAllowed, to: request, ["Allow": MethodList(Self.served).description])]
        }
    }

    private func reply(_ status: RTSPStatus, to request: RTSPRequest, _ headers: RTSPHeaders = [:]) -> ClientAction {
        var headers = headers
        // Its own number, which is not one of ours (RFC 2326 section 12.17).
        headers["CSeq"] = request.headers["CSeq"]
        if let session = request.headers["Session"] { headers["Session"] = session }
        return .send(.response(RTSPResponse(status, headers: headers)))
    }
}
