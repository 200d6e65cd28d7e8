// The decoder: what it makes of bytes does not depend on the pieces that they come in, and what it prints it reads again.

import RTSPCore

enum DecoderFuzz {
    /// The result of a decoder for bytes.
    struct Outcome: Equatable {
        var messages: [RTSPMessage] = []
        var error: RTSPDecodingError?
    }

    static func run(_ bytes: [UInt8]) {
        // Small limits, so that short inputs come to them.
        let limits = RTSPLimits(header: 2048, body: 1024, fields: 20)
        let whole = decode([bytes[...]], limits: limits)
        precondition(decode(bytes.indices.map { bytes[$0...$0] }, limits: limits) == whole, "one byte at a time")
        let middle = bytes.count / 2
        precondition(decode([bytes[..<middle], bytes[middle...]], limits: limits) == whole, "in two halves")
        for message in whole.messages {
            let again = decode([message.encoded[...]], limits: RTSPLimits())
            precondition(again.messages.count == 1 && again.error == nil, "what it prints is one message")
            precondition(again.messages[0].encoded == message.encoded, "what it prints means the same")
        }
    }

    static func decode(_ pieces: [ArraySlice<UInt8>], limits: RTSPLimits) -> Outcome {
        var decoder = RTSPDecoder(limits: limits)
        var outcome = Outcome()
        for piece in pieces {
            decoder.append(piece)
            do throws(RTSPDecodingError) {
                while let message = try decoder.next() { outcome.messages.append(message) }
                // One message, or one interleaved frame.
                precondition(
                    decoder.bufferedBytes <= max(limits.header, limits.body, 4 + 65535), "what it stores is bounded")
            } catch {
                outcome.error = error
                precondition(decoder.bufferedBytes == 0, "nothing is stored after an error")
                break
            }
        }
        return outcome
    }
}
