// Payload types of a medium whose packets may be split.

import RTPWire
import SDP

extension MediaDescription {
    /// The formats with a standard fragmentation, by payload type.
    var fragmentableFormats: [UInt8: FragmentablePayload] {
        var formats: [UInt8: FragmentablePayload] = [:]
        for type in payloadTypes {
            formats[type] = rtpMap(payloadType: type).flatMap { FragmentablePayload(encodingName: $0.encodingName) }
        }
        return formats
    }
}
