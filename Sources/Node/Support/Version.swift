// The version of this program.

/// The version of this program, as `--version`, the control API and metrics give it.
public enum Version {
    public static let current = "0.1.0"
}
