// The directions that an answer may have.

public import SDP

extension SessionDescription {
    /// This answer with directions that its offer allows: a stream that is offered sendonly is answered recvonly or inactive, and so on
    /// (RFC 3264 section 6.1), whatever the other side of this node wrote.
    public func answering(_ offer: SessionDescription) -> SessionDescription {
        var answer = self
        for index in answer.media.indices where index < offer.media.count && answer.media[index].udpPort != 0 {
            let asked = offer.direction(of: offer.media[index])
            let given = answer.direction(of: answer.media[index])
            let allowed = MediaDirection(sends: given.sends && asked.receives, receives: given.receives && asked.sends)
            if allowed != given { answer.media[index].direction = allowed }
        }
        return answer
    }
}

extension MediaDirection {
    /// The direction of an author that sends, receives, both or neither.
    public init(sends: Bool, receives: Bool) {
        self =
            switch (sends, receives) {
            case (true, true): .sendReceive
            case (true, false): .sendOnly
            case (false, true): .receiveOnly
            case (false, false): .inactive
            }
    }
}
