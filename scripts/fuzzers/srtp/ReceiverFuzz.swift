// A flow's receiver, and whatever may come to it: what its sender sent, changed, repeated, late, lost, or nobody's at all.

import SRTP
import SRTPKeys

/// The first byte of an input says what keys there are; each step then is a byte for what happens, and its operands.
struct ReceiverFuzz: ~Copyable {
    /// The keys at the receiver: keys of one profile, or a link's.
    private enum Keys {
        case told([SRTPKey])
        case link(LinkDerivation)
    }

    /// A packet as it was before it was protected, and as it travels.
    private struct Sent {
        var plain: [UInt8]
        var protected: [UInt8]
        var isControl: Bool
        var wasAccepted = false
    }

    private var reader: InputReader
    private var sender: SRTPSender
    private var receiver: SRTPReceiver
    private var sent: [Sent] = []
    private var now: UInt64 = 1_000_000_000
    private let memory = GuardedPacket()

    static func run(_ bytes: [UInt8]) {
        var reader = InputReader(bytes)
        guard let first = reader.byte(), let keys = try? keys(first), let sender = try? sender(keys, first),
            let receiver = try? receiver(keys)
        else { return }
        var fuzz = ReceiverFuzz(reader, sender, receiver)
        while fuzz.step() {}
    }

    private init(_ reader: InputReader, _ sender: consuming SRTPSender, _ receiver: consuming SRTPReceiver) {
        self.reader = reader
        self.sender = sender
        self.receiver = receiver
    }

    private static func sender(_ keys: Keys, _ first: UInt8) throws -> SRTPSender {
        switch keys {
        case .told(let keys): return try SRTPSender(keys[Int(first >> 7) % keys.count], indices: SentIndices())
        case .link(let link):
            var epoch: UInt64 = 0
            return try SRTPSender(link) {
                epoch += 1
                return LinkEpoch(time: epoch, random: 0)
            }
        }
    }

    private static func receiver(_ keys: Keys) throws -> SRTPReceiver {
        switch keys {
        case .told(let keys): try SRTPReceiver(keys)
        case .link(let link): SRTPReceiver(link)
        }
    }

    private static func keys(_ first: UInt8) throws -> Keys {
        let kind = Int(first & 7)
        guard kind < SRTPProfile.allCases.count else {
            let profile = kind == 6 ? SRTPProfile.aeadAES128GCM : .aeadAES256GCM
            let secret = [UInt8](repeating: 0x5a, count: LinkKey.secretLength)
            return .link(LinkDerivation(try LinkKey(profile, secret: secret), flow: "camera"))
        }
        let profile = SRTPProfile.allCases[kind]
        func key(_ seed: UInt8, _ identifier: [UInt8]) throws -> SRTPKey {
            try SRTPKey(
                profile, masterKey: [UInt8](repeating: seed, count: profile.masterKeyLength),
                masterSalt: [UInt8](repeating: ~seed, count: profile.masterSaltLength), identifier: identifier,
                rolloverCounter: first & 64 == 0 ? 0 : 3, lifetime: first & 32 == 0 ? nil : 5)
        }
        switch first >> 3 & 3 {
        case 0: return .told([try key(1, [])])
        case 1: return .told([try key(1, [1])])
        case 2: return .told([try key(1, [0, 0, 0, 1]), try key(2, [0, 0, 0, 2])])
        default:
            let long = [UInt8](repeating: 7, count: SRTPKey.longestIdentifier)
            return .told([try key(1, long)])
        }
    }

    /// Does what the next bytes say. False at their end.
    private mutating func step() -> Bool {
        guard let operation = reader.byte(), let operand = reader.byte() else { return false }
        let isControl = operation & 8 != 0
        switch operation & 7 {
        case 0: receiveForeign(reader.bytes(Int(operand)), isControl: isControl)
        case 1, 2: send(reader.bytes(Int(operand)), isControl: isControl, arrives: operation & 7 == 1)
        case 3: receive(Int(operand), isControl: isControl)
        case 4: receiveChanged(Int(operand))
        case 5: receiveCut(Int(operand))
        case 6: now &+= UInt64(operand) * 1_000_000
        default: receiveExtended(Int(operand))
        }
        return true
    }

    /// Has the sender protect a packet, which comes at once or is kept.
    private mutating func send(_ plain: [UInt8], isControl: Bool, arrives: Bool) {
        let room = isControl ? sender.controlOverhead : sender.overhead
        let protected = try? memory.change(plain, room: room) { packet throws(SRTPError) in
            try sender.protect(packet, length: plain.count, isControl: isControl)
        }
        guard let protected else { return }
        precondition(protected.count == plain.count + room, "as much longer as the sender says")
        sent.append(Sent(plain: plain, protected: protected, isControl: isControl))
        if arrives { receive(sent.count - 1, isControl: isControl) }
    }

    /// A packet of the sender's comes: for the first time, late, or once more.
    private mutating func receive(_ number: Int, isControl: Bool) {
        guard let place = place(number) else { return }
        guard let accepted = unprotect(sent[place].protected, isControl: isControl) else { return }
        precondition(isControl == sent[place].isControl, "RTP is not RTCP")
        precondition(accepted == sent[place].plain, "what was sent is what comes")
        precondition(!sent[place].wasAccepted, "no packet comes twice")
        sent[place].wasAccepted = true
    }

    private mutating func receiveForeign(_ bytes: [UInt8], isControl: Bool) {
        precondition(unprotect(bytes, isControl: isControl) == nil, "nobody else has the key")
    }

    private mutating func receiveChanged(_ number: Int) {
        guard let place = place(number), let offset = reader.byte(), let change = reader.byte(), change != 0 else {
            return
        }
        var packet = sent[place].protected
        // From either end.
        let index = offset & 1 == 0 ? Int(offset >> 1) : packet.count - 1 - Int(offset >> 1)
        guard packet.indices.contains(index) else { return }
        packet[index] ^= change
        guard let accepted = unprotect(packet, isControl: sent[place].isControl) else { return }
        // The rollover counter in a link's identifier is for who does not know it: nothing that is read depends on it then.
        precondition(accepted == sent[place].plain, "what is accepted was sent so")
        precondition(!sent[place].wasAccepted, "no packet comes twice")
        sent[place].wasAccepted = true
    }

    private mutating func receiveCut(_ number: Int) {
        guard let place = place(number), let count = reader.byte(), count > 0 else { return }
        let packet = sent[place].protected.dropLast(Int(count))
        precondition(unprotect(Array(packet), isControl: sent[place].isControl) == nil, "a part is not the whole")
    }

    private mutating func receiveExtended(_ number: Int) {
        guard let place = place(number), let count = reader.byte(), count > 0 else { return }
        let packet = sent[place].protected + reader.bytes(Int(count))
        guard packet.count > sent[place].protected.count else { return }
        precondition(unprotect(packet, isControl: sent[place].isControl) == nil, "more is not the same")
    }

    private func place(_ number: Int) -> Int? { sent.isEmpty ? nil : number % sent.count }

    private mutating func unprotect(_ packet: [UInt8], isControl: Bool) -> [UInt8]? {
        try? memory.change(packet) { start throws(SRTPError) in
            let count = try receiver.unprotect(start, length: packet.count, isControl: isControl, now: now)
            precondition(count < packet.count, "a tag less")
            return count
        }
    }
}
