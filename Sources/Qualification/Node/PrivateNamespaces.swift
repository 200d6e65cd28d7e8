// Namespaces of the process's own, so that nothing of a trial is on the host, and nothing stays.

import CrosspointShim
import Glibc

/// Gives the process a network and a BPF file system that nobody else sees. They go when the process ends, however it ends.
public enum PrivateNamespaces {
    /// The place of the process's own memory file system.
    public static let scratch = "/dev/shm"
    /// The place of its own BPF file system.
    public static let bpffs = "/sys/fs/bpf"

    /// Starts this program again with the same arguments and one more, in a mount namespace of its own, and in a network of its
    /// own if that is asked for. Returns only by an error: a namespace is a thread's, and only a new program has one thread.
    public static func restart(hasNetwork: Bool, adding argument: String) throws(QualificationError) {
        let result = crosspoint_enter_private_namespaces(hasNetwork ? 1 : 0)
        guard result == 0 else {
            throw QualificationError(
                result == -EPERM ? .privileges : .failed,
                "namespaces of its own: \(String(cString: strerror(-result))); run as root (sudo crosspoint bench)")
        }
        var arguments: [UnsafeMutablePointer<CChar>?] = (CommandLine.arguments + [argument]).map { strdup($0) } + [nil]
        execv("/proc/self/exe", &arguments)
        throw QualificationError(.failed, "this program cannot be started anew: \(String(cString: strerror(errno)))")
    }
}
