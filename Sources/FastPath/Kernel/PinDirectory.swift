// The folder in bpffs where maps, programs and links outlive the daemon.

import CLibBPF
import CrosspointShim
import FoundationEssentials
import Glibc

/// Pins of one node below one folder in bpffs: `maps/`, `programs/`, `links/` and `shapes/`.
///
/// The node's own folder has the links of ports, which persist from one layout of the tables to the next, and the record of the
/// generation that they run (`Generation`). The tables, programs and shapes of a generation are in a folder below it.
public struct PinDirectory: Hashable, Sendable {
    /// The folder's path, `/sys/fs/bpf/crosspoint/NODE`.
    public let path: String

    public init(path: String) { self.path = path }

    enum Kind: String, CaseIterable {
        case maps, programs, links, shapes
    }

    private static let generationPrefix = "generation-"

    /// The folder of the tables of a layout.
    func generation(_ version: UInt32) -> PinDirectory {
        PinDirectory(path: "\(path)/\(Self.generationPrefix)\(version)")
    }

    /// The folder of the tables that this program's own version makes.
    package var ownGeneration: PinDirectory { generation(UInt32(CROSSPOINT_ABI_VERSION)) }

    /// The layouts that have a folder, in order.
    var generations: [UInt32] {
        ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? [])
            .filter { $0.hasPrefix(Self.generationPrefix) }
            .compactMap { UInt32($0.dropFirst(Self.generationPrefix.count)) }.sorted()
    }

    func path(_ kind: Kind, _ name: String) -> String { "\(path)/\(kind.rawValue)/\(name)" }

    /// Makes the folders of some kinds of pins.
    func create(_ kinds: [Kind] = Kind.allCases) throws(FastPathError) {
        for folder in [path] + kinds.map({ "\(path)/\($0.rawValue)" }) {
            do {
                try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            } catch {
                throw FastPathError(
                    .privileges,
                    "pin folder \(folder): cannot be made (\(errorText(errno))); run as root or as the service's user, "
                        + "and see that bpffs is mounted (mount -t bpf bpf /sys/fs/bpf)")
            }
        }
        guard crosspoint_is_bpf_filesystem(path) else {
            throw FastPathError(
                .kernel, "pin folder \(path): is not in a BPF file system; mount one (mount -t bpf bpf /sys/fs/bpf)")
        }
    }

    /// True if something of the given name is pinned.
    func exists(_ kind: Kind, _ name: String) -> Bool { access(path(kind, name), F_OK) == 0 }

    /// The names of what is pinned, sorted.
    func names(_ kind: Kind) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: "\(path)/\(kind.rawValue)")) ?? []).sorted()
    }

    /// Opens a pinned object; nil when there is none.
    ///
    /// For reading and writing, whatever it is for: the kernel maps no map that was opened for reading only (do_mmap
    /// takes VM_SHARED away, bpf_map_mmap insists on it).
    func open(_ kind: Kind, _ name: String) throws(FastPathError) -> Descriptor? {
        let number = bpf_obj_get(path(kind, name))
        if number >= 0 { return Descriptor(owning: number) }
        switch errno {
        case ENOENT: return nil
        case EPERM, EACCES:
            throw FastPathError(
                .privileges, "\(path(kind, name)): no permission to open it; run as root or as the service's user")
        default: throw FastPathError(.kernel, "\(path(kind, name)): cannot be opened: \(errorText(errno))")
        }
    }

    /// Pins an object; one that is pinned under the name already is replaced.
    func pin(_ descriptor: Descriptor, _ kind: Kind, _ name: String) throws(FastPathError) {
        let final = path(kind, name)
        // Renaming within bpffs is atomic, so that the pin is there at any moment.
        let temporary = final + "-new"
        unlink(temporary)
        guard descriptor.use({ bpf_obj_pin($0, temporary) }) == 0 else {
            throw FastPathError(.kernel, "\(final): cannot be pinned: \(errorText(errno))")
        }
        guard rename(temporary, final) == 0 else {
            let number = errno
            unlink(temporary)
            throw FastPathError(.kernel, "\(final): cannot be pinned: \(errorText(number))")
        }
    }

    /// Removes a pin; the object goes when nobody else holds it.
    func unpin(_ kind: Kind, _ name: String) { unlink(path(kind, name)) }

    /// Removes every pin and the folders: what was attached is detached.
    public func removeAll() {
        removePins()
        rmdir(path)
    }

    /// Removes every pin, and leaves the folder itself, on which a daemon may hold its lock.
    func removePins() {
        // Links first: nothing runs any more when its maps go.
        for kind in [Kind.links, .programs, .shapes, .maps] {
            for name in names(kind) { unpin(kind, name) }
            rmdir("\(path)/\(kind.rawValue)")
        }
        for version in generations { generation(version).removeAll() }
    }

    /// Removes the tables and programs that are in this folder itself, as versions before generations had them; what
    /// every version finds there stays.
    func removeTables() {
        let kept: Set = [Generation.committedPin, Generation.readablePin]
        for name in names(.links) where !name.hasPrefix("port-") { unpin(.links, name) }
        for name in names(.maps) where !kept.contains(name) { unpin(.maps, name) }
        for kind in [Kind.programs, .shapes] {
            for name in names(kind) { unpin(kind, name) }
            rmdir("\(path)/\(kind.rawValue)")
        }
    }
}
