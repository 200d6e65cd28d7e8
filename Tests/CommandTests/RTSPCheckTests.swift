// What `check` says of the section rtsp on a host.

@testable import CrosspointCommands
import Foundation
import Glibc
import Node
import RTSPProxy
import Testing

@Suite("Check: rtsp")
struct RTSPCheckTests {
    private func check(_ text: String, isRunning: Bool = false) throws -> RTSPCheck {
        let rtsp = try #require(try ConfigurationFile.parse(text, file: "x").rtsp)
        return RTSPCheck(rtsp, interfaces: ["eth0", "eth1"], isRunning: isRunning, now: 1_795_227_378)
    }

    /// Listens on a TCP port that the kernel chooses, for as long as `body` lasts.
    private func withListener(_ body: (UInt16) throws -> Void) throws {
        let file = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(file) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                bind(file, pointer, length) == 0 && listen(file, 1) == 0 && getsockname(file, pointer, &length) == 0
            }
        }
        try #require(result)
        try body(UInt16(bigEndian: address.sin_port))
    }

    @Test("A TCP port that another program has is a problem, one that the daemon has is none")
    func taken() throws {
        try withListener { tcpPort in
            let text = "rtsp: {listen: ['127.0.0.1:\(tcpPort)']}\n"
            let other = try check(text)
            #expect(other.listeners.map(\.state) == [.taken])
            #expect(
                other.problems == [
                    "rtsp.listen: TCP port \(tcpPort) is taken by another program; stop that, or listen on another"
                ])
            let ours = try check(text, isRunning: true)
            #expect(ours.listeners.map(\.state) == [.ours] && ours.problems.isEmpty)
        }
    }

    @Test("An address that this host does not have is a problem")
    func noAddress() throws {
        let report = try check("rtsp: {listen: ['192.0.2.77:8554']}\n")
        #expect(report.listeners.map(\.state) == [.noAddress])
        #expect(report.problems.first?.contains("192.0.2.77") == true)
    }

    @Test("The pool's interface must be there, its VLAN apart")
    func multicast() throws {
        func problems(_ interface: String) throws -> [String] {
            try check(
                "rtsp: {listen: ['127.0.0.1:18554'], multicast: {groups: 239.20.0.0/24, interface: \(interface)}}\n",
                isRunning: true
            ).problems
        }
        #expect(try problems("eth1").isEmpty && problems("eth1.100").isEmpty)
        #expect(
            try problems("eth9") == [
                "rtsp.multicast.interface: there is no interface 'eth9' on this host; this host has eth0, eth1"
            ])
    }

    @Test("Files that cannot be used are named with their key")
    func files() throws {
        let report = try check(
            "rtsp: {listen: ['127.0.0.1:18554'], users-file: /nonexistent, certificate: {chain: /nonexistent, private-key: /dev/null}}\n",
            isRunning: true)
        let keys = report.problems.compactMap { $0.split(separator: " ").first.map(String.init) }
        #expect(keys.contains("rtsp.users-file:") && keys.contains("rtsp.certificate.chain:"))
        #expect(keys.contains("rtsp.certificate.private-key:"), "\(report.problems)")
        #expect(report.certificate == nil)
    }

    @Test("Passwords in a file that everybody can read are a problem")
    func passwords() throws {
        let path = FileManager.default.temporaryDirectory.appending(path: "crosspoint-\(UUID()).yaml").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        let text =
            "rtsp: {listen: ['127.0.0.1:18554'], routes: [{name: a, path: /a, upstream: 'rtsp://u:s3cret@h/'}]}\n"
        try Data(text.utf8).write(to: URL(filePath: path))
        func report(_ mode: Int) throws -> CheckReport {
            try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
            return CheckReport(
                configuration: try ConfigurationFile.load(path), file: path, kernel: "6.18", ports: [], isRunning: true)
        }
        #expect(try report(0o640).problems.isEmpty)
        let open = try report(0o644)
        #expect(open.problems.count == 1 && open.problems.first?.contains("chmod o=") == true)
        #expect(open.text(colour: false).contains("\nrtsp           1 route; 127.0.0.1:18554 "))
        #expect(!String(decoding: try JSONText.encode(open), as: UTF8.self).contains("s3cret"))
    }
}
