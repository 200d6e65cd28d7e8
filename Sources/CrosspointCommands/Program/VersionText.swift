// `crosspoint --version`.

import FastPath
import Node

/// The version, and what it goes with.
enum VersionText {
    /// Version, commit, layout of the fast path's tables, kernels; the version is the first line's last word.
    static let text = """
        crosspoint \(Version.current)
        commit: \(Version.commit ?? "not recorded, built in a checkout")
        tables: layout \(FastPath.layoutVersion); those of other layouts are carried over
        kernel: \(KernelSupport.range)
        """
}
