// The server's nonces: they carry their time and a proof of their origin, so that nothing is stored for who never comes back.

import Crypto

/// A nonce that a server issued: time, random number, and a keyed hash of both.
struct Nonce: Hashable, Sendable {
    /// When it was issued, in nanoseconds of the caller's clock.
    let time: UInt64
    let random: UInt64

    /// The text: 16 digits each for time and random number, 32 of the hash.
    func text(key: [UInt8], realm: String) -> String {
        let open = Hexadecimal.text(Self.bytes(time) + Self.bytes(random))
        return open + Self.proof(of: open, key: key, realm: realm)
    }

    init(time: UInt64, random: UInt64) {
        self.time = time
        self.random = random
    }

    /// Nil if `text` was not issued with this key for this realm.
    init?(_ text: String, key: [UInt8], realm: String) {
        guard text.utf8.count == 64, let bytes = Hexadecimal.bytes(text) else { return nil }
        let open = Hexadecimal.text(bytes[..<16])
        guard Hexadecimal.isEqual(Self.proof(of: open, key: key, realm: realm), Hexadecimal.text(bytes[16...])) else {
            return nil
        }
        time = bytes[..<8].reduce(0) { $0 << 8 | UInt64($1) }
        random = bytes[8..<16].reduce(0) { $0 << 8 | UInt64($1) }
    }

    private static func bytes(_ number: UInt64) -> [UInt8] {
        stride(from: 56, through: 0, by: -8).map { UInt8(truncatingIfNeeded: number >> UInt64($0)) }
    }

    private static func proof(of open: String, key: [UInt8], realm: String) -> String {
        let code = HMAC<SHA256>.authenticationCode(for: Array("\(open):\(realm)".utf8), using: SymmetricKey(data: key))
        return Hexadecimal.text(Array(code).prefix(16))
    }
}
