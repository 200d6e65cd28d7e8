// What systemd hears from the service, and what it hands over.

import Glibc
import RTPWire
import TestSupport
import Testing

@testable import Routing

/// Stands for the service manager: a datagram socket that takes notifications.
private final class Manager {
    let directory: TemporaryDirectory
    let socket: OwnedDescriptor
    var path: String { directory.path + "/notify" }

    init() throws {
        directory = try TemporaryDirectory()
        let type = CInt(bitPattern: SOCK_DGRAM.rawValue | UInt32(SOCK_CLOEXEC.rawValue))
        socket = OwnedDescriptor(owning: Glibc.socket(AF_UNIX, type, 0))
        #expect(HolderProtocol.withAddress(directory.path + "/notify") { bind(socket.number, $0, $1) } == 0)
    }

    func next() throws -> (String, [OwnedDescriptor]) {
        let packet = try #require(try HolderProtocol.receive(from: socket))
        return (String(decoding: packet.bytes, as: UTF8.self), packet.descriptors)
    }
}

@Suite(.timeLimit(.minutes(1))) struct SystemdTests {
    @Test func notifications() throws {
        let manager = try Manager()
        let notifier = try #require(SystemdNotifier(environment: ["NOTIFY_SOCKET": manager.path]))
        notifier.ready()
        #expect(try manager.next().0 == "READY=1")
        notifier.status("two\nlines")
        #expect(try manager.next().0 == "STATUS=two lines")
        notifier.reloading()
        #expect(try manager.next().0.hasPrefix("RELOADING=1\nMONOTONIC_USEC="))
        notifier.watchdog()
        #expect(try manager.next().0 == "WATCHDOG=1")
        notifier.stopping()
        #expect(try manager.next().0 == "STOPPING=1")
        #expect(notifier.watchdogInterval == nil)
    }

    @Test func withoutAManagerNothingHappens() {
        #expect(SystemdNotifier(environment: [:]) == nil)
        SystemdNotifier(environment: ["NOTIFY_SOCKET": "/nonexistent/notify"])?.ready()
    }

    @Test func watchdog() {
        func interval(_ more: [String: String]) -> Duration? {
            SystemdNotifier(environment: more.merging(["NOTIFY_SOCKET": "@x"]) { $1 })?.watchdogInterval
        }
        #expect(interval(["WATCHDOG_USEC": "30000000"]) == .seconds(30))
        #expect(interval(["WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "\(getpid())"]) == .seconds(30))
        #expect(interval(["WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"]) == nil)
        #expect(interval(["WATCHDOG_USEC": "x"]) == nil)
    }

    @Test func descriptorsAreStoredAndRemoved() throws {
        let manager = try Manager()
        let store = try #require(SystemdDescriptorStore(environment: ["NOTIFY_SOCKET": manager.path]))
        #expect(try store.recover().isEmpty)
        let socket = try UDPPortReservation.reserve(address: IPAddress(127, 0, 0, 1), udpPort: 0)
        try store.store("reserve [::1]:5004", socket.descriptor)
        #expect(try manager.next().0 == "FDSTOREREMOVE=1\nFDNAME=held reserve [%3A%3A1]%3A5004")
        let (text, descriptors) = try manager.next()
        #expect(text == "FDSTORE=1\nFDPOLL=0\nFDNAME=held reserve [%3A%3A1]%3A5004")
        #expect(descriptors.count == 1)
        try store.remove("reserve [::1]:5004")
        #expect(try manager.next().0 == "FDSTOREREMOVE=1\nFDNAME=held reserve [%3A%3A1]%3A5004")
    }

    @Test func whatSystemdHandsOverIsRecovered() throws {
        let fixture = try BuiltProducts.path(of: "DescriptorFixture")
        // The shell does what systemd does before it starts the service.
        let script = """
            exec 3</etc/hostname 4</etc/hosts
            export LISTEN_PID=$$ LISTEN_FDS=2 NOTIFY_SOCKET=@nobody
            export LISTEN_FDNAMES='http.socket:held join ff3e%3A%3A1 on eth0'
            exec "$0" systemd
            """
        let output = try Command.run(["sh", "-c", script, fixture])
        #expect(output == "recovered join ff3e::1 on eth0\nready\n")
    }

    @Test func choice() throws {
        func choose(_ environment: [String: String]) -> any DescriptorStore {
            DescriptorStoreChoice.store(environment: environment, runtimeDirectory: "/x", executable: "/x")
        }
        #expect(choose([:]) is HolderDescriptorStore)
        #expect(choose(["NOTIFY_SOCKET": "@x"]) is HolderDescriptorStore)
        #expect(choose(["NOTIFY_SOCKET": "@x", "FDSTORE": "0"]) is HolderDescriptorStore)
        #expect(choose(["NOTIFY_SOCKET": "@x", "FDSTORE": "512"]) is SystemdDescriptorStore)
        #expect(
            choose(["NOTIFY_SOCKET": "@x", "CROSSPOINT_DESCRIPTOR_STORE": "systemd"]) is SystemdDescriptorStore)
        #expect(choose(["FDSTORE": "512"]) is HolderDescriptorStore)
    }
}
