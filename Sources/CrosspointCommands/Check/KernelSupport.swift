// On which kernels Crosspoint is known to work.

/// The support of a kernel's series, the first two numbers of its release.
///
/// `scripts/test vm` runs the fast path's tests on the oldest series, on that of Debian 13 and on the newest one; it is
/// the basis of `oldest` and `newest`.
enum KernelSupport: String, Encodable {
    /// Between the oldest and the newest series on which the tests were run.
    case tested
    /// Older than the oldest: what the programs need of the kernel may be missing.
    case tooOld = "too-old"
    /// Newer than the newest.
    case untested
    /// The release does not begin with two numbers.
    case unknown

    struct Series: Comparable, CustomStringConvertible {
        let major: Int
        let minor: Int

        static func < (one: Series, two: Series) -> Bool { (one.major, one.minor) < (two.major, two.minor) }
        var description: String { "\(major).\(minor)" }
    }

    /// Debian 12's.
    static let oldest = Series(major: 6, minor: 1)
    static let newest = Series(major: 7, minor: 3)

    /// - Parameter release: As `uname -r` prints it: `6.1.0-50-cloud-amd64`.
    init(release: String) {
        let numbers = release.split(separator: ".", maxSplits: 2).prefix(2).map {
            $0.prefix { $0.isASCII && $0.isNumber }
        }
        guard numbers.count == 2, let major = Int(numbers[0]), let minor = Int(numbers[1]) else {
            self = .unknown
            return
        }
        let series = Series(major: major, minor: minor)
        self = series < Self.oldest ? .tooOld : series > Self.newest ? .untested : .tested
    }

    /// The text behind the release, for a person.
    var text: String {
        switch self {
        case .tested: Self.range
        case .tooOld: "older than \(Self.oldest), the oldest that Crosspoint is tested on"
        case .untested: "newer than \(Self.newest), the newest that Crosspoint is tested on"
        case .unknown: "\(Self.range), and this release is not understood"
        }
    }

    /// The series on which the tests were run.
    static var range: String { "tested: \(oldest) to \(newest)" }
}
