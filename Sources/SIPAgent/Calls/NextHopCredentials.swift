// Who the node is for a next hop.

import FoundationEssentials
import SIPCore

extension DialTarget.Credentials {
    /// What answers challenges, with the password as its file has it now.
    ///
    /// - Throws: that the file cannot be read, or is empty, in one line.
    func client() throws(SIPTransportError) -> SIPAuthenticationClient {
        guard let data = try? Data(contentsOf: URL(filePath: passwordFile)) else {
            throw SIPTransportError("password-file \(passwordFile): cannot be read; check its name, owner and mode")
        }
        let line = data.prefix { $0 != 0x0a && $0 != 0x0d }
        guard !line.isEmpty else {
            throw SIPTransportError("password-file \(passwordFile): its first line is empty; write the password there")
        }
        return SIPAuthenticationClient(user: user, password: String(decoding: line, as: UTF8.self))
    }
}
