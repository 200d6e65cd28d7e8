// NAPTR records as they come.

import CrosspointShim
import Testing

@testable import AgentSupport

@Suite struct NamingAuthorityTests {
    @Test("An answer is read with its compressed names; what is cut off or no answer is refused")
    func answer() {
        func text(_ text: String) -> [UInt8] { [UInt8(text.utf8.count)] + Array(text.utf8) }
        let name = text("studio") + [0]
        func record(_ data: [UInt8]) -> [UInt8] {
            [0xc0, 12, 0, 35, 0, 1, 0, 0, 1, 0, 0, UInt8(data.count)] + data
        }
        // `_sip._udp` and then the name at offset 12.
        let replacement = text("_sip") + text("_udp") + [0xc0, 12]
        let good = record([0, 50, 0, 10] + text("s") + text("SIP+D2U") + text("") + replacement)
        let expression = record([0, 50, 0, 20] + text("u") + text("E2U+sip") + text("!^.*$!sip:x@y!") + [0])
        let long = record([0, 60, 0, 1] + text("s") + text(String(repeating: "x", count: 100)) + text("") + [0])
        let message = [0, 1, 0x81, 0x80, 0, 1, 0, 3, 0, 0, 0, 0] + name + [0, 35, 0, 1] + good + expression + long
        func parse(_ bytes: [UInt8]) -> [NamingAuthority?]? {
            var records = [crosspoint_naming_authority](repeating: crosspoint_naming_authority(), count: 8)
            let count = crosspoint_dns_parse_naming_authorities(bytes, bytes.count, &records, records.count)
            return count < 0 ? nil : records.prefix(Int(count)).map { NamingAuthority($0) }
        }
        #expect(
            parse(message) == [
                NamingAuthority(order: 50, preference: 10, service: "SIP+D2U", replacement: "_sip._udp.studio"),
                nil,
                NamingAuthority(
                    order: 60, preference: 1, service: String(repeating: "x", count: 63), replacement: ""),
            ])
        for length in 0..<message.count { #expect(parse(Array(message.prefix(length))) == nil) }
    }
}
