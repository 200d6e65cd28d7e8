// Payloads from bytes.

extension MIKEYPayload {
    /// Reads a payload of a kind, what follows the next payload's type.
    init(_ kind: Kind, reading reader: inout MIKEYReader) throws(KeyManagementError) {
        switch kind {
        case .keyTransport: self = .keyTransport(try Self.keys(&reader))
        case .timestamp: self = .timestamp(try Self.timestamp(&reader))
        case .identity:
            let type = try reader.byte(of: "the type of an identity")
            self = .identity(
                type: type, try reader.bytes(Int(reader.half(of: "the length of an identity")), of: "an identity"))
        case .verification:
            let algorithm = try reader.byte(of: "the algorithm of a verification")
            self = .verification(try reader.bytes(Self.macLength(algorithm), of: "a verification"))
        case .securityPolicy: self = .securityPolicy(try Self.policy(&reader))
        case .random: self = .random(try reader.bytes(Int(reader.byte(of: "the length of RAND")), of: "RAND"))
        case .error:
            let number = try reader.byte(of: "the number of an error")
            _ = try reader.half(of: "the rest of an error")
            self = .error(number)
        case .generalExtension:
            let type = try reader.byte(of: "the type of an extension")
            self = .generalExtension(
                type: type, try reader.bytes(Int(reader.half(of: "the length of an extension")), of: "an extension"))
        case .keyData, .last:
            throw KeyManagementError(.malformed, "MIKEY: a key stands outside of KEMAC")
        }
    }

    private static func macLength(_ algorithm: UInt8) throws(KeyManagementError) -> Int {
        switch algorithm {
        case MIKEYMessage.null: return 0
        case MIKEYMessage.hmacSHA1: return MIKEYMessage.macLength
        default: throw KeyManagementError(.unsupported, "MIKEY: the authentication \(algorithm) is not known")
        }
    }

    private static func keys(_ reader: inout MIKEYReader) throws(KeyManagementError) -> [MIKEYKeyData] {
        let encryption = try reader.byte(of: "the encryption of KEMAC")
        let data = try reader.bytes(Int(reader.half(of: "the length of KEMAC")), of: "KEMAC")
        let authentication = try reader.byte(of: "the authentication of KEMAC")
        guard encryption == MIKEYMessage.null, authentication == MIKEYMessage.null else {
            throw KeyManagementError(
                .unsupported,
                "MIKEY: the keys are encrypted with a key shared beforehand; expected them as they are, over TLS")
        }
        var keys: [MIKEYKeyData] = []
        var inner = MIKEYReader(data[...])
        // The first is a key: with a pre-shared key, no identity is before it.
        var next = Kind.keyData.rawValue
        while next != Kind.last.rawValue {
            guard next == Kind.keyData.rawValue, keys.count < MIKEYMessage.maximumPayloads else {
                throw KeyManagementError(.malformed, "MIKEY: KEMAC has something else than keys, or too many")
            }
            next = try inner.byte(of: "a key")
            keys.append(try MIKEYKeyData(reading: &inner))
        }
        guard inner.rest.isEmpty else {
            throw KeyManagementError(.malformed, "MIKEY: \(inner.rest.count) bytes follow the last key")
        }
        return keys
    }

    private static func timestamp(_ reader: inout MIKEYReader) throws(KeyManagementError) -> Timestamp {
        let type = try reader.byte(of: "the type of a timestamp")
        switch type {
        case 0, 1:
            let time = try UInt64(reader.word(of: "a timestamp")) << 32 | UInt64(reader.word(of: "a timestamp"))
            return type == 0 ? .ntpUTC(time) : .ntp(time)
        case 2: return .counter(try reader.word(of: "a timestamp"))
        default: throw KeyManagementError(.unsupported, "MIKEY: a timestamp of the type \(type), which is not known")
        }
    }

    private static func policy(_ reader: inout MIKEYReader) throws(KeyManagementError) -> MIKEYSecurityPolicy {
        let number = try reader.byte(of: "the number of a policy")
        let protocolType = try reader.byte(of: "the protocol of a policy")
        let data = try reader.bytes(Int(reader.half(of: "the length of a policy")), of: "a policy")
        var inner = MIKEYReader(data[...])
        var parameters: [MIKEYSecurityPolicy.Parameter] = []
        while !inner.rest.isEmpty {
            let type = try inner.byte(of: "a parameter")
            let value = try inner.bytes(Int(inner.byte(of: "the length of a parameter")), of: "a parameter")
            parameters.append(MIKEYSecurityPolicy.Parameter(type: type, value: value))
        }
        return MIKEYSecurityPolicy(number: number, protocolType: protocolType, parameters: parameters)
    }
}
