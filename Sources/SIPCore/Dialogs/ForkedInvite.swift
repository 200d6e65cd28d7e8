// One INVITE, and the dialogs that proxies make of it.

/// The client's view of an INVITE outside of a dialog: every tag in To is a dialog of its own, and the first 2xx wins
/// (RFC 3261 section 13.2.2).
public struct ForkedInvite: Hashable, Sendable {
    /// The meaning of a response.
    public enum Event: Hashable, Sendable {
        /// No dialog yet.
        case progress
        /// A provisional response of an early dialog.
        case early(Dialog)
        /// The call is answered: acknowledge, and end the early dialogs of the others.
        case answered(Dialog)
        /// The 2xx came again: send the same ACK again.
        case repeated(Dialog)
        /// Another fork has answered, too: acknowledge, then BYE.
        case superfluous(Dialog)
        /// The INVITE has no answer.
        case failed(SIPResponse)
        /// A response that can be used for nothing: a 2xx without tag or Contact, or one fork too many.
        case unusable
    }

    public let request: SIPRequest
    /// The dialogs by the peer's tag.
    public private(set) var dialogs: [String: Dialog] = [:]
    /// The tag of the fork that has won.
    public private(set) var winner: String?
    private let capacity: Int

    /// - Parameter capacity: how many forks are followed.
    public init(_ request: SIPRequest, capacity: Int = 16) {
        self.request = request
        self.capacity = capacity
    }

    public mutating func receive(_ response: SIPResponse) -> Event {
        if response.status.code >= 300 { return winner == nil ? .failed(response) : .progress }
        guard let tag = response.to.tag, response.status.code > 100 else {
            return response.status.isSuccess ? .unusable : .progress
        }
        if var dialog = dialogs[tag] {
            if response.status.isProvisional { return winner == nil ? .early(dialog) : .progress }
            if dialog.state != .early { return .repeated(dialog) }
            dialog.confirm(with: response)
            return confirmed(dialog, tag)
        }
        guard dialogs.count < capacity, let dialog = Dialog(sent: request, received: response) else {
            return response.status.isSuccess ? .unusable : .progress
        }
        dialogs[tag] = dialog
        return dialog.state == .early ? .early(dialog) : confirmed(dialog, tag)
    }

    private mutating func confirmed(_ dialog: Dialog, _ tag: String) -> Event {
        dialogs[tag] = dialog
        if winner != nil { return .superfluous(dialog) }
        winner = tag
        return .answered(dialog)
    }
}
