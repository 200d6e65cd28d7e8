// Protects the packets of one leg, and sees to it that no keystream is used twice.

import CLibSRTP
import Glibc
public import SRTPKeys
import Synchronization

/// Protects RTP and RTCP packets with one key, or with one key after the other that it derives from a link key.
///
/// Lives in memory that does not move; `protect` may be called by several threads, of which one at a time gets through: packets of a flow come
/// by one queue, unless several sources send to it. In the ordinary case nothing is allocated.
///
/// A key of a link is used from an index of 0 on and never after its sender: a sender that starts again begins with a
/// new epoch. So does a sender whose source starts again with lower sequence numbers, whose rollover counter would
/// leave 16 bits, or that saw more sources than it keeps apart. Any other key is at its end there.
public struct SRTPSender: ~Copyable {
    /// By how many bytes RTP and RTCP packets grow.
    public let overhead: Int
    public let controlOverhead: Int

    // The state that each packet needs lies together: a core's cache has forgotten it while the packet before was encrypted.
    private let isBusy = Atomic<Bool>(false)
    private var wantsEpoch = false
    /// True if there is a link: asked per packet, which must not count references.
    private let isLink: Bool
    /// True if others sent with the key before this sender.
    private let hasPast: Bool
    /// Packets in a row that were older than the window: a source that started again, not one that is late.
    private var olderInARow: Int32 = 0
    private var last = 0
    private var count: Int
    private let entries: UnsafeMutablePointer<SentIndex>
    private var packets: UInt64 = 0
    private let lifetime: UInt64
    private let placement: MasterKeyIdentifier
    private var session: SRTPSession
    private var identifier: UInt128
    private let initial: SRTPKey
    private let link: LinkDerivation?
    private let makeEpoch: () -> LinkEpoch
    private let indices: SentIndices
    /// By source: the index that a packet has to be above, where others were sent before this sender; 0 for none.
    private let floors: UnsafeMutablePointer<UInt64>
    /// By source: the state of the time before this sender that the session still has to get.
    private let untold: UnsafeMutablePointer<Untold>

    private struct Untold: OptionSet {
        let rawValue: UInt8
        static let source = Untold(rawValue: 1)
        static let rolloverCounter = Untold(rawValue: 2)
    }

    /// So many packets behind the window are no reordering.
    private static let olderLimit: Int32 = 8
    /// SRTCP packets that a resumed source may have sent: each is counted up to.
    private static let controlLimit: UInt32 = 1 << 20
    /// Looks at a sender that another thread uses before a packet is given up: some packets' time.
    private static let patience = 4096

    /// With a key that both ends know. `indices` says what was sent with it before.
    public init(_ key: SRTPKey, indices: SentIndices) throws(SRTPError) {
        let session = try SRTPSession(key, .sending)
        self.init(session, key, indices: indices, link: nil) { LinkEpoch(time: 0, random: 0) }
    }

    /// With keys of a link. `makeEpoch` gives another epoch each time.
    public init(
        _ link: LinkDerivation, makeEpoch: @escaping () -> LinkEpoch = LinkEpoch.now
    ) throws(SRTPError) {
        let key: SRTPKey
        do { key = try link.key(makeEpoch()) } catch { throw .malformed }
        let session = try SRTPSession(key, .sending)
        self.init(session, key, indices: SentIndices(), link: link, makeEpoch: makeEpoch)
    }

    private init(
        _ session: consuming SRTPSession, _ key: SRTPKey, indices: SentIndices, link: LinkDerivation?,
        makeEpoch: @escaping () -> LinkEpoch
    ) {
        self.session = session
        initial = key
        placement = MasterKeyIdentifier(key.profile, length: key.identifier.count)
        identifier = MasterKeyIdentifier.number(key.identifier)
        overhead = key.overhead
        controlOverhead = key.profile.controlTagLength + 4 + key.identifier.count
        lifetime = key.lifetime ?? SRTPKey.longestLifetime
        self.link = link
        isLink = link != nil
        self.makeEpoch = makeEpoch
        self.indices = indices
        entries = indices.entries
        count = indices.count
        hasPast = indices.count > 0
        floors = .allocate(capacity: SentIndices.capacity)
        floors.initialize(repeating: 0, count: SentIndices.capacity)
        untold = .allocate(capacity: SentIndices.capacity)
        untold.initialize(repeating: [], count: SentIndices.capacity)
        for place in 0..<count {
            untold[place] = .source
            guard entries[place].highest & SentIndex.hasRTP != 0 else { continue }
            untold[place] = [.source, .rolloverCounter]
            floors[place] = entries[place].highest & ~SentIndex.hasRTP
            // Packets that others sent count, as far as they are known, towards the key's lifetime.
            packets &+= floors[place]
        }
    }

    deinit {
        floors.deallocate()
        untold.deallocate()
    }

    /// Protects the RTP or RTCP packet of `length` bytes, behind which there is room for the overhead. Returns its new length.
    public mutating func protect(
        _ packet: UnsafeMutableRawPointer, length: Int, isControl: Bool
    ) throws(SRTPError) -> Int {
        var patience = Self.patience
        while isBusy.exchange(true, ordering: .acquiring) {
            patience &-= 1
            guard patience > 0 else { throw .busy }
        }
        defer { isBusy.store(false, ordering: .releasing) }
        return isControl ? try protectRTCP(packet, length) : try protectRTP(packet, length)
    }

    // MARK: RTP

    @inline(__always)
    private mutating func protectRTP(_ packet: UnsafeMutableRawPointer, _ length: Int) throws(SRTPError) -> Int {
        guard length >= 12 else { throw .malformed }
        if wantsEpoch { try beginEpoch() }
        let sequence = UInt16(bigEndian: packet.loadUnaligned(fromByteOffset: 2, as: UInt16.self))
        let ssrc = UInt32(bigEndian: packet.loadUnaligned(fromByteOffset: 8, as: UInt32.self))
        if packets >= lifetime { try endKey() }
        var place = try place(of: ssrc)
        if hasPast, floors[place] != 0 || untold[place] != [] { try resume(place, sequence) }
        var count: Int
        do {
            count = try session.protectRTP(packet, length: length)
            olderInARow = 0
        } catch {
            guard error == .replayTooOld, isLink else { throw error }
            olderInARow &+= 1
            guard olderInARow >= Self.olderLimit else { throw error }
            try beginEpoch()
            place = try self.place(of: ssrc)
            count = try session.protectRTP(packet, length: length)
        }
        note(sequence, at: place)
        packets &+= 1
        guard placement.length > 0 else { return count }
        let counter = UInt128(truncatingIfNeeded: (entries[place].highest & ~SentIndex.hasRTP) >> 16)
        return placement.insert(
            isLink ? identifier | counter : identifier, into: packet, length: count, isControl: false)
    }

    /// The source's place; a new one gets one.
    @inline(__always)
    private mutating func place(of ssrc: UInt32) throws(SRTPError) -> Int {
        if last < count, entries[last].ssrc == ssrc { return last }
        for place in 0..<count where entries[place].ssrc == ssrc {
            last = place
            return place
        }
        return try newPlace(of: ssrc)
    }

    private mutating func newPlace(of ssrc: UInt32) throws(SRTPError) -> Int {
        if count == SentIndices.capacity {
            guard link != nil else { throw .tooManySources }
            try beginEpoch()
        }
        if initial.rolloverCounter != 0, initial.ssrc == nil || initial.ssrc == ssrc {
            try session.addSource(ssrc, rolloverCounter: initial.rolloverCounter)
        }
        entries[count] = SentIndex(ssrc: ssrc, controlPackets: 0, highest: 0)
        floors[count] = 0
        untold[count] = []
        last = count
        count += 1
        indices.count = count
        return last
    }

    /// Writes down that the index of a packet is used. The session has accepted it.
    @inline(__always)
    private mutating func note(_ sequence: UInt16, at place: Int) {
        let before = entries[place].highest
        if before & SentIndex.hasRTP != 0 {
            let index = before & ~SentIndex.hasRTP
            let step = Int16(bitPattern: sequence &- UInt16(truncatingIfNeeded: index))
            if step > 0 {
                entries[place].highest = before &+ UInt64(step)
                if isLink, index >> 16 >= 0xfffe { wantsEpoch = true }
                return
            }
        }
        noteUnusual(sequence, at: place)
    }

    /// The first packet of a source; one that came late; or one so far ahead that its distance has two readings.
    private mutating func noteUnusual(_ sequence: UInt16, at place: Int) {
        guard let counter = session.rolloverCounter(of: entries[place].ssrc) else { return }
        let before = entries[place].highest
        let index = UInt64(counter) << 16 | UInt64(sequence)
        let known = before & ~SentIndex.hasRTP
        // Behind a wrap that has just been, a late packet has the counter before.
        let isLate =
            before & SentIndex.hasRTP != 0 && (index <= known || index &- known > 0x8000 && counter > known >> 16)
        if !isLate { entries[place].highest = max(index, known) | SentIndex.hasRTP }
    }

    /// Packets after another process sent with the key: above everything that it used.
    private mutating func resume(_ place: Int, _ sequence: UInt16) throws(SRTPError) {
        let known = entries[place].highest & ~SentIndex.hasRTP
        let index = Int64(known) + Int64(Int16(bitPattern: sequence &- UInt16(truncatingIfNeeded: known)))
        if entries[place].highest & SentIndex.hasRTP != 0, index <= Int64(floors[place]) { throw .replayTooOld }
        if untold[place].contains(.source) { try tellSource(place) }
        if untold[place].contains(.rolloverCounter) {
            untold[place].remove(.rolloverCounter)
            try session.setRolloverCounter(UInt32(truncatingIfNeeded: index >> 16), of: entries[place].ssrc)
        }
    }

    /// Sets a source that has sent before in the session; an index of RTCP that cannot be set is reached by leading the
    /// session through it.
    private mutating func tellSource(_ place: Int) throws(SRTPError) {
        let entry = entries[place]
        guard entry.controlPackets <= Self.controlLimit else { throw .keyLimit }
        try session.addSource(entry.ssrc, rolloverCounter: 0)
        untold[place].remove(.source)
        let packet = UnsafeMutableRawPointer.allocate(byteCount: 256, alignment: 8)
        defer { packet.deallocate() }
        for _ in 0..<entry.controlPackets {
            // An empty receiver report (RFC 3550 section 6.4.2), which nobody gets.
            packet.storeBytes(of: (0x80c9_0001 as UInt32).bigEndian, as: UInt32.self)
            packet.storeBytes(of: entry.ssrc.bigEndian, toByteOffset: 4, as: UInt32.self)
            _ = try session.protectRTCP(packet, length: 8)
        }
    }

    // MARK: RTCP

    private mutating func protectRTCP(_ packet: UnsafeMutableRawPointer, _ length: Int) throws(SRTPError) -> Int {
        guard length >= 8 else { throw .malformed }
        if wantsEpoch { try beginEpoch() }
        let ssrc = UInt32(bigEndian: packet.loadUnaligned(fromByteOffset: 4, as: UInt32.self))
        let place = try place(of: ssrc)
        if untold[place].contains(.source) { try tellSource(place) }
        let count = try session.protectRTCP(packet, length: length)
        entries[place].controlPackets &+= 1
        return placement.insert(identifier, into: packet, length: count, isControl: true)
    }

    // MARK: Epochs

    /// The key has done what it may: the next one, or none.
    private mutating func endKey() throws(SRTPError) {
        guard link != nil else { throw .keyLimit }
        try beginEpoch()
    }

    /// Goes on with another key of the link.
    private mutating func beginEpoch() throws(SRTPError) {
        guard let link else { throw .keyLimit }
        let key: SRTPKey
        do { key = try link.key(makeEpoch()) } catch { throw .malformed }
        session = try SRTPSession(key, .sending)
        identifier = MasterKeyIdentifier.number(key.identifier)
        count = 0
        indices.count = 0
        // Of another key nothing was sent before.
        floors.update(repeating: 0, count: SentIndices.capacity)
        untold.update(repeating: [], count: SentIndices.capacity)
        last = 0
        packets = 0
        olderInARow = 0
        wantsEpoch = false
    }
}
