// Values of a message that SRTP needs.

public import SRTPKeys

extension MIKEYMessage {
    /// The keys that the maker of the message encrypts each crypto session with, in their order, with its SSRC and its
    /// rollover counter
    /// when the message was made. An SSRC of 0, and an empty map, are for any sender.
    ///
    /// A crypto session without a policy of its number is encrypted as RFC 3830 section 6.10.1 presets it. TEKs hold
    /// key and salt, in
    /// two fields or, as GStreamer writes them, in one; from TGKs, key and salt are derived (section 4.1.4). Throws
    /// for what is missing,
    /// does not fit, is not supported or is not secure.
    public func streamKeys() throws(KeyManagementError) -> [[SRTPKey]] {
        guard dataType == .preSharedKey else {
            throw KeyManagementError(
                .missing, "MIKEY: the message is \(dataType == .error ? "an error" : "an answer"), and brings no keys")
        }
        var data: [MIKEYKeyData] = []
        var random: [UInt8] = []
        var policies: [MIKEYSecurityPolicy] = []
        for payload in payloads {
            switch payload {
            case .keyTransport(let keys): data += keys
            case .random(let bytes): random = bytes
            case .securityPolicy(let policy): policies.append(policy)
            case .timestamp, .identity, .verification, .error, .generalExtension: break
            }
        }
        guard !data.isEmpty else { throw KeyManagementError(.missing, "MIKEY: the message has no key") }
        guard data.count == 1 || Set(data.map(\.validity)).count == data.count else {
            throw KeyManagementError(.malformed, "MIKEY: several keys need MKIs that tell them apart")
        }
        var result: [[SRTPKey]] = []
        let sessions = sessions ?? [MIKEYCryptoSession(ssrc: 0)]
        for (index, session) in sessions.enumerated() {
            let policy = policies.first { $0.number == session.policy }
            if policy == nil, !policies.isEmpty {
                throw KeyManagementError(
                    .missing, "MIKEY: there is no policy \(session.policy), which crypto session \(index + 1) asks for")
            }
            let suite = try policy?.suite() ?? SRTPProfile.aesCM128HMACSHA1_80
            var keys: [SRTPKey] = []
            for one in data {
                keys.append(try masterKey(one, for: suite, session, number: UInt8(index + 1), random: random))
            }
            result.append(keys)
        }
        return result
    }

    private func masterKey(
        _ data: MIKEYKeyData, for suite: SRTPProfile, _ session: MIKEYCryptoSession, number: UInt8, random: [UInt8]
    ) throws(KeyManagementError) -> SRTPKey {
        let ssrc = session.ssrc == 0 ? nil : session.ssrc
        var identifier: [UInt8] = []
        switch data.validity {
        case .unlimited: break
        case .identifier(let value): identifier = value
        case .interval:
            throw KeyManagementError(.unsupported, "MIKEY: keys that hold from one packet to another are not supported")
        }
        switch data.kind {
        case .tek:
            if let salt = data.salt {
                return try .received(
                    suite, key: data.key, salt: salt, identifier: identifier, ssrc: ssrc,
                    rolloverCounter: session.rolloverCounter)
            }
            return try .received(
                suite, concatenated: data.key, identifier: identifier, ssrc: ssrc,
                rolloverCounter: session.rolloverCounter)
        case .tgk:
            guard pseudoRandomFunction == 0 else {
                throw KeyManagementError(
                    .unsupported, "MIKEY: the key derivation function \(pseudoRandomFunction); 0, MIKEY-1, is known")
            }
            // Section 4.1.4: with fewer random bytes, a TGK would give the same keys again.
            guard random.count >= 16 else {
                throw KeyManagementError(.insecure, "MIKEY: RAND has \(random.count) bytes; at least 16 are needed")
            }
            guard !data.key.isEmpty else { throw KeyManagementError(.keyLength, "MIKEY: the TGK is empty") }
            let key = MIKEYKeyDerivation.derive(
                .encryptionKey, length: suite.masterKeyLength, from: data.key, session: number, bundle: bundle,
                random: random)
            let salt =
                data.salt
                ?? MIKEYKeyDerivation.derive(
                    .salt, length: suite.masterSaltLength, from: data.key, session: number, bundle: bundle,
                    random: random)
            return try .received(
                suite, key: key, salt: salt, identifier: identifier, ssrc: ssrc,
                rolloverCounter: session.rolloverCounter)
        }
    }

    /// A message that brings one key for one stream: T, RAND, SP and KEMAC in clear, with key and salt in one field,
    /// as GStreamer and
    /// cameras read it.
    ///
    /// - Parameters:
    ///   - key: with its sender, nil for any, and rollover counter.
    ///   - time: now, as NTP: seconds since 1900 and their fraction.
    ///   - random: gives as many random bytes as it is asked for.
    public init(
        key: SRTPKey, time: UInt64, random: (Int) -> [UInt8]
    ) {
        self.init(
            bundle: random(4).reduce(0) { $0 << 8 | UInt32($1) },
            sessions: [MIKEYCryptoSession(ssrc: key.ssrc ?? 0, rolloverCounter: key.rolloverCounter)],
            payloads: [
                .timestamp(.ntpUTC(time)), .random(random(16)),
                .securityPolicy(MIKEYSecurityPolicy(suite: key.profile)),
                .keyTransport([
                    MIKEYKeyData(
                        kind: .tek, key: key.masterKey + key.masterSalt,
                        validity: key.identifier.isEmpty ? .unlimited : .identifier(key.identifier))
                ]),
            ])
    }
}
