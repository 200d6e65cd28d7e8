// Reasons for which a description cannot be used.

/// An offer or an answer that breaks a rule of RFC 3264.
public struct OfferAnswerError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The code of a Warning (RFC 3261 section 20.43).
    public enum Warning: Int, Hashable, Sendable {
        case mediaTypeNotAvailable = 304
        case incompatibleMediaFormat = 305
        case sessionDescriptionParameterNotUnderstood = 306
        case miscellaneous = 399
    }

    public let warning: Warning
    public let description: String

    public init(_ warning: Warning, _ description: String) {
        self.warning = warning
        self.description = description
    }

    /// The 488 to the request that brought the description.
    ///
    /// - Parameter agent: the host, with or without a port, that warns.
    public func refusal(agent: String) -> SIPRefusal {
        SIPRefusal(
            .notAcceptableHere, headers: ["Warning": "\(warning.rawValue) \(agent) \(ValueList.quoted(description))"])
    }
}
