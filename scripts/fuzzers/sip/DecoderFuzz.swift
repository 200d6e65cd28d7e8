// Connections: what a decoder makes of bytes does not depend on the pieces that they come in.

import SIPCore

enum DecoderFuzz {
    /// The result of a decoder for bytes.
    private struct Outcome: Equatable {
        var elements: [SIPStreamDecoder.Element] = []
        var error: SIPParseError?
    }

    static func run(_ bytes: [UInt8]) {
        // Small limits, so that short inputs come to them.
        let limits = SIPLimits(headerBytes: 2048, headerFields: 30, vias: 8, bodyBytes: 1024)
        let whole = decode([bytes[...]], limits: limits)
        let middle = bytes.count / 2
        precondition(decode([bytes[..<middle], bytes[middle...]], limits: limits) == whole, "in two halves")
        precondition(decode(bytes.indices.map { bytes[$0...$0] }, limits: limits) == whole, "one byte at a time")
        for element in whole.elements {
            switch element {
            case .message(let message): check(message)
            case .malformed(let error): ParserFuzz.answer(error)
            case .ping, .pong: break
            }
        }
        if let error = whole.error { ParserFuzz.answer(error) }
    }

    /// A message is printed so that a connection carries it, and a datagram says the same.
    private static func check(_ message: SIPMessage) {
        ParserFuzz.check(message)
        let limits = SIPLimits(headerBytes: 1 << 20, headerFields: 1024, vias: 100, bodyBytes: 1 << 20)
        let again = decode([message.bytes[...], message.bytes[...]], limits: limits)
        precondition(again.error == nil && again.elements.count == 2, "what is printed twice is two messages")
    }

    private static func decode(_ pieces: [ArraySlice<UInt8>], limits: SIPLimits) -> Outcome {
        var decoder = SIPStreamDecoder(limits: limits)
        var outcome = Outcome()
        for piece in pieces {
            decoder.append(piece)
            do throws(SIPParseError) {
                while let element = try decoder.next() { outcome.elements.append(element) }
            } catch {
                outcome.error = error
                break
            }
        }
        return outcome
    }
}
