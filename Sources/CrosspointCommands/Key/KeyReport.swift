// A key as it may be shown.

import SRTPKeys

/// The part of a key that is not a secret.
struct KeyReport: Codable, Hashable {
    var name: String
    /// `key`, or `link`.
    var kind: String
    var profile: String
    /// The number of keys of the name.
    var keys: Int

    init(_ name: String, _ key: KeyMaterial) {
        self.name = name
        kind = key.isLink ? "link" : "key"
        profile = key.profile.rawValue
        keys = if case .srtp(let list) = key { list.count } else { 1 }
    }
}
