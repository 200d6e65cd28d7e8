// Store of the keys of routes, and of the packet indices that were sent with them.

import Crypto
import FileStatus
import FoundationEssentials
import Glibc
import SRTP
import SRTPKeys

/// Keys by name: those that sessions set, and files in a directory of the operator's.
struct KeyStore {
    /// The operator's keys, a file for each name.
    private let directory: String
    /// Keys of sessions, a file with mode 0600 for each, as long as the machine runs.
    private let sessionDirectory: String
    /// The directory of the indices that were sent with keys, for longer than the machine runs.
    private let stateDirectory: String
    private var sessionKeys: [String: KeyMaterial] = [:]

    /// The longest file of a key, in bytes.
    private static let longestFile = 4096

    init(paths: KeyPaths) {
        directory = paths.keys
        sessionDirectory = paths.sessionKeys
        stateDirectory = paths.state
        // Keys that sessions of an earlier process have set; a file that cannot be read is a key that is not there.
        for name in (try? FileManager.default.contentsOfDirectory(atPath: sessionDirectory)) ?? [] {
            guard let text = try? Self.read("\(sessionDirectory)/\(name)", of: name),
                let key = try? KeyMaterial(text: text)
            else { continue }
            sessionKeys[name] = key
        }
    }

    /// The key that a session has set under the name.
    func sessionKey(_ name: String) -> KeyMaterial? { sessionKeys[name] }

    /// The key of a name, which an endpoint asks for.
    func material(_ name: String, of endpoint: String) throws(RoutingError) -> KeyMaterial {
        if let key = sessionKeys[name] { return key }
        let path = "\(directory)/\(name)"
        guard access(path, F_OK) == 0 else {
            throw RoutingError(
                .notFound,
                "\(endpoint): there is no key \(name) (no file \(directory)/\(name)); make it with 'crosspoint key new \(name)' or "
                    + "'crosspoint key add \(name)'")
        }
        let text = try Self.read(path, of: endpoint)
        do { return try KeyMaterial(text: text) } catch {
            throw RoutingError(.invalid, "\(endpoint): key \(name) (\(path)) \(error)")
        }
    }

    private static func read(_ path: String, of endpoint: String) throws(RoutingError) -> String {
        func refuse(_ problem: String) -> RoutingError { RoutingError(.unavailable, "\(endpoint): \(path) \(problem)") }
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else {
            throw refuse(
                "cannot be read (\(String(cString: strerror(errno)))); give it to the daemon's user (chown, chmod 600)")
        }
        defer { close(file) }
        guard let status = FileStatus(of: file), status.isRegular else { throw refuse("is no file; name a file") }
        guard status.mode & 0o077 == 0 else {
            throw refuse("is open to others than its owner; run 'chmod 600 \(path)', and use a new key")
        }
        var bytes = [UInt8](repeating: 0, count: longestFile + 1)
        let count = Glibc.read(file, &bytes, bytes.count)
        guard count >= 0, count <= longestFile else {
            throw refuse("is no key: it is longer than \(longestFile) bytes")
        }
        guard let text = String(validating: bytes.prefix(count), as: UTF8.self) else { throw refuse("is no text") }
        return text
    }

    /// Forgets the key of a session.
    mutating func remove(_ name: String) {
        sessionKeys[name] = nil
        unlink("\(sessionDirectory)/\(name)")
    }

    /// Sets the key of a session.
    mutating func set(_ key: KeyMaterial, named name: String) throws(RoutingError) {
        let path = "\(sessionDirectory)/\(name)"
        do {
            try Self.make(sessionDirectory)
            try JournalFile.write(Data(key.secretText.utf8), to: path)
        } catch {
            throw RoutingError(.failed, "key \(name): \(path) cannot be written; check space and mode: \(error)")
        }
        sessionKeys[name] = key
    }

    private static func make(_ directory: String) throws(SystemError) {
        guard mkdir(directory, 0o700) == 0 || errno == EEXIST else { throw SystemError(errno) }
    }

    /// The indices that were sent with a key, for a sender that is to use it: RTP and RTCP each on its own, since their
    /// keys are derived apart.
    func indices(of key: SRTPKey, channel: String) throws(SentIndicesError) -> SentIndices {
        let directory = "\(stateDirectory)/srtp"
        for path in [stateDirectory, directory] {
            do { try Self.make(path) } catch { throw .file(path, error.code) }
        }
        let digest = SHA256.hash(data: key.masterKey + key.masterSalt)
        let name = digest.prefix(16).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        return try SentIndices(path: "\(directory)/\(name).\(channel)", boot: Self.boot())
    }

    /// The values that distinguish this run of the machine from all others.
    private static func boot() -> (UInt64, UInt64) {
        let text = (try? String(contentsOfFile: "/proc/sys/kernel/random/boot_id", encoding: .utf8)) ?? ""
        let digits = text.filter(\.isHexDigit)
        guard digits.count == 32, let first = UInt64(digits.prefix(16), radix: 16),
            let second = UInt64(digits.dropFirst(16), radix: 16)
        else {
            // A run of which nothing is known is like no other: what was not completed in it is not gone on with.
            return (.random(in: .min ... .max), .random(in: .min ... .max))
        }
        return (first, second)
    }
}
