// The requests by which a client session stays alive, and by which it learns that it does not.

import Timing

extension ClientSession {
    /// The way in which a session is kept alive, as far as the server has shown which one it takes.
    struct KeepAlive: Hashable, Sendable {
        /// The method after the first change; nil: what Public says.
        var method: RTSPMethod?
        /// The methods that the server refuses.
        var refused: Set<RTSPMethod> = []
        /// Changes from one method to the other, for lack of an answer or because of a refusal.
        var changes = 0
        /// True after a 454 while packets came: the next one says whether the session is over.
        var isDoubted = false
    }

    /// GET_PARAMETER where the server has it or does not say what it has, else OPTIONS, until one of them fails.
    var keepAliveMethod: RTSPMethod {
        keepAlive.method ?? (methods?.contains(.getParameter) ?? true ? .getParameter : .options)
    }

    /// Two fifths of the time after which the server would end the session, and no more than a minute, in nanoseconds.
    var keepAliveInterval: UInt64 {
        min(UInt64(session?.timeout ?? 60) * 400_000_000, 60_000_000_000)
    }

    mutating func sendKeepAlive(at now: UInt64) -> ClientAction {
        keepAliveDue = now.addingSaturating(keepAliveInterval)
        return send(keepAliveMethod, presentation, purpose: .keepAlive, at: now)
    }

    /// A keep-alive has no answer: some servers answer the one method only, some the other one.
    mutating func keepAliveIsUnanswered(_ method: RTSPMethod) -> [ClientAction] {
        unansweredKeepAlives += 1
        if unansweredKeepAlives >= 3, !isMediaFlowing {
            return end(.gatewayTimeout, "neither replies nor packets come")
        }
        return changeKeepAlive(from: method, "is not answered")
    }

    /// An answer to a keep-alive. Only the session's own methods say that it lives: OPTIONS has nothing to do with it (RFC 2326 section
    /// 10.1). One that the server does not know any more ends, unless packets still come: then it is asked again.
    mutating func keptAlive(_ response: RTSPResponse, _ method: RTSPMethod, at now: UInt64) -> [ClientAction] {
        unansweredKeepAlives = 0
        guard !response.status.isSuccess else {
            if method != .options { keepAlive.isDoubted = false }
            return []
        }
        guard response.status.code == 454 else {
            keepAlive.refused.insert(method)
            return changeKeepAlive(from: method, "is refused: \(response.status.code)")
        }
        guard isMediaFresh else { return end(.badGateway, "the upstream does not know the session any more") }
        if !keepAlive.isDoubted {
            keepAlive.isDoubted = true
            keepAliveDue = now.addingSaturating(Self.doubt)
            return []
        }
        // Packets come all the same: it is the method that the server does not know.
        keepAlive.isDoubted = false
        keepAlive.refused.insert(method)
        return changeKeepAlive(from: method, "is refused: 454, while packets come")
    }

    /// The time until a session is asked for again that the server does not know although its packets come.
    private static let doubt: UInt64 = 2_000_000_000

    private mutating func changeKeepAlive(from method: RTSPMethod, _ reason: String) -> [ClientAction] {
        let other: RTSPMethod = method == .options ? .getParameter : .options
        guard !keepAlive.refused.contains(other) else { return [] }
        keepAlive.method = other
        keepAlive.changes += 1
        // Where neither is answered it changes for ever.
        guard keepAlive.changes <= 2 else { return [] }
        return [.note("\(method.name) \(reason); \(other.name) keeps the session alive")]
    }

    // MARK: Resumption

    /// Asks by a method of the session if the server still has it: GET_PARAMETER, or PLAY where there is none.
    mutating func resume(at now: UInt64) -> ClientAction {
        state = .resuming
        let hasNothing = methods?.methods.isEmpty ?? true
        return probe(hasNothing || methods?.contains(.getParameter) == true ? .getParameter : .play, at: now)
    }

    private mutating func probe(_ method: RTSPMethod, at now: UInt64) -> ClientAction {
        send(method, presentation, purpose: .probe, at: now)
    }

    /// The server's answer to a probe.
    mutating func resumed(_ response: RTSPResponse, _ method: RTSPMethod, at now: UInt64) -> [ClientAction] {
        if response.status.isSuccess { return establish(at: now) }
        // What it does not serve says nothing of the session.
        if response.status.code != 454, method == .getParameter { return [probe(.play, at: now)] }
        return beginAgain("the upstream has no such session any more (\(response.status.code))", at: now)
    }

    mutating func probeIsUnanswered(_ method: RTSPMethod, at now: UInt64) -> [ClientAction] {
        guard method != .getParameter else { return [probe(.play, at: now)] }
        return beginAgain("the upstream does not say if it has the session", at: now)
    }

    private mutating func beginAgain(_ reason: String, at now: UInt64) -> [ClientAction] {
        reset()
        state = .options
        return [.note("\(reason); a new one is set up"), send(.options, url, at: now)]
    }
}
