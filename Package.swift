// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .treatAllWarnings(as: .error),
]

let argumentParser: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")
let nioCore: Target.Dependency = .product(name: "NIOCore", package: "swift-nio")
let nioPosix: Target.Dependency = .product(name: "NIOPosix", package: "swift-nio")
let nioTLS: Target.Dependency = .product(name: "NIOSSL", package: "swift-nio-ssl")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")

// The version and the commit of a build for others (scripts/package); a build in a checkout has none.
let identity = ["CROSSPOINT_VERSION", "CROSSPOINT_COMMIT"].compactMap { name in
    Context.environment[name].map { CSetting.define(name, to: "\"\($0)\"") }
}

let package = Package(
    name: "crosspoint",
    products: [
        .executable(name: "crosspoint", targets: ["crosspoint"])
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1", traits: []),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    ],
    targets: [
        // Libraries that Debian provides.
        .systemLibrary(name: "CLibBPF", pkgConfig: "libbpf", providers: [.apt(["libbpf-dev", "libelf-dev"])]),
        .systemLibrary(name: "CLibXDP", pkgConfig: "libxdp", providers: [.apt(["libxdp-dev"])]),
        .systemLibrary(name: "CLibMNL", pkgConfig: "libmnl", providers: [.apt(["libmnl-dev"])]),
        .systemLibrary(name: "CLibSRTP", pkgConfig: "libsrtp2", providers: [.apt(["libsrtp2-dev"])]),

        // Declarations that Swift cannot import, and the ABI that BPF, C and Swift share.
        .target(
            name: "CrosspointShim",
            dependencies: ["CLibBPF", "CLibMNL"],
            cSettings: [.define("_GNU_SOURCE"), .unsafeFlags(["-Wall", "-Wextra", "-Werror"])],
            linkerSettings: [.linkedLibrary("resolv")]
        ),

        // The version and the commit that were built.
        .target(name: "BuildIdentity", cSettings: identity),

        // The compiled BPF objects, embedded in the binary.
        .plugin(name: "EmbedBPF", capability: .buildTool()),
        .target(name: "BPFPrograms", swiftSettings: strict, plugins: ["EmbedBPF"]),

        // Instants and deadlines, for every timer.
        .target(name: "Timing", swiftSettings: strict),
        // Changes and edges, for people and programs that follow a node.
        .target(name: "Events", dependencies: ["Timing"], swiftSettings: strict),
        // Wire formats, fast path, slow path, node, commands: each imports only modules above it.
        .target(name: "RTPWire", dependencies: ["Timing"], swiftSettings: strict),
        // Keys of SRTP as values, whoever negotiates or uses them.
        .target(name: "SRTPKeys", swiftSettings: strict),
        // State that outlives a process: records with versions and sums, understood or not.
        .target(
            name: "Journal", dependencies: [.product(name: "Crypto", package: "swift-crypto")], swiftSettings: strict),
        // The kernel's information on a file.
        .target(name: "FileStatus", swiftSettings: strict),
        // Protocol cores: bytes, events and time in, actions out; no I/O, no clock.
        .target(name: "SDP", dependencies: ["RTPWire"], swiftSettings: strict),
        .target(
            name: "Authentication", dependencies: ["Timing", .product(name: "Crypto", package: "swift-crypto")],
            swiftSettings: strict
        ),
        // Keys of SRTP as peers exchange them: SDES and MIKEY.
        .target(
            name: "KeyManagement", dependencies: ["SRTPKeys", .product(name: "Crypto", package: "swift-crypto")],
            swiftSettings: strict
        ),
        // Keys at work on packets, in place; runs per packet as AFXDP does.
        .target(
            name: "SRTP", dependencies: ["SRTPKeys", "CLibSRTP", .product(name: "Crypto", package: "swift-crypto")],
            swiftSettings: strict + [
                .unsafeFlags(["-enforce-exclusivity=unchecked"], .when(configuration: .release))
            ]
        ),
        .target(name: "RTSPCore", dependencies: ["Timing", "RTPWire"], swiftSettings: strict),
        .target(name: "SIPCore", dependencies: ["RTPWire", "SDP", "Authentication"], swiftSettings: strict),
        .target(
            name: "FastPath",
            dependencies: ["RTPWire", "BPFPrograms", "CrosspointShim", "CLibBPF"],
            swiftSettings: strict
        ),
        // AF_XDP workers. Their code runs per packet: see swift-evolution SE-0176 on what exclusivity checks cost there.
        .target(
            name: "AFXDP", dependencies: ["FastPath", "SRTP", "SRTPKeys", "CrosspointShim", "CLibXDP"],
            swiftSettings: strict + [
                .unsafeFlags(["-enforce-exclusivity=unchecked"], .when(configuration: .release))
            ]
        ),
        // Traffic for tests and benchmarks: a generator and a sink, as BPF programs.
        .target(
            name: "LoadGenerator",
            dependencies: ["RTPWire", "FastPath", "BPFPrograms", "CrosspointShim", "CLibBPF"],
            swiftSettings: strict
        ),
        .target(name: "Netlink", dependencies: ["RTPWire", "CrosspointShim", "CLibMNL"], swiftSettings: strict),
        .target(
            name: "Routing",
            dependencies: [
                "Timing", "Events", "RTPWire", "Journal", "FastPath", "AFXDP", "SRTP", "SRTPKeys", "Netlink",
                "FileStatus", "CrosspointShim",
                logging,
                .product(name: "Crypto", package: "swift-crypto"),
            ],
            swiftSettings: strict
        ),
        // The number of flows that this node carries: formats, paced traffic, the search for the largest load without
        // loss, the report.
        .target(
            name: "Qualification",
            dependencies: [
                "RTPWire", "FastPath", "AFXDP", "Netlink", "Routing", "BPFPrograms", "CrosspointShim", "CLibBPF",
                logging,
            ],
            swiftSettings: strict
        ),
        // Negotiation of sessions: protocol agents on sockets, which ask Routing for flows.
        .target(name: "Sessions", swiftSettings: strict),
        .target(
            name: "AgentSupport",
            dependencies: [
                "Timing", "RTPWire", "Routing", "Sessions", "CrosspointShim", logging, nioCore, nioPosix, nioTLS,
            ],
            swiftSettings: strict
        ),
        .target(
            name: "RTSPProxy",
            dependencies: [
                "Timing", "RTPWire", "SDP", "Authentication", "RTSPCore", "SRTP", "SRTPKeys", "KeyManagement",
                "Routing",
                "Sessions", "AgentSupport", "CrosspointShim",
                logging,
                nioCore,
                nioPosix, nioTLS,
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: strict
        ),
        .target(
            name: "SIPAgent",
            dependencies: [
                "Timing", "FileStatus", "RTPWire", "SDP", "Authentication", "SIPCore", "SRTPKeys", "KeyManagement",
                "Routing",
                "Sessions", "AgentSupport", "CrosspointShim",
                logging,
                nioCore,
                nioPosix, nioTLS,
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: strict
        ),
        .target(
            name: "Node",
            dependencies: [
                "BuildIdentity", "Timing", "Events", "FileStatus", "RTPWire", "FastPath", "AFXDP", "Netlink", "Routing",
                "Sessions",
                "AgentSupport",
                "RTSPProxy",
                "Authentication",
                "SIPCore",
                "SIPAgent",
                "Yams",
                logging,
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ],
            swiftSettings: strict
        ),
        // The cause for which a route does not do what it should: facts in, findings out.
        .target(
            name: "Diagnosis", dependencies: ["FastPath", "RTPWire", "Routing", "Node"], swiftSettings: strict),
        .target(
            name: "CrosspointCommands",
            dependencies: [
                "Timing", "Events", "FileStatus", "RTPWire", "FastPath", "AFXDP", "Netlink", "Routing", "Sessions",
                "AgentSupport",
                "RTSPProxy",
                "SIPAgent", "Authentication", "SRTPKeys", "Node", "Diagnosis", "Qualification", "SIPCore", logging,
                argumentParser,
                nioCore, nioPosix, nioTLS,
                .product(name: "NIOHTTP1", package: "swift-nio"),
            ],
            swiftSettings: strict
        ),
        .executableTarget(name: "crosspoint", dependencies: ["CrosspointCommands"], swiftSettings: strict),

        // Programs that scripts/bench runs.
        .executableTarget(
            name: "fastpath-benchmark",
            dependencies: [
                "RTPWire", "FastPath", "BPFPrograms", "LoadGenerator", "CrosspointShim", "TestSupport", argumentParser,
            ],
            path: "scripts/benchmarks/fastpath",
            swiftSettings: strict
        ),
        .target(
            name: "AFXDPReference", dependencies: ["CLibXDP", "CLibSRTP"], path: "scripts/benchmarks/afxdp/reference",
            cSettings: [
                .define("_GNU_SOURCE"), .unsafeFlags(["-O2", "-Wall", "-Wextra", "-Wno-sign-compare", "-Werror"]),
            ]
        ),
        .executableTarget(
            name: "afxdp-benchmark",
            dependencies: [
                "RTPWire", "FastPath", "SRTP", "SRTPKeys", "AFXDP", "AFXDPReference", "EngineSupport", "LoadGenerator",
                "CrosspointShim",
                "TestSupport", argumentParser,
            ],
            path: "scripts/benchmarks/afxdp/benchmark",
            swiftSettings: strict
        ),
        .executableTarget(
            name: "peers-benchmark",
            dependencies: [
                "RTPWire", "FastPath", "Netlink", "Qualification", "Routing", "CrosspointShim", "TestSupport",
                argumentParser,
            ],
            path: "scripts/benchmarks/peers/measure",
            swiftSettings: strict
        ),
        .executableTarget(
            name: "peers-relay", path: "scripts/benchmarks/peers/relay",
            cSettings: [.define("_GNU_SOURCE"), .unsafeFlags(["-O2", "-Wall", "-Wextra", "-Werror"])]
        ),
        .executableTarget(
            name: "rtsp-benchmark-generator",
            dependencies: ["RTPWire", "FastPath", "LoadGenerator", "CrosspointShim", argumentParser],
            path: "scripts/benchmarks/rtsp/generator",
            swiftSettings: strict
        ),
        .executableTarget(
            name: "rtsp-benchmark-players", path: "scripts/benchmarks/rtsp/players",
            cSettings: [.define("_GNU_SOURCE"), .unsafeFlags(["-Wall", "-Wextra", "-Werror"])]
        ),
        .executableTarget(
            name: "sip-benchmark-media", path: "scripts/benchmarks/sip/media",
            cSettings: [.define("_GNU_SOURCE"), .unsafeFlags(["-Wall", "-Wextra", "-Werror"])]
        ),

        // Namespaces and commands for tests, and one test target per module.
        .target(
            name: "TestSupport", dependencies: ["CrosspointShim"], path: "Tests/TestSupport", exclude: ["Fixtures"],
            swiftSettings: strict
        ),
        .testTarget(name: "JournalTests", dependencies: ["Journal", "TestSupport"], swiftSettings: strict),
        .testTarget(name: "TimingTests", dependencies: ["Timing"], swiftSettings: strict),
        .testTarget(name: "EventTests", dependencies: ["Events", "Timing"], swiftSettings: strict),
        .testTarget(name: "RTPWireTests", dependencies: ["RTPWire", "TestSupport"], swiftSettings: strict),
        .testTarget(name: "SRTPKeysTests", dependencies: ["SRTPKeys"], swiftSettings: strict),
        .testTarget(
            name: "SRTPTests", dependencies: ["SRTP", "SRTPKeys", .product(name: "Crypto", package: "swift-crypto")],
            swiftSettings: strict
        ),
        .testTarget(name: "SDPTests", dependencies: ["SDP", "RTPWire", "TestSupport"], swiftSettings: strict),
        .testTarget(
            name: "AuthenticationTests", dependencies: ["Authentication", "TestSupport"], swiftSettings: strict),
        .testTarget(name: "KeyManagementTests", dependencies: ["KeyManagement", "SRTPKeys"], swiftSettings: strict),
        .testTarget(name: "RTSPCoreTests", dependencies: ["RTSPCore", "RTPWire"], swiftSettings: strict),
        .testTarget(
            name: "SIPCoreTests", dependencies: ["SIPCore", "SDP", "Authentication", "RTPWire", "TestSupport"],
            swiftSettings: strict
        ),
        .testTarget(
            name: "AgentSupportTests",
            dependencies: [
                "AgentSupport", "RTPWire", "Sessions", "CrosspointShim", "TestSupport", logging, nioCore, nioPosix,
                nioTLS,
                .product(name: "NIOEmbedded", package: "swift-nio"),
            ],
            swiftSettings: strict
        ),
        .testTarget(
            name: "RTSPProxyTests",
            dependencies: [
                "RTSPProxy", "RTSPCore", "SDP", "Authentication", "SRTP", "SRTPKeys", "KeyManagement", "Routing",
                "Sessions", "AgentSupport", "RTPWire", "CrosspointShim",
                "TestSupport",
                logging,
                nioCore, nioPosix, nioTLS,
            ],
            swiftSettings: strict
        ),
        .testTarget(
            name: "SIPAgentTests",
            dependencies: [
                "SIPAgent", "SIPCore", "SDP", "SRTPKeys", "KeyManagement", "Authentication", "FastPath",
                "LoadGenerator", "Netlink", "Routing", "Sessions", "AgentSupport", "RTPWire", "BPFPrograms",
                "CrosspointShim", "TestSupport",
                logging,
                nioCore, nioPosix, nioTLS,
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: strict
        ),
        .testTarget(
            name: "FastPathTests",
            dependencies: ["FastPath", "RTPWire", "BPFPrograms", "CrosspointShim", "CLibBPF", "TestSupport"],
            exclude: ["instruction-baseline.json"], swiftSettings: strict
        ),
        // The AF_XDP loop without a kernel, for its tests and its benchmark.
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
        .testTarget(
            name: "NetlinkTests", dependencies: ["Netlink", "RTPWire", "TestSupport"], swiftSettings: strict
        ),
        .testTarget(
            name: "RoutingTests",
            dependencies: ["Routing", "Netlink", "RTPWire", "TestSupport", "DescriptorFixture"],
            swiftSettings: strict
        ),
        .testTarget(
            name: "ControllerTests",
            dependencies: [
                "SRTP", "SRTPKeys", "FastPath", "AFXDP", "LoadGenerator", "Journal", "Routing", "Netlink", "RTPWire",
                "BPFPrograms",
                "CrosspointShim", "TestSupport", "AgentSupport", "SIPAgent", "SIPCore", "SDP", "Sessions", logging,
            ],
            swiftSettings: strict
        ),
        .executableTarget(
            name: "DescriptorFixture", dependencies: ["Routing", "RTPWire"], path: "Tests/DescriptorFixture",
            swiftSettings: strict
        ),
        .testTarget(
            name: "QualificationTests", dependencies: ["Qualification", "RTPWire", "CrosspointShim", "TestSupport"],
            swiftSettings: strict
        ),
        .testTarget(
            name: "NodeTests",
            dependencies: [
                "Node", "Authentication", "Routing", "RTPWire", "FastPath", "AFXDP", "AgentSupport", "RTSPProxy",
                "SIPAgent", "Sessions", "SIPCore",
                logging,
            ],
            swiftSettings: strict
        ),
        .testTarget(
            name: "DiagnosisTests",
            dependencies: ["Diagnosis", "FastPath", "Node", "RTPWire", "Routing"], swiftSettings: strict
        ),
        .testTarget(
            name: "CommandTests",
            dependencies: [
                "CrosspointCommands", "Events", "Node", "Routing", "Netlink", "RTPWire", "FastPath", "AgentSupport",
                "RTSPProxy",
                "SIPAgent", "Sessions", "Authentication", "Qualification", "TestSupport", "SIPCore", logging,
                argumentParser,
                nioCore, nioPosix,
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: strict
        ),
    ]
)
