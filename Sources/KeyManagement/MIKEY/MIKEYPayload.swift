// The parts of a message.

/// A payload (RFC 3830 section 6).
public enum MIKEYPayload: Hashable, Sendable {
    /// The type of a payload in the field of the one before it (table 6.1.b).
    enum Kind: UInt8 {
        case last = 0
        case keyTransport = 1
        case timestamp = 5
        case identity = 6
        case verification = 9
        case securityPolicy = 10
        case random = 11
        case error = 12
        case keyData = 20
        case generalExtension = 21
    }

    /// The kinds of timestamps (section 6.6).
    public enum Timestamp: Hashable, Sendable {
        /// NTP time in UTC: seconds since 1900 and their fraction.
        case ntpUTC(UInt64)
        /// The same in any other time zone.
        case ntp(UInt64)
        case counter(UInt32)
    }

    /// KEMAC: keys, without encryption and authentication of their own (section 6.2).
    case keyTransport([MIKEYKeyData])
    case timestamp(Timestamp)
    /// An identity of a type, at most 65,535 bytes (section 6.7).
    case identity(type: UInt8, [UInt8])
    /// The bytes by which an answer proves that it knows the key (section 6.9): no bytes without authentication, else 20.
    case verification([UInt8])
    case securityPolicy(MIKEYSecurityPolicy)
    /// Random bytes, at most 255 (section 6.11).
    case random([UInt8])
    /// The number of an error (section 6.12).
    case error(UInt8)
    /// An extension of a type, at most 65,535 bytes (section 6.15).
    case generalExtension(type: UInt8, [UInt8])

    var kind: Kind {
        switch self {
        case .keyTransport: .keyTransport
        case .timestamp: .timestamp
        case .identity: .identity
        case .verification: .verification
        case .securityPolicy: .securityPolicy
        case .random: .random
        case .error: .error
        case .generalExtension: .generalExtension
        }
    }

    /// Everything after the next payload's type.
    var bytes: [UInt8] {
        var bytes: [UInt8] = []
        switch self {
        case .keyTransport(let keys):
            var data: [UInt8] = []
            for (index, key) in keys.enumerated() {
                data.append(index + 1 < keys.count ? Kind.keyData.rawValue : Kind.last.rawValue)
                data += key.bytes
            }
            bytes = [MIKEYMessage.null]
            bytes.append(half: data.count)
            bytes += data + [MIKEYMessage.null]
        case .timestamp(.ntpUTC(let time)), .timestamp(.ntp(let time)):
            bytes = [self == .timestamp(.ntpUTC(time)) ? 0 : 1]
            bytes.append(word: UInt32(time >> 32))
            bytes.append(word: UInt32(truncatingIfNeeded: time))
        case .timestamp(.counter(let counter)):
            bytes = [2]
            bytes.append(word: counter)
        case .identity(let type, let data), .generalExtension(let type, let data):
            bytes = [type]
            bytes.append(half: data.count)
            bytes += data
        case .verification(let data):
            precondition(data.isEmpty || data.count == MIKEYMessage.macLength, "as long as its algorithm makes it")
            bytes = [data.isEmpty ? MIKEYMessage.null : MIKEYMessage.hmacSHA1] + data
        case .securityPolicy(let policy):
            bytes = [policy.number, policy.protocolType]
            let parameters = policy.parameters.flatMap { [$0.type, UInt8($0.value.count)] + $0.value }
            bytes.append(half: parameters.count)
            bytes += parameters
        case .random(let data):
            precondition(data.count <= 255, "a length of eight bits")
            bytes = [UInt8(data.count)] + data
        case .error(let number): bytes = [number, 0, 0]
        }
        return bytes
    }
}
