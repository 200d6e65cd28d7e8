// Reasons for the engine of a flow.

/// The reasons for an engine, as statistics show them with and without the daemon. Numbers are stored in pinned labels.
public enum EngineReason: UInt8, Hashable, Sendable, CaseIterable {
    /// Nothing speaks against the kernel engine.
    case ordinary = 0
    /// The kernel engine was asked for.
    case kernelAskedFor = 1
    /// The AF_XDP engine was asked for.
    case afxdpAskedFor = 2
    /// Several legs, and frames that the kernel does not copy.
    case longFrames = 3
    /// The AF_XDP engine would carry it, but cannot be had.
    case unavailable = 4
    /// The AF_XDP engine carries it, and no worker takes packets now.
    case noWorker = 5
    /// SRTP, which AF_XDP workers alone do.
    case encryption = 6
    /// No worker takes packets now, and legs that are not encrypted have them from the kernel engine.
    case noWorkerForEncryption = 7

    /// The reason for a person.
    public var text: String {
        switch self {
        case .ordinary: "the kernel engine carries every flow that needs no work on its payload"
        case .kernelAskedFor: "engine kernel was asked for"
        case .afxdpAskedFor: "engine afxdp was asked for"
        case .longFrames: "its frames are too long for the kernel to copy them to several legs"
        case .unavailable: "the AF_XDP engine cannot be had: the daemon's log and 'crosspoint route show' say why"
        case .encryption: "its packets are encrypted or decrypted, which AF_XDP workers alone do"
        case .noWorkerForEncryption:
            "no AF_XDP worker takes packets at its port now: encrypted legs send nothing, the others continue"
        case .noWorker: "no AF_XDP worker takes packets at its port now"
        }
    }
}
