// How many instructions a packet takes, counted by valgrind.

import Foundation
import TestSupport

/// Counts instructions of the loop alone.
enum Instructions {
    /// Instructions of one packet with all its copies; nil where there is no valgrind.
    static func perPacket(_ language: Language, legs: Int) -> Double? {
        // What a pass costs without packets cancels out.
        let (few, many) = (320, 3200)
        guard let first = collected(language, legs, few), let second = collected(language, legs, many) else {
            return nil
        }
        return (second - first) / Double(many - few)
    }

    private static func collected(_ language: Language, _ legs: Int, _ packets: Int) -> Double? {
        let function =
            switch language {
            case .swift: "*ForwardingLoop*pass*now*"
            case .c: "reference_pass"
            }
        let program = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        guard
            let command = try? Command([
                "valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", "--toggle-collect=\(function)",
                program,
                "synthetic", "--language", language.rawValue, "--legs", "\(legs)", "--packets", "\(packets)",
            ]), let output = try? command.finish(checked: false)
        else { return nil }
        for line in output.split(separator: "\n") {
            guard let range = line.range(of: "Collected : ") else { continue }
            return Double(line[range.upperBound...].split(separator: " ").first ?? "")
        }
        return nil
    }
}
