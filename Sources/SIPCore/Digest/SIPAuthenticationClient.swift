// Requests that are sent again with credentials.

import Authentication

/// The credentials of this node towards one peer, and the proxies before it (RFC 3261 section 22.2 and 22.3).
public struct SIPAuthenticationClient: Sendable {
    private var clients: [SIPAuthenticationRole: AuthenticationClient] = [:]

    public init(user: String, password: String) {
        for role in SIPAuthenticationRole.allCases {
            clients[role] = AuthenticationClient(user: user, password: password, allowsBasic: false)
        }
    }

    /// Adds credentials to a request, as far as somebody has asked for them. ACK takes those of its INVITE instead
    /// (section 22.1), and CANCEL none.
    public mutating func authorize(_ request: inout SIPRequest) {
        for role in SIPAuthenticationRole.allCases {
            request.headers[role.credentialsName] = clients[role]?.authorization(
                method: request.method.name, uri: request.uri.description, body: request.body)
        }
    }

    /// A 401 or 407 came: the request again, with Call-ID, From and To as they were, the next CSeq and a branch of its
    /// own (sections 8.1.3.5 and 22.2).
    ///
    /// - Parameter via: the Via of the new transaction.
    /// - Returns: nil where another attempt would be refused, too: the response is final.
    public mutating func retry(
        _ request: SIPRequest, after response: SIPResponse, via: Via, using generator: inout some RandomNumberGenerator
    ) -> SIPRequest? {
        var isChallenged = false
        for role in SIPAuthenticationRole.allCases {
            // A response that forking proxies have put together may have both (section 22.3).
            let challenges = response.headers.all(role.challengeName)
            guard !challenges.isEmpty else { continue }
            guard case .retry? = clients[role]?.challenged(by: challenges, using: &generator) else { return nil }
            isChallenged = true
        }
        guard isChallenged, [401, 407].contains(response.status.code) else { return nil }
        var again = request
        again.vias = [via]
        again.sequence += 1
        authorize(&again)
        return again
    }

    /// Another response came: the credentials were right.
    public mutating func accepted() {
        for role in SIPAuthenticationRole.allCases { clients[role]?.accepted() }
    }
}
