// ICMP errors for requests over UDP (RFC 3261 section 18.4).

import AgentSupport
import CrosspointShim
import Glibc
import Logging
import RTPWire
import SIPCore

/// Reads what the network says of datagrams that did not arrive. The socket that sends them cannot be asked: an error there would end its
/// receiving.
@AgentActor
final class UnreachablePlaces {
    /// A request that did not arrive, by what its ICMP error quotes of it.
    struct Report: Hashable, Sendable {
        var method: SIPMethod
        var branch: String
        var address: IPAddress
        var udpPort: UInt16
    }

    private var sockets: [Int32] = []

    /// As many errors are looked at in one turn: others may send any number of them.
    private static let batch = 64
    private static let quoted = 548

    /// - Parameter logger: The receiver of a line where ICMP cannot be listened to.
    init(logger: Logger) {
        for family in [AF_INET, AF_INET6] {
            let socket = crosspoint_unreachable_socket(family)
            if socket >= 0 {
                sockets.append(socket)
            } else if family == AF_INET {
                logger.notice(
                    "sip: no ICMP errors: \(String(cString: strerror(-socket))); places that do not answer are given up after 32 s"
                )
            }
        }
    }

    deinit { for socket in sockets { Glibc.close(socket) } }

    /// The requests that did not arrive, of the errors that have come since.
    func take() -> [Report] {
        var reports: [Report] = []
        var buffer = [UInt8](repeating: 0, count: Self.quoted)
        for socket in sockets {
            for _ in 0..<Self.batch {
                var place = crosspoint_place()
                let count = buffer.withUnsafeMutableBytes {
                    crosspoint_unreachable_read(socket, &place, $0.baseAddress, $0.count)
                }
                guard count >= 0 else { break }
                guard let address = place.ipAddress,
                    let (method, branch) = Self.request(quoted: buffer.prefix(Int(count)))
                else { continue }
                reports.append(Report(method: method, branch: branch, address: address, udpPort: place.udp_port))
            }
        }
        return reports
    }

    /// The method and the branch of a request whose beginning is quoted; nil where the branch is not in it. Only who has seen the request
    /// knows that.
    nonisolated static func request(quoted bytes: some Collection<UInt8>) -> (method: SIPMethod, branch: String)? {
        let bytes = Array(bytes)
        let method = bytes.prefix { $0 != UInt8(ascii: " ") }
        guard method.count < 32, let start = bytes.firstRange(of: Array(";branch=".utf8)) else { return nil }
        let rest = bytes[start.upperBound...]
        let ends: [UInt8] = [UInt8(ascii: ";"), UInt8(ascii: ","), UInt8(ascii: "\r"), UInt8(ascii: " ")]
        guard let end = rest.firstIndex(where: { ends.contains($0) }) else { return nil }
        return (
            SIPMethod(String(decoding: method, as: UTF8.self)), String(decoding: rest[..<end], as: UTF8.self)
        )
    }
}
