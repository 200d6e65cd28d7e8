// swift-tools-version: 6.2
// The AF_XDP engine and its tests, to be built with a sanitizer. A package of its own, since instrumentation goes into every module: what the
// engine does not need is not built. Its modules are the project's own, by symbolic links. Run by scripts/test sanitizers.
import PackageDescription

let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .treatAllWarnings(as: .error),
]

let crypto: Target.Dependency = .product(name: "Crypto", package: "swift-crypto")

let package = Package(
    name: "crosspoint",
    dependencies: [.package(url: "https://github.com/apple/swift-crypto", from: "4.5.2")],
    targets: [
        .systemLibrary(name: "CLibBPF", pkgConfig: "libbpf"),
        .systemLibrary(name: "CLibXDP", pkgConfig: "libxdp"),
        .systemLibrary(name: "CLibMNL", pkgConfig: "libmnl"),
        .systemLibrary(name: "CLibSRTP", pkgConfig: "libsrtp2"),
        .target(
            name: "CrosspointShim", dependencies: ["CLibBPF", "CLibMNL"],
            cSettings: [.define("_GNU_SOURCE"), .unsafeFlags(["-Wall", "-Wextra", "-Werror"])],
            linkerSettings: [.linkedLibrary("resolv")]
        ),
        .plugin(name: "EmbedBPF", capability: .buildTool()),
        .target(name: "BPFPrograms", swiftSettings: strict, plugins: ["EmbedBPF"]),
        .target(name: "Timing", swiftSettings: strict),
        .target(name: "RTPWire", dependencies: ["Timing"], swiftSettings: strict),
        .target(
            name: "FastPath", dependencies: ["RTPWire", "BPFPrograms", "CrosspointShim", "CLibBPF"],
            swiftSettings: strict
        ),
        .target(name: "SRTPKeys", swiftSettings: strict),
        .target(name: "SRTP", dependencies: ["SRTPKeys", "CLibSRTP", crypto], swiftSettings: strict),
        .target(
            name: "AFXDP", dependencies: ["FastPath", "SRTP", "SRTPKeys", "CrosspointShim", "CLibXDP"],
            swiftSettings: strict
        ),
        .target(
            name: "LoadGenerator", dependencies: ["RTPWire", "FastPath", "BPFPrograms", "CrosspointShim", "CLibBPF"],
            swiftSettings: strict
        ),
        .target(name: "Netlink", dependencies: ["RTPWire", "CrosspointShim", "CLibMNL"], swiftSettings: strict),
        .target(
            name: "TestSupport", dependencies: ["CrosspointShim"], path: "Tests/TestSupport", swiftSettings: strict),
        .target(
            name: "EngineSupport", dependencies: ["SRTP", "AFXDP", "FastPath", "CLibXDP", "CrosspointShim"],
            path: "Tests/EngineSupport", swiftSettings: strict
        ),
        .testTarget(
            name: "AFXDPTests",
            dependencies: [
                "SRTP", "SRTPKeys", "AFXDP", "EngineSupport", "FastPath", "RTPWire", "CrosspointShim", "CLibXDP",
                "TestSupport",
            ],
            swiftSettings: strict
        ),
        .testTarget(name: "SRTPTests", dependencies: ["SRTP", "SRTPKeys", crypto], swiftSettings: strict),
        .testTarget(
            name: "ControllerTests",
            dependencies: [
                "FastPath", "AFXDP", "LoadGenerator", "Netlink", "RTPWire", "BPFPrograms", "CrosspointShim",
                "TestSupport",
            ],
            sources: [
                "NodeFastPathTests.swift", "EngineConformanceTests.swift", "EngineLoadTests.swift",
                "Support/EngineBench.swift", "Support/EngineRig.swift", "Support/LoadBench.swift",
                "Support/TestNetwork.swift", "Support/PinFolder.swift", "Support/RawFrame.swift",
                "Support/NetworkCards.swift", "Support/Conformance.swift", "Support/ConformanceCase.swift",
                "Support/TestLeg.swift", "Support/Sums.swift", "Support/Flag.swift", "Support/Eventually.swift",
            ],
            swiftSettings: strict
        ),
    ]
)
