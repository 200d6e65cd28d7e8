// The users and the hashes of their passwords: `user:realm:algorithm:hash` on lines of their own.

/// The users of all realms, and the text of the file that holds them. Comments and the order of lines stay.
public struct UserDatabase: Hashable, Sendable {
    /// The user, realm and algorithm that a password is kept for.
    public struct Key: Hashable, Sendable {
        public let user: String
        public let realm: String
        public let algorithm: DigestAlgorithm
    }

    private enum Line: Hashable {
        case comment(String)
        case secret(Key)
    }

    private var lines: [Line] = []
    private var secrets: [Key: String] = [:]
    /// The users by the hash of their name and realm, for `userhash`.
    private var hashes: [String: String] = [:]

    public init() {}

    /// Reads the text of a file; `file` is its name in errors.
    public init(parsing text: String, file: String) throws(UserDatabaseError) {
        for (index, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
            let content = line.drop { $0 == " " || $0 == "\t" }
            if content.isEmpty || content.hasPrefix("#") {
                lines.append(.comment(String(line)))
                continue
            }
            let (key, secret): (Key, String)
            do { (key, secret) = try Self.entry(content) } catch {
                throw UserDatabaseError(file: file, line: index + 1, problem: error.problem)
            }
            guard secrets[key] == nil else {
                throw UserDatabaseError(
                    file: file, line: index + 1,
                    problem:
                        "user '\(key.user)' of realm '\(key.realm)' has a second \(key.algorithm.rawValue); remove one")
            }
            insert(key, secret)
        }
        // The end of the last line is not a line.
        if case .comment("") = lines.last { lines.removeLast() }
    }

    private static func entry(_ line: Substring) throws(UserDatabaseError) -> (Key, String) {
        // A realm may contain colons, the other parts may not.
        let parts = line.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count >= 4, !parts[0].isEmpty else {
            throw UserDatabaseError("is not 'user:realm:algorithm:hash'; let 'crosspoint user add' write it")
        }
        let name = parts[parts.count - 2]
        guard let algorithm = DigestAlgorithm(rawValue: String(name)) else {
            throw UserDatabaseError("names the algorithm '\(name)'; use SHA-256 or MD5")
        }
        let secret = parts[parts.count - 1].trimmingSpaces.lowercased()
        guard secret.utf8.count == algorithm.digits, Hexadecimal.bytes(secret) != nil else {
            throw UserDatabaseError(
                "has no hash of \(algorithm.digits) hexadecimal digits; let 'crosspoint user add' write it")
        }
        let realm = parts[1..<(parts.count - 2)].joined(separator: ":")
        return (Key(user: String(parts[0]), realm: realm, algorithm: algorithm), secret)
    }

    private mutating func insert(_ key: Key, _ secret: String) {
        if secrets.updateValue(secret, forKey: key) == nil { lines.append(.secret(key)) }
        hashes[DigestComputation.userHash(user: key.user, realm: key.realm, algorithm: key.algorithm)] = key.user
    }

    /// The text of the file.
    public var text: String {
        lines.map { line in
            switch line {
            case .comment(let text): text + "\n"
            case .secret(let key): "\(key.user):\(key.realm):\(key.algorithm.rawValue):\(secrets[key] ?? "")\n"
            }
        }.joined()
    }

    /// Everything that is kept, without the hashes, in the order of the lines.
    public var keys: [Key] {
        lines.compactMap { if case .secret(let key) = $0 { key } else { nil } }
    }

    /// Keeps the password of a user for all algorithms, in the place of an older one. Throws for names that the file cannot hold.
    public mutating func set(user: String, realm: String, password: String) throws(UserDatabaseError) {
        try Self.validate(user: user, realm: realm)
        for algorithm in DigestAlgorithm.allCases {
            insert(
                Key(user: user, realm: realm, algorithm: algorithm),
                DigestComputation.secret(user: user, realm: realm, password: password, algorithm: algorithm))
        }
    }

    /// Checks that a user and a realm can be written: no colon in the user, and no control characters.
    public static func validate(user: String, realm: String) throws(UserDatabaseError) {
        func isPrintable(_ text: String) -> Bool {
            text.unicodeScalars.allSatisfy { $0.value >= 0x20 && !$0.properties.isWhitespace || $0 == " " }
                && !text.unicodeScalars.contains { (0x7f...0x9f).contains($0.value) }
        }
        guard !user.isEmpty, !user.contains(":"), !user.hasPrefix("#"), user.trimmingSpaces == user, isPrintable(user)
        else {
            throw UserDatabaseError(
                "user '\(user)' cannot be a name; use letters, digits and '-', no ':', no '#' in front, no space around"
            )
        }
        guard isPrintable(realm) else {
            throw UserDatabaseError("realm '\(realm)' contains a control character; use printable ones")
        }
    }

    /// Removes a user from a realm, and says whether there was one.
    public mutating func remove(user: String, realm: String) -> Bool {
        let removed = secrets.keys.filter { $0.user == user && $0.realm == realm }
        for key in removed {
            secrets[key] = nil
            hashes[DigestComputation.userHash(user: user, realm: realm, algorithm: key.algorithm)] = nil
            lines.removeAll { $0 == .secret(key) }
        }
        return !removed.isEmpty
    }

    // MARK: for the server

    /// H(user:realm:password); nil for who is not known.
    func secret(user: String, realm: String, algorithm: DigestAlgorithm) -> String? {
        secrets[Key(user: user, realm: realm, algorithm: algorithm)]
    }

    /// The user whose name and realm have this hash.
    func user(hash: String, realm: String, algorithm: DigestAlgorithm) -> String? {
        guard let user = hashes[hash.lowercased()], secrets[Key(user: user, realm: realm, algorithm: algorithm)] != nil
        else { return nil }
        return user
    }

    /// True if this is the user's password.
    func accepts(user: String, realm: String, password: String) -> Bool {
        var result = false
        for algorithm in DigestAlgorithm.allCases {
            let given = DigestComputation.secret(user: user, realm: realm, password: password, algorithm: algorithm)
            guard let kept = secret(user: user, realm: realm, algorithm: algorithm) else { continue }
            // One algorithm must do: a file may have been written by other programs.
            if Hexadecimal.isEqual(given, kept) { result = true }
        }
        return result
    }
}

extension StringProtocol {
    /// The text without spaces and tabs at its ends.
    fileprivate var trimmingSpaces: String {
        var bytes = Array(utf8)[...]
        while let last = bytes.last, last.isSpace { bytes.removeLast() }
        return String(decoding: bytes.drop(while: \.isSpace), as: UTF8.self)
    }
}
