// Decisions on a request before anybody is called.

import SIPCore

/// The decision on a request that belongs to no call.
enum Screening: Hashable, Sendable {
    /// It is carried out.
    case proceed
    /// It is not answered.
    case drop
    /// It is answered so, after a pause.
    case answer(SIPRefusal, after: Duration)
}

/// The decision on a call.
enum CallAdmission: Hashable, Sendable {
    /// It is made, for this user where one has authenticated.
    case call(DialDecision, user: String?)
    case drop
    /// It is refused so, after a pause.
    case refuse(SIPRefusal, after: Duration)
}
