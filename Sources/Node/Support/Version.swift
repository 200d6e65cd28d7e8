// The version of this program.

internal import BuildIdentity

/// The version of this program.
public enum Version {
    /// The version, as the control API and metrics have it: of a package, the package's; else that of this source.
    public static let current = packaged ?? "0.1.0"
    /// The abbreviated commit that was built, with "+" behind it if the work tree had changes; nil for a build in a checkout.
    public static let commit = nonempty(crosspoint_build_commit())

    private static let packaged = nonempty(crosspoint_build_version())

    private static func nonempty(_ text: UnsafePointer<CChar>?) -> String? {
        text.map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 }
    }
}
