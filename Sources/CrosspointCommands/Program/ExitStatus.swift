// The exit codes: sysexits.h where it has one.

/// The meaning of the program's exit codes.
enum ExitStatus {
    /// Done.
    static let ok: Int32 = 0
    /// Refused, or failed.
    static let failed: Int32 = 1
    /// Wrong arguments (EX_USAGE).
    static let usage: Int32 = 64
    /// No daemon answers (EX_UNAVAILABLE).
    static let unreachable: Int32 = 69
    /// A privilege is missing (EX_NOPERM).
    static let notPermitted: Int32 = 77

    /// The table that is shown in `--help`.
    static let help = """
        EXIT CODES
          0   done
          1   refused, or failed; the line on standard error says why
          64  wrong arguments
          69  no daemon answers at the control socket
          77  a privilege is missing
        """
}
