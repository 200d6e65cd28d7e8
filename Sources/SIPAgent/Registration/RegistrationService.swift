// Devices register here, so that they can be called by name.

import AgentSupport
import Logging
import RTPWire
import Routing
import SIPCore
import Timing

/// The registrar of the node: who may register what, the bindings, where each was registered from, and their journal. Times are
/// nanoseconds of CLOCK_MONOTONIC.
@AgentActor
final class RegistrationService {
    /// The longest address-of-record, in bytes: it names a file of the journal.
    private static let maximumLength = 100
    /// The interval at which bindings that have ended are looked for.
    private static let tidyingInterval: UInt64 = 30_000_000_000

    private var configuration: SIPConfiguration
    private let access: CallAccess
    private let counters: AccessCounters
    private let logger: Logger
    private let journal: JournalDirectory<RegistrationRecord>
    private var registrar: Registrar
    /// The origins that bindings were registered from, by address-of-record and contact.
    private var origins: [SIPURI: [SIPURI: RegistrationOrigin]] = [:]
    /// The source that has registered each name first, and the number of names of each source.
    private var owners: [SIPURI: SourceKey] = [:]
    private var namesOfSource: [SourceKey: Int] = [:]
    /// The names that contacts are registered for, by the contacts' user and place.
    private var names: [String: SIPURI] = [:]
    /// The names that are registered on each connection.
    private var namesOfConnection: [UInt64: Set<SIPURI>] = [:]
    private var tidiedAt: UInt64 = 0
    /// The receiver of origins that a REGISTER has told: address-of-record, contact, origin.
    var onOrigin: @AgentActor (SIPURI, SIPURI, RegistrationOrigin) -> Void = { _, _, _ in }

    /// Takes up what an earlier daemon has accepted.
    ///
    /// - Throws: that the journal cannot be made.
    init(
        configuration: SIPConfiguration, access: CallAccess, counters: AccessCounters, runtimeDirectory: String,
        logger: Logger, now: UInt64 = MonotonicClock.now
    ) throws(RoutingError) {
        self.configuration = configuration
        self.access = access
        self.counters = counters
        self.logger = logger
        journal = try JournalDirectory(directory: "\(runtimeDirectory)/sip/registrations")
        registrar = Registrar(policy: Self.policy(configuration))
        restore(now)
    }

    private static func policy(_ configuration: SIPConfiguration) -> Registrar.Policy {
        let registrar = configuration.registrar ?? RegistrarConfiguration()
        return Registrar.Policy(
            maximum: UInt32(clamping: registrar.maximumExpiry), minimum: UInt32(clamping: registrar.minimumExpiry),
            addresses: configuration.limits.registrations, bindingsOfAddress: registrar.maximumContacts)
    }

    /// Goes by other networks and limits from now on. What is registered stays until it ends.
    func reload(_ configuration: SIPConfiguration) {
        self.configuration = configuration
        registrar.policy = Self.policy(configuration)
    }

    // MARK: REGISTER

    /// Carries out a REGISTER that was screened.
    func register(_ request: SIPRequest, from source: SIPSource, now: UInt64) -> RegistrationOutcome {
        tidy(now)
        guard let policy = configuration.registrar else {
            return refuse(.methodNotAllowed, source, now)
        }
        var user: String?
        if !policy.allowedNetworks.contains(where: { $0.contains(source.address) }) {
            guard configuration.usersFile != nil else { return refuse(.forbidden, source, now) }
            do throws(SIPRefusal) {
                user = try access.authenticate(request, as: .userAgent, from: source.address, now: now)
            } catch { return .refuse(error, after: .zero) }
        }
        do throws(SIPRefusal) {
            return .accepted(try carryOut(request, from: source, user: user, now: now))
        } catch {
            logger.info("sip: REGISTER of \(request.to.uri) from \(source.text) refused: \(error.status)")
            return .refuse(error, after: .zero)
        }
    }

    private func carryOut(
        _ request: SIPRequest, from origin: SIPSource, user: String?, now: UInt64
    ) throws(SIPRefusal) -> SIPHeaders {
        guard let address = address(of: request.to.uri), self.address(of: request.uri, isRegistrar: true) != nil else {
            throw SIPRefusal(.notFound)
        }
        // Users register themselves; who may register others, networks say.
        if let user, address.userName != user { throw SIPRefusal(.forbidden) }
        let source = SourceKey(origin.address)
        let hasRoom = namesOfSource[source, default: 0] < configuration.limits.registrationsPerSource
        guard owners[address] != nil || hasRoom || request.headers.all("Contact").isEmpty else {
            throw SIPRefusal(.serviceUnavailable, headers: ["Retry-After": "60"])
        }
        var request = request
        request.to.uri = address
        let before = Set(registrar.bindings(of: address, now: .saturating(nanoseconds: now)).map(\.contact))
        let headers = try registrar.register(request, now: .saturating(nanoseconds: now))
        let bindings = registrar.bindings(of: address, now: .saturating(nanoseconds: now))
        note(
            bindings, of: address, by: request,
            RegistrationOrigin(origin, request: request, user: user, since: now))
        let contacts = Set(bindings.map(\.contact))
        let isQuery = request.headers.all("Contact").isEmpty
        let action =
            isQuery
            ? "query" : contacts.count > before.count ? "add" : contacts.count < before.count ? "remove" : "refresh"
        counters.add(to: .registrations, ["action": action])
        if contacts != before {
            logger.info(
                "sip: \(address) is registered at \(contacts.isEmpty ? "no device" : contacts.map(\.description).sorted().joined(separator: ", "))"
            )
        }
        if !isQuery { write(address, now) }
        return headers
    }

    /// Keeps where the contacts of a REGISTER came from, and forgets those that have gone.
    private func note(
        _ bindings: [Registrar.Binding], of address: SIPURI, by request: SIPRequest, _ origin: RegistrationOrigin
    ) {
        guard !bindings.isEmpty else { return forget(address) }
        own(address, by: origin)
        let earlier = origins[address] ?? [:]
        var kept: [SIPURI: RegistrationOrigin] = [:]
        var new: [SIPURI] = []
        for binding in bindings {
            let isNew = binding.callID == request.callID && binding.sequence == request.sequence
            kept[binding.contact] = isNew ? origin : earlier[binding.contact] ?? origin
            if isNew { new.append(binding.contact) }
        }
        keep(kept, of: address)
        for contact in new { onOrigin(address, contact, origin) }
    }

    private func keep(_ contacts: [SIPURI: RegistrationOrigin]?, of address: SIPURI) {
        for (contact, origin) in origins[address] ?? [:] {
            if let key = Self.key(of: contact), names[key] == address { names[key] = nil }
            if let connection = origin.connection {
                namesOfConnection[connection]?.remove(address)
                if namesOfConnection[connection]?.isEmpty == true { namesOfConnection[connection] = nil }
            }
        }
        origins[address] = contacts
        for (contact, origin) in contacts ?? [:] {
            if let key = Self.key(of: contact) { names[key] = address }
            if let connection = origin.connection { namesOfConnection[connection, default: []].insert(address) }
        }
    }

    private func own(_ address: SIPURI, by origin: RegistrationOrigin) {
        guard owners[address] == nil else { return }
        let source = SourceKey(origin.address)
        owners[address] = source
        namesOfSource[source, default: 0] += 1
    }

    private func forget(_ address: SIPURI) {
        keep(nil, of: address)
        guard let source = owners.removeValue(forKey: address) else { return }
        let rest = namesOfSource[source, default: 1] - 1
        namesOfSource[source] = rest > 0 ? rest : nil
    }

    /// The connections that devices have registered on.
    var connections: Set<UInt64> { Set(namesOfConnection.keys) }

    private func refuse(_ status: SIPStatus, _ source: SIPSource, _ now: UInt64) -> RegistrationOutcome {
        guard !access.isAllowed(source.address) else { return .refuse(SIPRefusal(status), after: .zero) }
        switch access.refuseOutsider(source.address, now: now) {
        case .answer(let refusal, let pause): return .refuse(refusal, after: pause)
        case .proceed, .drop: return .drop
        }
    }

    /// The address-of-record that a URI means here; nil where it is none of this registrar's.
    private func address(of uri: SIPURI, isRegistrar: Bool = false) -> SIPURI? {
        guard uri.scheme == .sip || uri.scheme == .sips, let host = uri.place?.host, isRegistrar || uri.user != nil
        else { return nil }
        let domains = configuration.registrar?.domains ?? []
        let name = host.address?.description ?? host.description.lowercased()
        var domain = name
        if domains.isEmpty {
            // Whatever the devices call the node is the same.
            domain = configuration.names.first ?? "crosspoint"
        } else if !domains.contains(name) {
            guard host.address != nil || configuration.names.contains(name), let first = domains.first else {
                return nil
            }
            domain = first
        }
        guard let place = try? SIPHost(IPAddress(domain)?.bracketed ?? domain) else { return nil }
        var address = SIPURI(.sip, SIPHostPort(place))
        address.userName = uri.userName
        return address.description.utf8.count <= Self.maximumLength ? address : nil
    }

    // MARK: Calls

    /// The devices that are called by `uri`: those of the first stage at once, then those of the next.
    func stages(for uri: SIPURI, now: UInt64) -> [[RegisteredContact]] {
        guard let address = address(of: uri) else { return [] }
        var stages: [[RegisteredContact]] = []
        for binding in registrar.bindings(of: address, now: .saturating(nanoseconds: now)) {
            let origin = origins[address]?[binding.contact]
            let contact = RegisteredContact(
                uri: binding.contact, destination: destination(of: binding.contact, origin),
                connection: origin?.connection, preference: binding.preference)
            if stages.last?.first?.preference == contact.preference {
                stages[stages.count - 1].append(contact)
            } else {
                stages.append([contact])
            }
        }
        return stages
    }

    /// A connection that devices may have registered on has closed: they are called where they have said.
    func connectionClosed(_ connection: UInt64) {
        for address in namesOfConnection.removeValue(forKey: connection) ?? [] {
            for (contact, origin) in origins[address] ?? [:] where origin.connection == connection {
                origins[address]?[contact]?.connection = nil
            }
        }
    }

    /// The origin from which a device at `address` has registered a contact, by the contact's user and place; nil for none.
    func origin(of contact: SIPURI, at address: IPAddress) -> RegistrationOrigin? {
        guard let key = Self.key(of: contact), let name = names[key], let contacts = origins[name] else { return nil }
        return contacts.first { $0.value.address == address && Self.key(of: $0.key) == key }?.value
    }

    /// True if a contact is registered still, by the same REGISTER.
    func holds(_ contact: SIPURI, of address: SIPURI, from origin: RegistrationOrigin) -> Bool {
        origins[address]?[contact] == origin
    }

    func forEachOrigin(_ body: (SIPURI, SIPURI, RegistrationOrigin) -> Void) {
        for (address, contacts) in origins { for (contact, origin) in contacts { body(address, contact, origin) } }
    }

    private static func key(of contact: SIPURI) -> String? {
        contact.place.map { "\(contact.userName ?? "")@\($0)" }
    }

    /// The URI that requests to a contact go to: the device that has registered it, whatever it says, unless it has
    /// said an address that may be reached on its behalf anyway, and no NAT stands before its own. So nobody can have calls sent to others, and devices
    /// behind a NAT are reached.
    private func destination(of contact: SIPURI, _ origin: RegistrationOrigin?) -> SIPURI {
        guard let origin else { return contact }
        // `maddr` is where a request would really go (RFC 3263 section 4); a name could be anybody's.
        let target = contact.parameters["maddr"].map { try? SIPHost($0) } ?? contact.place?.host
        let isOwnAddress = target?.address == origin.address || target?.address == origin.inner
        if let address = target?.address, access.mayReach(address, for: origin.address),
            origin.inner == nil || !isOwnAddress
        {
            return contact
        }
        var destination = contact
        destination.user = nil
        destination.place = SIPHostPort(.address(origin.address), origin.transportPort)
        destination.parameters["maddr"] = nil
        destination.parameters["transport"] = origin.transport.lowercased()
        return destination
    }

    // MARK: Operators

    /// All that is registered, by name.
    func reports(now: UInt64) -> [SIPRegistrationReport] {
        tidy(now)
        return origins.keys.map { address in
            let contacts = registrar.bindings(of: address, now: .saturating(nanoseconds: now)).map { binding in
                let origin = origins[address]?[binding.contact]
                return SIPRegistrationReport.Contact(
                    uri: binding.contact.withoutPassword.description, source: origin?.text ?? "",
                    preference: Double(binding.preference) / 1000,
                    expiresIn: Int((binding.end - .saturating(nanoseconds: now)).components.seconds),
                    user: origin?.user,
                    agent: origin?.agent)
            }
            return SIPRegistrationReport(address: address.description, contacts: contacts)
        }
        .filter { !$0.contacts.isEmpty }
        .sorted { $0.address < $1.address }
    }

    /// The number of registered names.
    var count: Int { origins.count }

    // MARK: Journal

    private func tidy(_ now: UInt64) {
        guard Deadline(Self.tidyingInterval, after: tidiedAt).hasPassed(at: now) else { return }
        tidiedAt = now
        registrar.expire(now: .saturating(nanoseconds: now))
        for address in origins.keys where registrar.bindings(of: address, now: .saturating(nanoseconds: now)).isEmpty {
            forget(address)
            journal.remove(Self.fileName(address))
        }
    }

    private func write(_ address: SIPURI, _ now: UInt64) {
        let bindings = registrar.bindings(of: address, now: .saturating(nanoseconds: now))
        guard !bindings.isEmpty else { return journal.remove(Self.fileName(address)) }
        let contacts = bindings.compactMap { binding in
            origins[address]?[binding.contact].map { origin in
                RegistrationRecord.Contact(
                    uri: binding.contact.description, preference: binding.preference,
                    end: binding.end.saturatedNanoseconds,
                    callID: binding.callID, sequence: binding.sequence, origin: origin)
            }
        }
        let record = RegistrationRecord(address: address.description, contacts: contacts)
        // A record that cannot be written holds until the daemon ends; the device registers again.
        do throws(RoutingError) { try journal.write(record, as: Self.fileName(address)) } catch {
            logger.error("\(error)")
        }
    }

    private func restore(_ now: UInt64) {
        guard configuration.registrar != nil else { return }
        let (records, problems) = journal.read()
        for problem in problems { logger.warning("\(problem)") }
        for (name, record) in records {
            guard let address = try? SIPURI(record.address), self.address(of: address) == address,
                Self.fileName(address) == name
            else {
                // A domain that is served no more.
                journal.remove(name)
                continue
            }
            var bindings: [Registrar.Binding] = []
            for contact in record.contacts where contact.end > now {
                guard let uri = try? SIPURI(contact.uri) else { continue }
                bindings.append(
                    Registrar.Binding(
                        contact: uri, preference: contact.preference, end: .saturating(nanoseconds: contact.end),
                        callID: contact.callID, sequence: contact.sequence))
                keep((origins[address] ?? [:]).merging([uri: contact.origin]) { $1 }, of: address)
                own(address, by: contact.origin)
            }
            registrar.restore(bindings, of: address, now: .saturating(nanoseconds: now))
            if bindings.isEmpty { journal.remove(name) }
        }
        if !origins.isEmpty { logger.info("sip: \(origins.count) registered names taken over") }
    }

    /// A file name for any address-of-record.
    private static func fileName(_ address: SIPURI) -> String {
        address.description.utf8.map { $0 < 16 ? "0" + String($0, radix: 16) : String($0, radix: 16) }.joined()
    }
}

extension SIPURI {
    /// The URI as operators may see it.
    fileprivate var withoutPassword: SIPURI {
        var copy = self
        copy.password = nil
        return copy
    }
}
