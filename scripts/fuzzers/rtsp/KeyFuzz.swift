// Keys as peers send them: read, printed as they were, and turned into keys of SRTP.

import KeyManagement
import SRTPKeys

enum KeyFuzz {
    static func run(_ bytes: [UInt8]) {
        runMessage(bytes)
        let text = String(decoding: bytes, as: UTF8.self)
        if let message = try? KeyManagementAttribute.message(in: text) {
            precondition(
                (try? KeyManagementAttribute.message(in: KeyManagementAttribute.value(message))) == message,
                "what is printed can be read")
        }
        for header in (try? KeyManagementHeader.parse(text)) ?? [] {
            guard let again = try? KeyManagementHeader.parse(header.value), again.count == 1 else {
                preconditionFailure("what is printed can be read")
            }
            precondition(again[0].message == header.message, "what is printed stays the same")
        }
        runLine(text)
    }

    private static func runMessage(_ bytes: [UInt8]) {
        guard let message = try? MIKEYMessage(bytes) else { return }
        let printed = message.bytes
        precondition(printed.count == bytes.count, "nothing is left out")
        precondition((try? MIKEYMessage(printed)) == message, "what is printed can be read")
        for key in ((try? message.streamKeys()) ?? []).flatMap(\.self) { look(at: key) }
    }

    private static func runLine(_ text: String) {
        guard let attribute = try? CryptoAttribute(text) else { return }
        precondition((try? CryptoAttribute(attribute.value)) == attribute, "what is printed can be read")
        guard let chosen = try? CryptoNegotiation.choose(from: [text], suites: SRTPProfile.allCases) else { return }
        chosen.peerKeys.forEach(look)
        let own = SRTPKey(new: chosen.suite) { [UInt8](repeating: 0x55, count: $0) }
        let answer = CryptoNegotiation.answer(to: chosen, key: own)
        guard let accepted = try? CryptoNegotiation.accept(answer: [answer.value], to: [attribute]) else {
            // Only where the peer has guessed this node's key.
            precondition(chosen.peerKeys.contains { $0.masterKey == own.masterKey }, "an answer to an offer is taken")
            return
        }
        precondition(accepted.agreement.peerKeys == [own], "the key that was answered with")
    }

    private static func look(at key: SRTPKey) {
        precondition(key.masterKey.count == key.profile.masterKeyLength, "as long as its profile wants")
        precondition(key.masterSalt.count == key.profile.masterSaltLength, "as long as its profile wants")
        precondition(!key.description.contains("["), "a key does not print itself")
    }
}
