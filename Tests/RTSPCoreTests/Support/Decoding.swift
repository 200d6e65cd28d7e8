// Bytes through a decoder, whole or in pieces.

import RTSPCore

/// All messages of `bytes`, which come in pieces of `size` bytes.
func decode(_ bytes: some Collection<UInt8>, size: Int = .max, limits: RTSPLimits = RTSPLimits())
    throws(RTSPDecodingError) -> [RTSPMessage]
{
    var decoder = RTSPDecoder(limits: limits)
    var messages: [RTSPMessage] = []
    var rest = Array(bytes)[...]
    while !rest.isEmpty {
        decoder.append(rest.prefix(size))
        rest = rest.dropFirst(size)
        while let message = try decoder.next() { messages.append(message) }
    }
    return messages
}

/// The only request of `text`.
func decodeRequest(_ text: String) throws -> RTSPRequest? {
    guard case .request(let request)? = try decode(text.utf8).first else { return nil }
    return request
}

/// The error that `bytes` end in, or nil.
func decodingError(_ bytes: some Collection<UInt8>) -> RTSPDecodingError? {
    do {
        _ = try decode(bytes)
        return nil
    } catch { return error }
}
