// The password of this node towards a next hop.

import FileStatus
import Glibc
import Routing
import SIPCore

extension DialTarget.Credentials {
    /// The most bytes of a password.
    private static let maximumBytes = 1024

    /// The client that answers the next hop's challenges.
    ///
    /// - Throws: why the file cannot be used. It is read now, so that a new password needs no restart.
    func client() throws(SpecificationError) -> SIPAuthenticationClient {
        SIPAuthenticationClient(user: user, password: try password())
    }

    private func password() throws(SpecificationError) -> String {
        let file = open(passwordFile, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else {
            throw refusal("cannot be read (\(String(cString: strerror(errno))))", "let the daemon's user read it")
        }
        defer { close(file) }
        guard let status = FileStatus(of: file), status.isRegular else {
            throw refusal("is no file", "name a file")
        }
        guard status.mode & 0o007 == 0 else {
            throw refusal("can be read by everybody on this host", "chmod o= '\(passwordFile)'")
        }
        var bytes = [UInt8](repeating: 0, count: Self.maximumBytes)
        let count = Glibc.read(file, &bytes, bytes.count)
        let line = bytes.prefix(max(count, 0)).prefix { $0 != 0x0a && $0 != 0x0d }
        guard !line.isEmpty, let text = String(validating: line, as: UTF8.self) else {
            throw refusal("has no password on its first line", "write it there")
        }
        return text
    }

    private func refusal(_ problem: String, _ remedy: String) -> SpecificationError {
        SpecificationError(.setting("password-file"), passwordFile, problem, remedy: remedy)
    }
}
