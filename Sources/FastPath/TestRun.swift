// Running the fast path's programs over single frames: packet in, packet out.

import CrosspointShim
import Glibc

/// The result of a program for a frame.
public struct TestRunResult: Hashable, Sendable {
    public enum Verdict: UInt32, Hashable, Sendable {
        case aborted = 0
        case drop = 1
        case pass = 2
        case transmit = 3
        case redirect = 4
    }

    public var verdict: Verdict
    /// The frame afterwards, with the metadata in front of it if the program wrote any.
    public var frame: [UInt8]
}

extension FastPath {
    /// Runs the ingress program over a frame as if it came in by the given interface. Counters count it.
    public func runIngress(frame: [UInt8], interfaceIndex: UInt32) throws(FastPathError) -> TestRunResult {
        try run(ingress, frame: frame, interfaceIndex: interfaceIndex)
    }

    /// The time that the ingress program takes for a frame, in nanoseconds: the mean of many runs over its own output.
    public func costOfIngress(
        frame: [UInt8], interfaceIndex: UInt32, runs: Int
    ) throws(FastPathError) -> Double {
        var run = crosspoint_test_run()
        run.frame_size = UInt32(frame.count)
        run.interface_index = interfaceIndex
        run.repeat = UInt32(runs)
        let result = frame.withUnsafeBytes { bytes in
            run.frame = bytes.baseAddress
            return ingress.use { crosspoint_bpf_test_run($0, &run) }
        }
        guard result == 0 else { throw FastPathError(.kernel, "test run: \(errorText(result))") }
        return Double(run.duration)
    }

    func run(
        _ program: Descriptor, frame: [UInt8], interfaceIndex: UInt32, metadata: Int = 0
    ) throws(FastPathError) -> TestRunResult {
        var output = [UInt8](repeating: 0, count: frame.count + 256)
        var run = crosspoint_test_run()
        run.frame_size = UInt32(frame.count)
        run.output_size = UInt32(output.count)
        run.interface_index = interfaceIndex
        run.repeat = 1
        run.metadata_size = UInt32(metadata)
        let result = frame.withUnsafeBytes { bytes in
            output.withUnsafeMutableBytes { room in
                run.frame = bytes.baseAddress
                run.output = room.baseAddress
                return program.use { crosspoint_bpf_test_run($0, &run) }
            }
        }
        guard result == 0, let verdict = TestRunResult.Verdict(rawValue: run.verdict) else {
            throw FastPathError(.kernel, "test run: \(errorText(result))")
        }
        return TestRunResult(verdict: verdict, frame: Array(output.prefix(Int(run.output_size))))
    }
}
