// What several tests of authentication need.

import Authentication
import Testing

extension AuthenticationClient {
    /// The header that must be there by now.
    mutating func answer(_ method: String, _ uri: String, body: [UInt8] = []) throws -> String {
        let value = authorization(method: method, uri: uri, body: body)
        return try #require(value)
    }
}
