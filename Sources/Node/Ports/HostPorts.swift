// The interfaces of this host as sysfs describes them (Documentation/ABI/testing/sysfs-class-net).

import Glibc

/// Reads what sysfs knows of the host's interfaces: driver, state, MTU, queues and speed.
public struct HostPorts: NodeInformationSource {
    /// The directory that holds one directory per interface.
    private let directory: String

    public init(directory: String = "/sys/class/net") { self.directory = directory }

    public func ports() -> [PortReport] {
        entries(of: directory).filter { $0 != "lo" && $0 != "bonding_masters" }.sorted().map(report)
    }

    private func report(_ name: String) -> PortReport {
        let path = "\(directory)/\(name)"
        let isUp = value("\(path)/operstate").map { $0 == "up" || ($0 == "unknown" && value("\(path)/carrier") == "1") }
        let megabits = value("\(path)/speed").flatMap { UInt64($0) }
        return PortReport(
            name: name, driver: driver(path), isUp: isUp ?? false, mtu: value("\(path)/mtu").flatMap { Int($0) } ?? 0,
            queues: entries(of: "\(path)/queues").count { $0.hasPrefix("rx-") },
            speed: megabits.map { $0 * 1_000_000 })
    }

    private func value(_ path: String) -> String? {
        guard let bytes = try? FileContents.read(path) else { return nil }
        return String(decoding: bytes.prefix { $0 != 0x0a }, as: UTF8.self)
    }

    /// The last part of what the link `device/driver` points to. Interfaces without a device have no driver there.
    private func driver(_ path: String) -> String? {
        guard let target = realpath("\(path)/device/driver", nil) else { return nil }
        defer { free(target) }
        return String(cString: target).split(separator: "/").last.map(String.init)
    }

    private func entries(of path: String) -> [String] {
        guard let stream = opendir(path) else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }
}
