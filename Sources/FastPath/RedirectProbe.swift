// Check that an interface takes redirected frames, made by sending one.

import BPFPrograms
import CrosspointShim
import Glibc
public import RTPWire

/// Sends a single frame out of an interface as the fast path does, and reads from the kernel what became of it.
///
/// The frame has the EtherType of local experiments (IEEE 802, 0x88b5) and goes from the interface's own address to that same
/// address: whoever is at the other end drops it. The interface's own XDP program, if it has one, is not touched.
public final class RedirectProbe {
    /// The outcome for the frame.
    public enum Outcome: Hashable, Sendable {
        /// The driver took it.
        case sent
        /// It was not sent, with the kernel's error number (0 if there was none).
        case refused(CInt)
        /// The kernel reported neither.
        case unknown
    }

    private let loaded: LoadedObject
    private let record: MappedArray<crosspoint_probe>
    private let program: Descriptor
    /// The tracepoints' links: they watch as long as they are open.
    private let watching: [Descriptor]

    /// Loads the probe's programs. Needs the privileges of the fast path.
    public init() throws(FastPathError) {
        loaded = try LoadedObject(.probe, sizes: nil) { (_) throws(FastPathError) in nil }
        record = try MappedArray(loaded.map("probe"), name: "probe", writable: true)
        program = try loaded.program("send")
        watching = [try loaded.attachTracepoint("on_transmit"), try loaded.attachTracepoint("on_failure")]
    }

    /// Sends one frame out of an interface.
    public func send(through interfaceIndex: UInt32, mac: MACAddress) throws(FastPathError) -> Outcome {
        let entry = try loaded.map("target").use { crosspoint_bpf_set_devmap_entry($0, 0, interfaceIndex, -1) }
        guard entry == 0 else { return .refused(errno) }
        record.clear(0)
        // The numbers of processes are those of a PID namespace: in a container not the host's.
        var namespace = stat()
        guard stat("/proc/self/ns/pid", &namespace) == 0 else {
            throw FastPathError(.kernel, "/proc/self/ns/pid: \(errorText(errno)); is /proc mounted?")
        }
        record[0].pointee.namespace_device = UInt64(namespace.st_dev)
        record[0].pointee.namespace_inode = UInt64(namespace.st_ino)
        record[0].pointee.process = UInt32(getpid())
        record[0].pointee.program = program.use(crosspoint_bpf_program_id)
        record[0].pointee.interface_index = interfaceIndex
        let frame = mac.bytes + mac.bytes + [0x88, 0xb5] + [UInt8](repeating: 0, count: 46)
        let result = frame.withUnsafeBytes { bytes in
            program.use { crosspoint_bpf_live_run($0, bytes.baseAddress, UInt32(bytes.count), 0, 1, 1) }
        }
        guard result == 0 else { throw FastPathError(.kernel, "sending a frame: \(errorText(result))") }
        let answer = record[0].pointee
        if answer.transmitted > 0 { return .sent }
        if answer.refused + answer.failed > 0 { return .refused(-answer.error) }
        return .unknown
    }

    /// Does the same while a program that hands every frame to the host is attached to the interface, as the fast path's will be:
    /// many drivers send redirected frames only then. Some interrupt their link for it.
    public func sendAttached(through interfaceIndex: UInt32, mac: MACAddress) throws(FastPathError) -> Outcome {
        let nativeMode: UInt32 = 1 << 2
        let link = try loaded.program("pass").use { crosspoint_bpf_attach_xdp($0, interfaceIndex, nativeMode) }
        guard link >= 0 else { return .refused(-link) }
        let attached = Descriptor(owning: link)
        defer { withExtendedLifetime(attached) {} }
        return try send(through: interfaceIndex, mac: mac)
    }
}
