// Headers that pass from a request of one side to the other side.

import SIPCore

/// Header fields that pass through the node: those that mean something to the people and programs at both ends, and nothing that
/// belongs to a hop, a dialog, or what the node negotiates itself.
enum PassedHeaders {
    private static let names: Set<String> = [
        "subject", "organization", "priority", "alert-info", "call-info", "reply-to", "in-reply-to", "privacy",
        "accept-language", "reason", "answer-mode", "priv-answer-mode", "user-to-user", "resource-priority",
        "geolocation", "date",
    ]
    /// With a body.
    private static let contents: Set<String> = [
        "content-type", "content-disposition", "content-encoding", "content-language", "mime-version", "info-package",
        "content-id",
    ]

    /// Adds to `headers` what passes of `source`, with those that describe the body where `withBody`.
    static func copy(from source: SIPHeaders, to headers: inout SIPHeaders, withBody: Bool = false) {
        for field in source.fields {
            let name = field.name.lowercased()
            if names.contains(name) || name.hasPrefix("x-") || (withBody && contents.contains(name)) {
                headers.append(field.name, field.value)
            }
        }
    }
}
