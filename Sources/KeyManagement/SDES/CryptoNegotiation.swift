// One crypto attribute for a medium, agreed by offer and answer.

public import SRTPKeys

/// The rules of RFC 4568 section 5.1.
public enum CryptoNegotiation {
    /// The agreement of both sides: each encrypts with its own key.
    public struct Agreement: Hashable, Sendable {
        public let tag: UInt32
        /// The keys that the peer encrypts with: at least one, all of one profile.
        public let peerKeys: [SRTPKey]
        /// The name that the peer has for the suite.
        public let suiteName: String

        public var suite: SRTPProfile { peerKeys[0].profile }
    }

    /// The attributes of an offer of this node, one for each suite, tagged from 1.
    public static func offer(suites: [SRTPProfile], key: (SRTPProfile) -> SRTPKey) -> [CryptoAttribute] {
        suites.enumerated().map { CryptoAttribute(tag: UInt32($0 + 1), key: key($1)) }
    }

    /// The first of the peer's attributes that this node can do: the peer's order is its preference (section 5.1.1).
    ///
    /// Attributes that cannot be read or done are passed over; throws if no other is left, saying what was wrong with
    /// the first.
    ///
    /// - Parameter values: the values of the medium's `a=crypto` lines.
    /// - Parameter suites: those that this node may use.
    public static func choose(
        from values: [String], suites: [SRTPProfile]
    ) throws(KeyManagementError) -> Agreement {
        var problem: KeyManagementError?
        var tags: Set<UInt32> = []
        for value in values {
            do throws(KeyManagementError) {
                let attribute = try CryptoAttribute(value)
                // Of two with one tag, an answer could not say which it means (section 4.1).
                guard tags.insert(attribute.tag).inserted else {
                    throw KeyManagementError(.malformed, "a=crypto:\(attribute.tag): the tag stands twice")
                }
                let keys = try attribute.masterKeys()
                guard suites.contains(keys[0].profile) else {
                    throw KeyManagementError(
                        .unsupported, "a=crypto:\(attribute.tag): \(attribute.suiteName) is not allowed here")
                }
                return Agreement(tag: attribute.tag, peerKeys: keys, suiteName: attribute.suiteName)
            } catch {
                problem = problem ?? error
            }
        }
        throw problem ?? KeyManagementError(.missing, "there is no a=crypto line")
    }

    /// The attribute with which this node accepts what it has chosen: its tag and suite, and a key of this node's own.
    public static func answer(to chosen: Agreement, key: SRTPKey) -> CryptoAttribute {
        precondition(key.profile == chosen.suite, "the key is for the suite that was chosen")
        return CryptoAttribute(tag: chosen.tag, key: key, suiteName: chosen.suiteName)
    }

    /// The meaning of the answer to this node's offer.
    ///
    /// Throws unless exactly one attribute is there, with tag and suite of an offered one, without parameters that
    /// were not offered,
    /// and with another key than the offer's, since two senders with one key encrypt twice with one keystream (section
    /// 5.1.2 and 5.1.3).
    public static func accept(
        answer values: [String], to offer: [CryptoAttribute]
    ) throws(KeyManagementError) -> (offered: CryptoAttribute, agreement: Agreement) {
        guard values.count == 1, let value = values.first else {
            throw values.isEmpty
                ? KeyManagementError(.missing, "the answer has no a=crypto line, so nothing was agreed on")
                : KeyManagementError(.malformed, "the answer has \(values.count) a=crypto lines; it must choose one")
        }
        let attribute = try CryptoAttribute(value)
        guard let offered = offer.first(where: { $0.tag == attribute.tag }) else {
            throw KeyManagementError(.notOffered, "a=crypto:\(attribute.tag): no such tag was offered")
        }
        guard offered.suiteName == attribute.suiteName else {
            throw KeyManagementError(
                .notOffered,
                "a=crypto:\(attribute.tag): the answer has \(attribute.suiteName.prefix(64)), the offer "
                    + offered.suiteName
            )
        }
        let keys = try attribute.masterKeys()
        let own = Set(offer.flatMap(\.keys).map(\.keyAndSalt))
        guard attribute.keys.allSatisfy({ !own.contains($0.keyAndSalt) }) else {
            throw KeyManagementError(.insecure, "a=crypto:\(attribute.tag): the answer has the key of the offer")
        }
        return (offered, Agreement(tag: attribute.tag, peerKeys: keys, suiteName: attribute.suiteName))
    }
}
