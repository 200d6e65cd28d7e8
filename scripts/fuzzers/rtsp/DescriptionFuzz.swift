// Session descriptions: printed as they were read, edited without loss, and every value in them looked at.

import RTPWire
import SDP

enum DescriptionFuzz {
    static func run(_ bytes: [UInt8]) {
        guard let description = try? SessionDescription(parsing: bytes) else { return }
        look(at: description)
        let again = read(description, "what is printed can be read")
        precondition(again.bytes == description.bytes, "what is printed stays the same")

        var edited = description.strippedOfTransport()
        edited.setControls(session: "*") { "streamid=\($0)" }
        let stripped = read(edited, "what was edited can be read")
        precondition(stripped.media.count == description.media.count, "every medium is still there")
        for (number, medium) in stripped.media.enumerated() {
            precondition(medium.attribute("control") == "streamid=\(number)", "its control is ours")
            precondition(medium.udpPort == 0, "its UDP port is not the camera's")
        }
        let endpoints = description.media.indices.map {
            SessionDescription.MulticastEndpoint(
                group: IPAddress(239, 1, 1, UInt8(truncatingIfNeeded: $0)), udpPort: 5004, ttl: 16)
        }
        let places = Dictionary(uniqueKeysWithValues: endpoints.enumerated().map { ($0.offset, $0.element) })
        look(at: read(edited.multicastDescription(places), "a multicast description can be read"))
    }

    private static func read(_ description: SessionDescription, _ reason: String) -> SessionDescription {
        // Additions make it a little longer.
        let limits = SDPLimits(bytes: 1 << 20, lines: 20_000, media: 128)
        guard let again = try? SessionDescription(parsing: description.bytes, limits: limits) else {
            preconditionFailure(reason)
        }
        return again
    }

    private static func look(at description: SessionDescription) {
        _ = (description.origin, description.name, description.text, description.attributes(named: "group"))
        for medium in description.media {
            _ = (description.connection(of: medium)?.ipAddress, description.connections(of: medium))
            _ = (description.direction(of: medium), description.sourceFilters(of: medium))
            _ = (medium.isRTP, medium.clockRate, medium.rtcp, medium.rtcpUDPPort, medium.bandwidth("AS"))
            for payloadType in medium.payloadTypes {
                _ = (medium.rtpMap(payloadType: payloadType), medium.formatParameters(payloadType: payloadType))
            }
        }
    }
}
