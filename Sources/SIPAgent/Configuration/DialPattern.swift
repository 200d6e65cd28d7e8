// Patterns for the parts of a called URI.

/// A pattern for a user or a host of a Request-URI.
public enum DialPattern: Hashable, Sendable {
    /// The whole text (`user: studio1`).
    case exact(String)
    /// The beginning of the text (`user: {prefix: '00'}`).
    case prefix(String)
    /// A regular expression that the text as a whole matches (`user: {regex: '(\d+)'}`).
    case expression(String)
}
