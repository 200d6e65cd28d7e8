// Bytes from hexadecimal digits, and random ones that repeat.

import SRTPKeys
import Testing

@testable import KeyManagement

enum Bytes {
    static func of(_ digits: String) -> [UInt8] {
        let digits = Array(digits.utf8.filter { $0 != 0x20 })
        return stride(from: 0, to: digits.count, by: 2).map { index in
            UInt8(String(decoding: digits[index..<index + 2], as: UTF8.self), radix: 16)!
        }
    }

    static func text(_ bytes: [UInt8]) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    static func counting(from first: UInt8, _ count: Int) -> [UInt8] { (0..<count).map { first &+ UInt8($0) } }

    static func key(_ suite: SRTPProfile, from first: UInt8 = 1, ssrc: UInt32? = nil) -> SRTPKey {
        SRTPKey(new: suite, ssrc: ssrc) { counting(from: first, $0) }
    }
}

/// Runs `body`, and gives what it threw as a reason.
func reason(_ body: () throws -> Void) -> KeyManagementError.Reason? {
    do { try body() } catch { return (error as? KeyManagementError)?.reason }
    return nil
}
