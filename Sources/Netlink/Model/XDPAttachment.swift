// The XDP program on an interface.

/// An XDP program that is attached to an interface (IFLA_XDP).
public struct XDPAttachment: Hashable, Sendable {
    /// The place in the receive path at which the program runs.
    public enum Mode: String, Hashable, Sendable, Codable {
        /// In the driver, before the kernel makes a packet of the frame.
        case native
        /// After it, on any driver: slow, and no fan-out.
        case generic
        /// In the hardware.
        case offloaded
        /// In several of these places at once.
        case multiple
    }

    /// The program's id, as `bpftool prog show id` takes it; 0 if there are several.
    public var programID: UInt32
    public var mode: Mode

    public init(programID: UInt32, mode: Mode) {
        self.programID = programID
        self.mode = mode
    }
}
