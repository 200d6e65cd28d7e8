// Packet indices that a key was used for, in memory that may outlive the process.

import Glibc

/// The progress of one source under a key.
struct SentIndex {
    /// Set: an RTP packet was sent. `highest` says nothing before.
    static let hasRTP: UInt64 = 1 << 63

    var ssrc: UInt32
    /// SRTCP packets that were sent: each took the next index.
    var controlPackets: UInt32
    /// The highest packet index, rollover counter and sequence number together, and `hasRTP`.
    var highest: UInt64
}

/// The indices of all sources under one key.
///
/// Every index is written here before its packet leaves. In a file, they outlive the process that sent: the next user
/// of the key knows what is used up. Whether they are complete after the machine's end is said by a mark that an
/// orderly end sets.
public final class SentIndices: @unchecked Sendable {
    /// The sources that are distinguished. More would have to be forgotten, and might come back.
    public static let capacity = 256

    private struct Header {
        static let expectedMagic: UInt64 = 0x31_78_64_6e_69_70_74_72

        var magic: UInt64
        /// The run of the machine that wrote it.
        var boot: (UInt64, UInt64)
        /// 1 when whoever wrote it came to an orderly end, and everything is on the disk.
        var isComplete: UInt32
        var count: UInt32
    }

    private static let headerSize = 64
    private static let size = headerSize + capacity * MemoryLayout<SentIndex>.stride

    private let base: UnsafeMutableRawPointer
    private let file: CInt

    private var header: UnsafeMutablePointer<Header> { base.assumingMemoryBound(to: Header.self) }
    var entries: UnsafeMutablePointer<SentIndex> {
        (base + Self.headerSize).assumingMemoryBound(to: SentIndex.self)
    }
    var count: Int {
        get { min(Int(header.pointee.count), Self.capacity) }
        set { header.pointee.count = UInt32(newValue) }
    }

    /// Of a key that no other process ever has: nothing needs to outlive this one.
    public init() {
        base = .allocate(byteCount: Self.size, alignment: 64)
        base.initializeMemory(as: UInt8.self, repeating: 0, count: Self.size)
        file = -1
    }

    /// In the file at `path`, which is made if the key is new.
    ///
    /// - Parameter boot: the value that distinguishes this run of the machine from every other.
    public init(path: String, boot: (UInt64, UInt64)) throws(SentIndicesError) {
        let (memory, file) = try Self.open(path, boot: boot)
        base = memory
        self.file = file
    }

    private static func open(
        _ path: String, boot: (UInt64, UInt64)
    ) throws(SentIndicesError) -> (UnsafeMutableRawPointer, CInt) {
        let file = Glibc.open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw .file(path, errno) }
        func fail(_ error: SentIndicesError, _ memory: UnsafeMutableRawPointer? = nil) -> SentIndicesError {
            if let memory { munmap(memory, size) }
            close(file)
            return error
        }
        // One process at a time: the key must not be in two hands.
        guard flock(file, LOCK_EX | LOCK_NB) == 0 else { throw fail(.file(path, errno)) }
        let length = lseek(file, 0, SEEK_END)
        guard length >= 0, ftruncate(file, off_t(size)) == 0 else { throw fail(.file(path, errno)) }
        let memory = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0)
        guard let memory, memory != MAP_FAILED else { throw fail(.file(path, errno)) }
        let header = memory.assumingMemoryBound(to: Header.self)
        if length > 0 {
            let isOfThisRun = header.pointee.boot.0 == boot.0 && header.pointee.boot.1 == boot.1
            guard length == off_t(size), header.pointee.magic == Header.expectedMagic,
                isOfThisRun || header.pointee.isComplete == 1
            else { throw fail(.unknown, memory) }
        }
        header.pointee.magic = Header.expectedMagic
        header.pointee.boot = boot
        header.pointee.isComplete = 0
        // On the disk before the first packet: from now on only this run of the machine knows the indices.
        guard msync(memory, size, MS_SYNC) == 0, fsync(file) == 0 else { throw fail(.file(path, errno), memory) }
        return (memory, file)
    }

    /// Nothing is sent with the key any more, by this process: what is known of it is complete.
    public func finish() {
        guard file >= 0 else { return }
        if msync(base, Self.size, MS_SYNC) == 0 {
            header.pointee.isComplete = 1
            msync(base, Self.size, MS_SYNC)
        }
    }

    deinit {
        guard file >= 0 else { return base.deallocate() }
        finish()
        munmap(base, Self.size)
        close(file)
    }
}

/// The reason for which nobody may send with a key.
public enum SentIndicesError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The file and the kernel's error number.
    case file(String, CInt)
    /// The key was used before, and its progress is not known: to continue could repeat a keystream.
    case unknown

    public var description: String {
        switch self {
        case .file(let path, let code) where code == EWOULDBLOCK:
            "is in use already (\(path)); give each leg, and each node, a key of its own"
        case .file(let path, let code):
            "cannot be used: what was sent with it is kept in \(path), which cannot be written "
                + "(\(String(cString: strerror(code)))); give the daemon's user that directory"
        case .unknown:
            "was used before this machine started, and how far is not known; to use it again could repeat a keystream: "
                + "give a new key"
        }
    }
}
