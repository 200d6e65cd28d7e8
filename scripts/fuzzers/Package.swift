// swift-tools-version: 6.2
// Fuzzers for what reads network bytes. A package of its own, since libFuzzer's instrumentation goes into every module: nothing
// of it is in the programs that people run. Its modules are the project's own, by symbolic links. Run by scripts/fuzz.
import PackageDescription

let fuzzed: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .treatAllWarnings(as: .error),
    .unsafeFlags(["-sanitize=fuzzer"]),
]

let package = Package(
    name: "crosspoint-fuzzers",
    dependencies: [.package(url: "https://github.com/apple/swift-crypto", from: "4.5.2")],
    targets: [
        .target(name: "Timing", swiftSettings: fuzzed),
        .target(name: "RTPWire", dependencies: ["Timing"], swiftSettings: fuzzed),
        .target(name: "SDP", dependencies: ["RTPWire"], swiftSettings: fuzzed),
        .target(
            name: "Authentication", dependencies: ["Timing", .product(name: "Crypto", package: "swift-crypto")],
            swiftSettings: fuzzed
        ),
        .systemLibrary(name: "CLibSRTP", pkgConfig: "libsrtp2"),
        .target(name: "SRTPKeys", swiftSettings: fuzzed),
        .target(
            name: "SRTP", dependencies: ["SRTPKeys", "CLibSRTP", .product(name: "Crypto", package: "swift-crypto")],
            swiftSettings: fuzzed
        ),
        .target(
            name: "KeyManagement", dependencies: ["SRTPKeys", .product(name: "Crypto", package: "swift-crypto")],
            swiftSettings: fuzzed
        ),
        .target(name: "RTSPCore", dependencies: ["Timing", "RTPWire"], swiftSettings: fuzzed),
        .target(name: "SIPCore", dependencies: ["RTPWire", "SDP", "Authentication"], swiftSettings: fuzzed),
        .target(
            name: "RTSPFuzz", dependencies: ["RTPWire", "SDP", "RTSPCore", "KeyManagement", "SRTPKeys"], path: "rtsp",
            swiftSettings: fuzzed
        ),
        .target(
            name: "SIPFuzz", dependencies: ["RTPWire", "SDP", "Authentication", "SIPCore"], path: "sip",
            swiftSettings: fuzzed
        ),
        .target(name: "SRTPFuzz", dependencies: ["SRTP", "SRTPKeys"], path: "srtp", swiftSettings: fuzzed),
        .executableTarget(
            name: "crosspoint-fuzz", dependencies: ["RTSPFuzz", "SIPFuzz", "SRTPFuzz"], path: "main",
            cSettings: [.unsafeFlags(["-Wall", "-Wextra", "-Werror"])],
            linkerSettings: [.unsafeFlags(["-sanitize=fuzzer", "-use-ld=lld"])]
        ),
    ]
)
