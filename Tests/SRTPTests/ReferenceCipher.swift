// SRTP by the letter of its RFCs, slowly: what the library's packets are compared with.

import Crypto
import FoundationEssentials
import SRTPKeys

/// AES (FIPS 197) for one block, and from it key derivation, AES-CM and AES-GCM as RFC 3711 and RFC 7714 describe them.
struct ReferenceCipher {
    private static let box: [UInt8] = {
        // The inverse in GF(2^8), then the affine map.
        func times(_ a: UInt8, _ b: UInt8) -> UInt8 {
            var (a, b, product) = (a, b, UInt8(0))
            while b != 0 {
                if b & 1 != 0 { product ^= a }
                a = a << 1 ^ (a & 0x80 != 0 ? 0x1b : 0)
                b >>= 1
            }
            return product
        }
        return (0...255).map { value in
            let value = UInt8(value)
            let inverse = (0...255).map { UInt8($0) }.first { times($0, value) == 1 } ?? 0
            func turned(_ bits: UInt8) -> UInt8 { inverse << bits | inverse >> (8 - bits) }
            return inverse ^ turned(1) ^ turned(2) ^ turned(3) ^ turned(4) ^ 0x63
        }
    }()

    /// Encrypts a block of 16 bytes.
    static func block(_ input: [UInt8], key: [UInt8]) -> [UInt8] {
        func double(_ value: UInt8) -> UInt8 { value << 1 ^ (value & 0x80 != 0 ? 0x1b : 0) }
        let words = key.count / 4
        let rounds = words + 6
        var schedule = (0..<words).map { Array(key[4 * $0..<4 * $0 + 4]) }
        var constant: UInt8 = 1
        for index in words..<4 * (rounds + 1) {
            var word = schedule[index - 1]
            if index % words == 0 {
                word = [word[1], word[2], word[3], word[0]].map { box[Int($0)] }
                word[0] ^= constant
                constant = double(constant)
            } else if words > 6, index % words == 4 {
                word = word.map { box[Int($0)] }
            }
            schedule.append(zip(word, schedule[index - words]).map { $0 ^ $1 })
        }
        func roundKey(_ round: Int) -> [UInt8] { schedule[4 * round..<4 * round + 4].flatMap { $0 } }
        var state = zip(input, roundKey(0)).map { $0 ^ $1 }
        for round in 1...rounds {
            let substituted = state.map { box[Int($0)] }
            var shifted = (0..<16).map { substituted[($0 + 4 * ($0 % 4)) % 16] }
            if round < rounds {
                shifted = (0..<16).map { place in
                    let column = 4 * (place / 4)
                    func at(_ row: Int) -> UInt8 { shifted[column + (place % 4 + row) % 4] }
                    return double(at(0)) ^ double(at(1)) ^ at(1) ^ at(2) ^ at(3)
                }
            }
            state = zip(shifted, roundKey(round)).map { $0 ^ $1 }
        }
        return state
    }

    /// The keystream of AES-CM from an IV of 14 bytes on (RFC 3711 section 4.1.1).
    static func keystream(_ key: [UInt8], iv: [UInt8], count: Int) -> [UInt8] {
        let blocks = (0..<(count + 15) / 16).flatMap { index in
            block(iv + [UInt8(index >> 8), UInt8(index & 0xff)], key: key)
        }
        return Array(blocks.prefix(count))
    }

    /// A session key (RFC 3711 section 4.3.1): by its label, at a key derivation rate of 0.
    static func derive(_ label: UInt8, _ key: SRTPKey, count: Int) -> [UInt8] {
        var salt = key.masterSalt + [UInt8](repeating: 0, count: 14 - key.masterSalt.count)
        salt[7] ^= label
        return keystream(key.masterKey, iv: salt, count: count)
    }

    static func bytes(_ value: UInt64, _ count: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: value >> UInt64(8 * (count - 1 - $0))) }
    }

    static func exclusiveOr(_ one: [UInt8], _ other: [UInt8]) -> [UInt8] { zip(one, other).map { $0 ^ $1 } }

    /// An RTP packet without extension and contributing sources, with AES-CM and HMAC-SHA1.
    static func protectCM(_ packet: [UInt8], _ key: SRTPKey, rolloverCounter: UInt32) -> [UInt8] {
        let session = derive(0, key, count: key.profile.masterKeyLength)
        let salt = derive(2, key, count: 14)
        let place: [UInt8] =
            [0, 0, 0, 0] + Array(packet[8..<12]) + bytes(UInt64(rolloverCounter), 4) + Array(packet[2..<4])
        let iv = exclusiveOr(salt, place)
        let encrypted: [UInt8] =
            Array(packet[..<12])
            + exclusiveOr(Array(packet[12...]), keystream(session, iv: iv, count: packet.count - 12))
        let authenticated: [UInt8] = encrypted + bytes(UInt64(rolloverCounter), 4)
        let tag = HMAC<Insecure.SHA1>.authenticationCode(
            for: authenticated, using: SymmetricKey(data: derive(1, key, count: 20)))
        return encrypted + Array(tag).prefix(key.profile.tagLength)
    }

    /// AES-GCM by session key and salt (RFC 7714 section 8).
    static func protectGCM(
        _ packet: [UInt8], sessionKey: [UInt8], sessionSalt: [UInt8], rolloverCounter: UInt32
    ) throws -> [UInt8] {
        let place: [UInt8] =
            [0, 0] + Array(packet[8..<12]) + bytes(UInt64(rolloverCounter), 4) + Array(packet[2..<4])
        let iv = exclusiveOr(sessionSalt, place)
        let box = try AES.GCM.seal(
            packet[12...], using: SymmetricKey(data: sessionKey), nonce: AES.GCM.Nonce(data: iv),
            authenticating: packet[..<12])
        return Array(packet[..<12]) + Array(box.ciphertext) + Array(box.tag)
    }

    /// SRTCP with AES-GCM by session key and salt (RFC 7714 section 9).
    static func protectControlGCM(
        _ packet: [UInt8], sessionKey: [UInt8], sessionSalt: [UInt8], index: UInt32
    ) throws -> [UInt8] {
        let place: [UInt8] = [0, 0] + Array(packet[4..<8]) + [0, 0] + bytes(UInt64(index), 4)
        let iv = exclusiveOr(sessionSalt, place)
        let word = bytes(UInt64(index | 0x8000_0000), 4)
        let box = try AES.GCM.seal(
            packet[8...], using: SymmetricKey(data: sessionKey), nonce: AES.GCM.Nonce(data: iv),
            authenticating: Array(packet[..<8]) + word)
        return Array(packet[..<8]) + Array(box.ciphertext) + Array(box.tag) + word
    }
}

/// Bytes of hexadecimal digits; white space counts for nothing.
func hex(_ text: String) -> [UInt8] {
    let digits = text.filter { !$0.isWhitespace }
    return stride(from: 0, to: digits.count, by: 2).compactMap { offset in
        let start = digits.index(digits.startIndex, offsetBy: offset)
        return UInt8(digits[start..<digits.index(start, offsetBy: 2)], radix: 16)
    }
}
