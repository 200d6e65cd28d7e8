// Authenticates and decrypts the packets of one flow, whichever of its keys they were protected with.

import Glibc
public import SRTPKeys
import Synchronization

/// Unprotects SRTP and SRTCP packets with keys that are distinguished by their MKI, or with those that it derives from a link key.
///
/// Lives in memory that does not move; one thread at a time gets through `unprotect`. In the ordinary case nothing is allocated: what costs
/// more (a key of the link that is not known yet, a source that joins late) is tried for some packets a second only, since anybody can
/// send a packet that asks for it, and leaves nothing behind unless that packet is authentic.
///
/// A link's epoch takes the place of an older one with its first authentic packet. It stays beside the one before it, whose packets may be
/// under way, and nothing older is taken again: what was recorded under an earlier key cannot be played back.
public struct SRTPReceiver: ~Copyable {
    /// By how many bytes RTP packets shrink.
    public let overhead: Int

    private let placement: MasterKeyIdentifier
    private let shortest: Int
    private let shortestControl: Int
    private let keys: [SRTPKey]
    private let link: LinkDerivation?
    /// True if there is a link: asked per packet, which must not count references.
    private let isLink: Bool
    private let slots: UnsafeMutablePointer<Slot>
    private var count: Int
    private var last = 0
    private var attempts = Self.mostAttempts
    private var refilled: UInt64 = 0
    private let isBusy = Atomic<Bool>(false)

    /// One key's state.
    private struct Slot: ~Copyable {
        var session: SRTPSession
        /// The MKI; of a link, the epoch above 16 bits of 0.
        var identifier: UInt128
        var key: SRTPKey
        let lifetime: UInt64
        var packets: UInt64 = 0
        let sources: UnsafeMutablePointer<UInt32>
        var sourceCount = 0
        var lastSource = 0
        /// Sources of which RTCP alone came, as far as is known: the session keeps them too.
        var controlSources = 0

        init(_ session: consuming SRTPSession, _ key: SRTPKey) {
            self.session = session
            self.key = key
            lifetime = key.lifetime ?? SRTPKey.longestLifetime
            identifier = MasterKeyIdentifier.number(key.identifier)
            sources = .allocate(capacity: SRTPReceiver.mostSources)
        }

        deinit { sources.deallocate() }

        @inline(__always)
        mutating func knows(_ ssrc: UInt32) -> Bool {
            if lastSource < sourceCount, sources[lastSource] == ssrc { return true }
            for place in 0..<sourceCount where sources[place] == ssrc {
                lastSource = place
                return true
            }
            return false
        }

        mutating func remember(_ ssrc: UInt32) {
            sources[sourceCount] = ssrc
            lastSource = sourceCount
            sourceCount += 1
        }
    }

    /// Keys of a flow at once: of several that were given, and of a link's epochs the newest two.
    public static let mostKeys = 8
    private static let epochs = 2
    /// Sources of one key.
    static let mostSources = 64
    /// Costly attempts in a row, and the time after which there is one more, ns.
    private static let mostAttempts = 16
    private static let attemptInterval: UInt64 = 10_000_000
    private static let patience = 4096

    /// With keys that both ends know: one, or several of one profile whose MKIs differ and are equally long.
    public init(_ keys: [SRTPKey]) throws(SRTPError) {
        guard let first = keys.first, keys.count <= Self.mostKeys,
            keys.allSatisfy({ $0.profile == first.profile && $0.identifier.count == first.identifier.count }),
            Set(keys.map(\.identifier)).count == keys.count
        else { throw .malformed }
        let slots = UnsafeMutablePointer<Slot>.allocate(capacity: Self.mostKeys)
        for (place, key) in keys.enumerated() {
            do throws(SRTPError) {
                let session = try SRTPSession(key, .receiving)
                (slots + place).initialize(to: Slot(session, key))
            } catch {
                slots.deinitialize(count: place)
                slots.deallocate()
                throw error
            }
        }
        self.init(
            first.profile, identifierLength: first.identifier.count, keys: keys, link: nil, slots: slots,
            count: keys.count)
    }

    private init(
        _ profile: SRTPProfile, identifierLength: Int, keys: [SRTPKey], link: LinkDerivation?,
        slots: UnsafeMutablePointer<Slot>, count: Int
    ) {
        overhead = profile.tagLength + identifierLength
        placement = MasterKeyIdentifier(profile, length: identifierLength)
        shortest = 12 + profile.tagLength + identifierLength
        shortestControl = 8 + 4 + profile.controlTagLength + identifierLength
        self.keys = keys
        self.link = link
        isLink = link != nil
        self.slots = slots
        self.count = count
    }

    /// With keys of a link.
    public init(_ link: LinkDerivation) {
        self.init(
            link.profile, identifierLength: LinkDerivation.identifierLength, keys: [], link: link,
            slots: .allocate(capacity: Self.mostKeys), count: 0)
    }

    deinit {
        slots.deinitialize(count: count)
        slots.deallocate()
    }

    /// Authenticates and decrypts the packet of `length` bytes where it is. Returns its new length; after an error its bytes are of no use.
    ///
    /// - Parameter now: nanoseconds of any clock that does not go back.
    public mutating func unprotect(
        _ packet: UnsafeMutableRawPointer, length: Int, isControl: Bool, now: UInt64
    ) throws(SRTPError) -> Int {
        var patience = Self.patience
        while isBusy.exchange(true, ordering: .acquiring) {
            patience &-= 1
            guard patience > 0 else { throw .busy }
        }
        defer { isBusy.store(false, ordering: .releasing) }
        guard length >= (isControl ? shortestControl : shortest) else { throw .malformed }
        let identifier = placement.read(packet, length: length, isControl: isControl)
        let shorter = placement.remove(from: packet, length: length, isControl: isControl)
        let ssrc = UInt32(
            bigEndian: packet.loadUnaligned(fromByteOffset: isControl ? 4 : 8, as: UInt32.self))
        let wanted = isLink ? (identifier >> 16) << 16 : identifier
        guard let place = place(of: wanted) else {
            guard isLink else { throw .unknownKey }
            return try beginEpoch(
                packet, length: shorter, identifier: identifier, ssrc: ssrc, isControl: isControl, now: now)
        }
        if slots[place].packets >= slots[place].lifetime { throw .keyLimit }
        if isControl { return try Self.control(&slots[place], packet, shorter, ssrc) }
        if slots[place].knows(ssrc) {
            let count = try slots[place].session.unprotectRTP(packet, length: shorter)
            slots[place].packets &+= 1
            return count
        }
        let counter =
            isLink ? UInt32(truncatingIfNeeded: identifier & 0xffff) : startingCounter(of: slots[place].key, ssrc)
        guard counter == 0 || spendAttempt(now) else { throw .unknownKey }
        return try Self.firstPacket(&slots[place], packet, shorter, ssrc, counter)
    }

    @inline(__always)
    private mutating func place(of identifier: UInt128) -> Int? {
        if last < count, slots[last].identifier == identifier { return last }
        for place in 0..<count where slots[place].identifier == identifier {
            last = place
            return place
        }
        return nil
    }

    private func startingCounter(of key: SRTPKey, _ ssrc: UInt32) -> UInt32 {
        key.ssrc == nil || key.ssrc == ssrc ? key.rolloverCounter : 0
    }

    /// The first packet of a source under a key: it is remembered if it is authentic.
    private static func firstPacket(
        _ slot: inout Slot, _ packet: UnsafeMutableRawPointer, _ length: Int, _ ssrc: UInt32, _ counter: UInt32
    ) throws(SRTPError) -> Int {
        guard slot.sourceCount < mostSources else { throw .tooManySources }
        // RTCP may have come first, and then the session knows the source.
        let isNew = counter != 0 && slot.session.rolloverCounter(of: ssrc) == nil
        if isNew {
            try slot.session.addSource(ssrc, rolloverCounter: counter)
        } else if counter != 0 {
            try slot.session.setRolloverCounter(counter, of: ssrc)
        }
        let count: Int
        do {
            count = try slot.session.unprotectRTP(packet, length: length)
        } catch {
            if isNew { slot.session.removeSource(ssrc) }
            throw error
        }
        slot.remember(ssrc)
        slot.packets &+= 1
        return count
    }

    private static func control(
        _ slot: inout Slot, _ packet: UnsafeMutableRawPointer, _ length: Int, _ ssrc: UInt32
    ) throws(SRTPError) -> Int {
        // Each authentic source of RTCP is kept by the session.
        let isNew = !slot.knows(ssrc) && slot.session.rolloverCounter(of: ssrc) == nil
        guard !isNew || slot.controlSources < mostSources else { throw .tooManySources }
        let count = try slot.session.unprotectRTCP(packet, length: length)
        if isNew { slot.controlSources += 1 }
        return count
    }

    private mutating func spendAttempt(_ now: UInt64) -> Bool {
        let passed = (now &- refilled) / Self.attemptInterval
        if passed > 0 {
            attempts = min(attempts + Int(min(passed, UInt64(Self.mostAttempts))), Self.mostAttempts)
            refilled = now
        }
        guard attempts > 0 else { return false }
        attempts -= 1
        return true
    }

    /// A key of the link that is not known: derived, and kept if the packet is authentic and the epoch newer than all before.
    private mutating func beginEpoch(
        _ packet: UnsafeMutableRawPointer, length: Int, identifier: UInt128, ssrc: UInt32, isControl: Bool, now: UInt64
    ) throws(SRTPError) -> Int {
        guard let link else { throw .unknownKey }
        let epoch = LinkEpoch(identifier: identifier)
        for place in 0..<count where LinkEpoch(identifier: slots[place].identifier) > epoch { throw .replayTooOld }
        guard spendAttempt(now) else { throw .unknownKey }
        let key: SRTPKey
        do { key = try link.key(epoch) } catch { throw .malformed }
        let session = try SRTPSession(key, .receiving)
        var slot = Slot(session, key)
        let length =
            isControl
            ? try Self.control(&slot, packet, length, ssrc)
            : try Self.firstPacket(&slot, packet, length, ssrc, UInt32(truncatingIfNeeded: identifier & 0xffff))
        if count == Self.epochs {
            // The older one of two goes.
            let place = slots[0].identifier < slots[1].identifier ? 0 : 1
            (slots + place).deinitialize(count: 1)
            (slots + place).initialize(to: slot)
            last = place
        } else {
            (slots + count).initialize(to: slot)
            last = count
            count += 1
        }
        return length
    }
}
