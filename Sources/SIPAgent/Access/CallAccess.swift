// Permissions of callers, and of the addresses of media.

import AgentSupport
import Authentication
import RTPWire
import Routing
import SIPCore

/// Judges requests that belong to no call yet: by the network that they come from, the user that they are from, and how many came.
///
/// Sources from outside the networks of `allow` learn nothing: what they ask for is treated the same whether it is there or not, and who
/// keeps trying is not answered any more. Times are nanoseconds of a monotonic clock.
@AgentActor
final class CallAccess {
    /// The reason for which a request was not carried out, as it is counted.
    enum Reason: String, CaseIterable {
        /// Its User-Agent is a scanner's.
        case scanner
        /// Its source sends too many.
        case rate
        /// Its source was refused too often.
        case blocked
        /// Nobody there may do so, and nobody can authenticate.
        case network
        /// No, or wrong, credentials.
        case authentication
        /// The user may not.
        case permission
        /// No rule of the dial plan is for it.
        case destination
    }

    /// The time for which outsiders wait for a refusal, and the number of them that may wait in a second.
    private static let pause: Duration = .seconds(2)
    private static let pausesPerSecond = 50
    /// From how many strikes on a source is not answered, and how many it can have: so many seconds later all is forgiven.
    private static let (blockingStrikes, maximumStrikes) = (50, 120)
    /// The strikes of a challenge, of a wrong password, and of a call that nobody may make. A right password removes them all.
    private static let (challengeStrikes, failureStrikes) = (1, 5)

    private(set) var configuration: SIPConfiguration
    private var plan: DialPlan
    private var authentication: AuthenticationServer
    private var sources = SourceTable()
    /// The 503s to those who send too many.
    private var refusals = SourceTable()
    /// True if an address is one of this node's.
    var isOwn: @AgentActor (IPAddress) -> Bool = { _ in false }
    private var generator = SystemRandomNumberGenerator()
    private let counters: AccessCounters
    /// Requests that wait for their refusal, by the second in which they came.
    private var pauses: (second: UInt64, count: Int) = (0, 0)

    /// - Throws: what is wrong with the dial plan or the file of users.
    init(configuration: SIPConfiguration, counters: AccessCounters) throws {
        self.configuration = configuration
        self.counters = counters
        plan = try DialPlan(configuration.dialPlan)
        let key = (0..<32).map { _ in UInt8.random(in: .min ... .max) }
        authentication = AuthenticationServer(
            realm: configuration.realm, users: try Self.users(of: configuration), key: key,
            algorithms: configuration.algorithms)
    }

    private static func users(of configuration: SIPConfiguration) throws -> UserDatabase {
        guard let file = configuration.usersFile else { return UserDatabase() }
        return try UserFile.load(file)
    }

    /// Goes by another dial plan, other users, networks and limits from now on; all of them or, where it throws, none. The realm stays.
    func reload(_ configuration: SIPConfiguration) throws {
        let plan = try DialPlan(configuration.dialPlan)
        let users = try Self.users(of: configuration)
        self.plan = plan
        authentication.users = users
        authentication.algorithms = configuration.algorithms
        self.configuration = configuration
    }

    // MARK: Requests

    /// Judges a request that belongs to no dialog and no transaction, before anything is remembered of it.
    func screen(_ request: SIPRequest, from source: IPAddress, now: UInt64) -> Screening {
        let limits = configuration.limits
        let isAllowed = isAllowed(source)
        if !isAllowed {
            if let agent = request.headers["User-Agent"], ScannerNames.contains(agent) { return drop(.scanner) }
            if sources.strikes(source, now: now) >= Self.blockingStrikes { return drop(.blocked) }
        }
        if limits.requestsPerSecond > 0,
            !sources.take(source, rate: limits.requestsPerSecond, burst: limits.burst, now: now)
        {
            // A refusal is worth no more than a request: as many more are answered with one, and then none.
            guard isAllowed,
                refusals.take(source, rate: limits.requestsPerSecond, burst: limits.burst, now: now)
            else { return drop(.rate) }
            count(.rate)
            return .answer(SIPRefusal(.serviceUnavailable, headers: ["Retry-After": "5"]), after: .zero)
        }
        switch request.method {
        case .invite where request.to.tag == nil, .register where request.to.tag == nil: return .proceed
        default: return isAllowed || isOpen(to: source) ? .proceed : drop(.network)
        }
    }

    /// True if the sender of an unreadable message is to learn so: in allowed networks, as far as its rate allows.
    func answersMalformed(from source: IPAddress, now: UInt64) -> Bool {
        guard isAllowed(source) else { return false }
        let limits = configuration.limits
        return limits.requestsPerSecond == 0
            || sources.take(source, rate: limits.requestsPerSecond, burst: limits.burst, now: now)
    }

    /// Judges an INVITE that begins a call, or a MESSAGE that belongs to none.
    func admit(_ request: SIPRequest, from source: IPAddress, now: UInt64) -> CallAdmission {
        let isAllowed = isAllowed(source)
        let decision = plan.decide(request.uri, from: source)
        let permission = decision?.permission ?? .allowed
        var user: String?
        switch permission {
        case .anyone: break
        case .allowed where isAllowed: break
        case .allowed, .anyUser, .users:
            guard configuration.usersFile != nil else { return outsider(source, isAllowed: isAllowed, now: now) }
            do throws(SIPRefusal) {
                user = try authenticate(request, as: .proxy, from: source, now: now)
            } catch { return .refuse(error, after: .zero) }
        }
        if case .users(let users) = permission, let user, !users.contains(user) {
            count(.permission)
            return .refuse(SIPRefusal(.forbidden), after: .zero)
        }
        guard let decision else {
            count(.destination)
            return .refuse(SIPRefusal(.notFound), after: .zero)
        }
        return .call(decision, user: user)
    }

    /// The dial plan's decision on a place of this node that a call was redirected to; nil where the caller could not
    /// call it without being asked once more.
    func redirect(to uri: SIPURI, from source: IPAddress, user: String?) -> DialDecision? {
        guard let decision = plan.decide(uri, from: source) else { return nil }
        let isPermitted =
            switch decision.permission {
            case .anyone: true
            case .allowed: isAllowed(source) || user != nil
            case .anyUser: user != nil
            case .users(let users): user.map(users.contains) ?? false
            }
        return isPermitted ? decision : nil
    }

    /// The user that a request is from; `role` says how it is asked for.
    ///
    /// - Throws: the challenge, or what is wrong with the credentials.
    func authenticate(
        _ request: SIPRequest, as role: SIPAuthenticationRole, from source: IPAddress, now: UInt64
    ) throws(SIPRefusal) -> String {
        do throws(SIPRefusal) {
            let user = try authentication.authenticate(request, as: role, now: now, using: &generator)
            sources.forgive(source)
            return user
        } catch {
            count(.authentication)
            let name = role == .proxy ? "Proxy-Authorization" : "Authorization"
            let hasTried = request.headers.all(name).contains { $0.contains(configuration.realm) }
            strike(source, hasTried ? Self.failureStrikes : Self.challengeStrikes, now)
            throw error
        }
    }

    /// Nobody there may do what was asked for, and nobody can authenticate: a slow refusal, the same for everything.
    func refuseOutsider(_ source: IPAddress, now: UInt64) -> Screening {
        switch outsider(source, isAllowed: isAllowed(source), now: now) {
        case .refuse(let refusal, let pause): .answer(refusal, after: pause)
        case .call, .drop: .drop
        }
    }

    private func outsider(_ source: IPAddress, isAllowed: Bool, now: UInt64) -> CallAdmission {
        count(.network)
        if isAllowed { return .refuse(SIPRefusal(.forbidden), after: .zero) }
        strike(source, Self.failureStrikes, now)
        let second = now / 1_000_000_000
        if pauses.second != second { pauses = (second, 0) }
        guard pauses.count < Self.pausesPerSecond else { return .drop }
        pauses.count += 1
        return .refuse(SIPRefusal(.forbidden), after: Self.pause)
    }

    // MARK: Networks

    /// True if callers from there need no authentication.
    func isAllowed(_ source: IPAddress) -> Bool { configuration.allowedNetworks.contains { $0.contains(source) } }

    /// True if devices there may register, or callers there call, without authentication.
    func isTrusted(_ source: IPAddress) -> Bool {
        isAllowed(source) || configuration.registrar?.allowedNetworks.contains { $0.contains(source) } == true
    }

    /// True if somebody outside of `allow` has something to ask of this node.
    func isOpen(to source: IPAddress) -> Bool {
        configuration.usersFile != nil
            || configuration.registrar?.allowedNetworks.contains { $0.contains(source) } == true
            || configuration.dialPlan.contains { rule in
                rule.permission == .anyone
                    && (rule.sources.isEmpty || rule.sources.contains { $0.contains(source) })
            }
    }

    /// True if the node may send to `address`, or connect there, since a peer that signals from `peer` has named it: in
    /// a Contact, a Record-Route, or a redirection. Its own address it may name, and those of networks that callers and
    /// devices are let in from anyway; never a group, and never another address of the node. What the operator has
    /// configured is not asked about.
    func mayReach(_ address: IPAddress, for peer: IPAddress?) -> Bool {
        if address == peer { return true }
        guard !address.isMulticast, !address.isUnspecified, !address.isLimitedBroadcast else { return false }
        return isTrusted(address) && !isOwn(address)
    }

    /// True if media of a call may go to and come from `address`, which the SDP of a peer that signals from `peer`
    /// names. The routing table decides if the address is the node's own.
    ///
    /// - Parameter isTrusted: Whether the peer may name addresses of `allow`, too: it is in one of its networks, or the operator has named it.
    func mayCarryMedia(with address: IPAddress, peer: IPAddress, isTrusted: Bool) -> Bool {
        guard !address.isMulticast, !address.isLoopback, !address.isUnspecified, !address.isLimitedBroadcast else {
            return false
        }
        guard configuration.mediaNetworks.isEmpty else {
            return configuration.mediaNetworks.contains { $0.contains(address) }
        }
        return address == peer || isTrusted && isAllowed(address)
    }

    // MARK: Counting

    private func drop(_ reason: Reason) -> Screening {
        count(reason)
        return .drop
    }

    private func count(_ reason: Reason) { counters.add(to: .refusals, ["reason": reason.rawValue]) }

    private func strike(_ source: IPAddress, _ number: Int, _ now: UInt64) {
        guard !isAllowed(source) else { return }
        sources.strike(
            source, number, maximum: Self.maximumStrikes, burst: configuration.limits.burst, now: now)
    }
}
