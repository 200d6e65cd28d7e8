// How long the programs are, so that growth is seen.

import CrosspointShim
import FoundationEssentials
import TestSupport
import Testing

@testable import FastPath

extension FastPathSuite {
    @Suite("Instructions")
    struct InstructionTests {
        /// One program's lengths.
        struct Size: Codable, Hashable {
            /// Instructions that the verifier walked.
            var verified: Int
            /// Instructions after the verifier's own additions.
            var translated: Int
            /// Bytes of machine code.
            var jited: Int
        }

        private static var path: String {
            "/" + #filePath.split(separator: "/").dropLast().joined(separator: "/") + "/instruction-baseline.json"
        }

        @Test("programs are as long as the baseline says, within 20 %")
        func sizes() throws {
            let bench = try TestBench()
            let egress = try EgressBench(bench)
            let programs = [
                ("ingress", bench.fastPath.ingress), ("ingress_long", egress.ingressLong),
                ("egress", bench.fastPath.egress), ("egress_under_test", egress.program),
            ]
            var sizes: [String: Size] = [:]
            for (name, program) in programs {
                var size = crosspoint_program_size()
                #expect(program.use { crosspoint_bpf_program_size($0, &size) } == 0)
                sizes[name] = Size(
                    verified: Int(size.verified), translated: Int(size.translated), jited: Int(size.jited_bytes))
            }
            let text = String(decoding: try encoder.encode(sizes), as: UTF8.self)
            print(text)
            let data = try #require(FileManager.default.contents(atPath: Self.path))
            let baseline = try JSONDecoder().decode([String: Size].self, from: data)
            #expect(baseline.keys.sorted() == sizes.keys.sorted())
            for (name, size) in sizes {
                let before = try #require(baseline[name])
                for (now, then) in [
                    (size.verified, before.verified), (size.translated, before.translated), (size.jited, before.jited),
                ] {
                    #expect(
                        abs(now - then) * 5 <= then,
                        "\(name): \(size); if that is meant, write it to instruction-baseline.json:\n\(text)")
                }
            }
        }

        private var encoder: JSONEncoder {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
            return encoder
        }
    }
}
