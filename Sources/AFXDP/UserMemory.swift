// The owner of one UMEM.

import CLibXDP
import Glibc

/// Memory that AF_XDP sockets receive into and send from, registered with the kernel.
///
/// Its sockets go first.
struct UserMemory: ~Copyable {
    let handle: OpaquePointer
    /// The worker's books about it.
    let frames: UnsafeMutablePointer<FrameMemory>
    private let region: UnsafeMutableRawPointer
    private let byteCount: Int
    /// libxdp sets these up for the first socket, and copies them.
    private let fillRing: UnsafeMutablePointer<xsk_ring_prod>
    private let completionRing: UnsafeMutablePointer<xsk_ring_cons>

    static let ringSize: UInt32 = 2048

    init(frames count: Int) throws(EngineError) {
        let size = count * FrameMemory.frameSize
        let memory = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        guard let memory, memory != MAP_FAILED else {
            throw EngineError(
                .lockedMemory,
                "AF_XDP: \(size >> 20) MiB for frames are not to be had; lower afxdp: frames (now \(count))")
        }
        let fill = UnsafeMutablePointer<xsk_ring_prod>.allocate(capacity: 1)
        let completion = UnsafeMutablePointer<xsk_ring_cons>.allocate(capacity: 1)
        fill.initialize(to: xsk_ring_prod())
        completion.initialize(to: xsk_ring_cons())
        var config = xsk_umem_config(
            fill_size: Self.ringSize, comp_size: Self.ringSize, frame_size: UInt32(FrameMemory.frameSize),
            frame_headroom: 0, flags: 0)
        var created: OpaquePointer?
        let error = xsk_umem__create(&created, memory, UInt64(size), fill, completion, &config)
        guard error == 0, let created else {
            fill.deallocate()
            completion.deallocate()
            munmap(memory, size)
            throw Self.error(-error, frames: count)
        }
        handle = created
        region = memory
        byteCount = size
        fillRing = fill
        completionRing = completion
        frames = .allocate(capacity: 1)
        frames.initialize(to: FrameMemory(base: memory, count: count))
    }

    deinit {
        // Busy only while a socket is left, which there is not.
        xsk_umem__delete(handle)
        frames.pointee.deallocate()
        frames.deallocate()
        fillRing.deallocate()
        completionRing.deallocate()
        munmap(region, byteCount)
    }

    private static func error(_ number: CInt, frames: Int) -> EngineError {
        switch number {
        case ENOBUFS, ENOMEM:
            var limit = rlimit()
            getrlimit(__rlimit_resource_t(__RLIMIT_MEMLOCK.rawValue), &limit)
            let now = limit.rlim_cur == rlim_t.max ? "unlimited" : "\(limit.rlim_cur >> 10) KiB"
            return EngineError(
                .lockedMemory,
                "AF_XDP: \(frames * FrameMemory.frameSize >> 20) MiB of locked memory are more than this process may have "
                    + "(RLIMIT_MEMLOCK \(now)); raise LimitMEMLOCK, grant IPC_LOCK, or lower afxdp: frames (now \(frames))"
            )
        case EPERM, EACCES:
            return EngineError(
                .privileges, "AF_XDP: not permitted; run as root, or with NET_RAW and IPC_LOCK as the unit grants them")
        case EAFNOSUPPORT:
            return EngineError(.kernel, "AF_XDP: this kernel has none (CONFIG_XDP_SOCKETS)")
        default:
            return EngineError(
                .kernel, "AF_XDP: memory for frames is refused: \(String(cString: strerror(number)))")
        }
    }
}
