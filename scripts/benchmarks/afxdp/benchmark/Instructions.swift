// Number of instructions that a packet takes, counted by valgrind.

import Foundation
import TestSupport

/// Counts instructions of the loop alone.
struct Instructions {
    private let directory: TemporaryDirectory
    private let program: String

    /// Valgrind gives up at the compiler's debugging information: it gets a copy of this program without.
    init() throws {
        directory = try TemporaryDirectory()
        program = "\(directory.path)/afxdp-benchmark"
        let own = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        try Command.run(["objcopy", "--strip-debug", own, program])
    }

    /// Instructions of one packet with all its copies.
    func perPacket(_ language: Language, legs: Int) throws -> Double {
        // The cost of a pass without packets cancels out.
        let (few, many) = (320, 3200)
        let first = try collected(language, legs, few)
        return (try collected(language, legs, many) - first) / Double(many - few)
    }

    private func collected(_ language: Language, _ legs: Int, _ packets: Int) throws -> Double {
        let function =
            switch language {
            case .swift: "*ForwardingLoop*pass*now*"
            case .c: "reference_pass"
            }
        let command = try Command([
            "valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", "--toggle-collect=\(function)", program,
            "synthetic", "--language", language.rawValue, "--legs", "\(legs)", "--packets", "\(packets)",
        ])
        let output = try command.finish(checked: false)
        for line in output.split(separator: "\n") {
            guard let range = line.range(of: "Collected : "),
                let count = Double(line[range.upperBound...].split(separator: " ").first ?? "")
            else { continue }
            return count
        }
        throw Failure(description: "valgrind counted nothing: \(output.suffix(300))")
    }
}
