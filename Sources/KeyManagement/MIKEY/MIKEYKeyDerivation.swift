// Keys of streams from a key of many.

import Crypto

/// MIKEY's key derivation (RFC 3830 section 4.1).
enum MIKEYKeyDerivation {
    /// The kind of key that is derived (section 4.1.4).
    enum Constant: UInt32 {
        case encryptionKey = 0x1579_8CEF
        case salt = 0x39A2_C14B
    }

    /// `length` bytes from a TEK generation key.
    ///
    /// - Parameter session: the crypto session's number, from 1.
    static func derive(
        _ constant: Constant, length: Int, from key: [UInt8], session: UInt8, bundle: UInt32, random: [UInt8]
    ) -> [UInt8] {
        var label: [UInt8] = []
        label.append(word: constant.rawValue)
        label.append(session)
        label.append(word: bundle)
        return pseudoRandom(key, label: label + random, length: length)
    }

    /// The pseudo-random function of section 4.1.2: the key in blocks of 256 bits, each extended with HMAC-SHA1, all
    /// of them added.
    static func pseudoRandom(_ key: [UInt8], label: [UInt8], length: Int) -> [UInt8] {
        var result = [UInt8](repeating: 0, count: length)
        for start in stride(from: 0, to: key.count, by: 32) {
            let block = SymmetricKey(data: key[start..<min(start + 32, key.count)])
            var chain = label
            var output: [UInt8] = []
            while output.count < length {
                chain = Array(HMAC<Insecure.SHA1>.authenticationCode(for: chain, using: block))
                output += HMAC<Insecure.SHA1>.authenticationCode(for: chain + label, using: block)
            }
            for index in result.indices { result[index] ^= output[index] }
        }
        return result
    }
}
