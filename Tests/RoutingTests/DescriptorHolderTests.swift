// Sockets that outlive the process that made them, in a holder.

import Glibc
import RTPWire
import TestSupport
import Testing

@testable import Routing

/// A holder's directory; whatever holder is left in it is ended.
final class HolderDirectory {
    let directory: TemporaryDirectory
    var socketPath: String { directory.path + "/holder.socket" }
    let executable: String

    init() throws {
        directory = try TemporaryDirectory()
        executable = try BuiltProducts.path(of: "DescriptorFixture")
    }

    deinit {
        for process in holders() { kill(process, SIGKILL) }
    }

    func store() -> HolderDescriptorStore { HolderDescriptorStore(socketPath: socketPath, executable: executable) }

    /// The holders that serve this directory, by their command line.
    func holders() -> [pid_t] {
        let text = (try? Command(["pgrep", "-f", "hold \(socketPath)"]).finish(checked: false)) ?? ""
        return text.split(separator: "\n").compactMap { pid_t($0) }
            // Of those that have ended, the ones that nobody has waited for are still listed.
            .filter { access("/proc/\($0)/fd/0", F_OK) == 0 }
    }

    func waitForNoHolder() throws {
        for _ in 0..<500 {
            if holders().isEmpty { return }
            usleep(10_000)
        }
        Issue.record("still there: \(holders())")
    }
}

private func endpoint(of descriptor: OwnedDescriptor) -> UInt16 {
    var address = sockaddr_in()
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    _ = withUnsafeMutablePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor.number, $0, &length) }
    }
    return UInt16(bigEndian: address.sin_port)
}

extension MembershipSuite {
    @Suite struct Holders {
        @Test func whatIsStoredIsRecovered() throws {
            let holder = try HolderDirectory()
            let first = holder.store()
            #expect(try first.recover().isEmpty)
            let socket = try UDPPortReservation.reserve(address: IPAddress(127, 0, 0, 1), udpPort: 0)
            try first.store("\(socket.key)", socket.descriptor)
            let recovered = try holder.store().recover()
            #expect(Array(recovered.keys) == ["\(socket.key)"])
            let descriptor = try #require(recovered["\(socket.key)"])
            #expect(endpoint(of: descriptor) == endpoint(of: socket.descriptor))
            #expect(fcntl(descriptor.number, F_GETFD) & FD_CLOEXEC != 0)
            try first.remove("\(socket.key)")
            try first.remove("\(socket.key)")
            #expect(try holder.store().recover().isEmpty)
            try first.finish()
            try holder.waitForNoHolder()
            #expect(access(holder.socketPath, F_OK) != 0)
        }

        @Test func descriptorsAreStoredAndRemovedTogether() throws {
            let holder = try HolderDirectory()
            let store = holder.store()
            #expect(try store.recover().isEmpty)
            // More than are asked for at once.
            let sockets = try (0..<40).map { _ in
                try UDPPortReservation.reserve(address: IPAddress(127, 0, 0, 1), udpPort: 0)
            }
            try store.store(sockets.map { (name: "\($0.key)", descriptor: $0.descriptor) })
            let recovered = try holder.store().recover()
            #expect(Set(recovered.keys) == Set(sockets.map { "\($0.key)" }))
            for socket in sockets {
                #expect(recovered["\(socket.key)"].map(endpoint) == endpoint(of: socket.descriptor))
            }
            try store.remove(sockets.dropFirst(3).map { "\($0.key)" })
            #expect(Set(try holder.store().recover().keys) == Set(sockets.prefix(3).map { "\($0.key)" }))
            // A new holder gets what is left.
            for process in holder.holders() { kill(process, SIGKILL) }
            try holder.waitForNoHolder()
            try store.remove([sockets[0]].map { "\($0.key)" })
            #expect(Set(try holder.store().recover().keys) == Set(sockets[1..<3].map { "\($0.key)" }))
        }

        @Test func theHolderStaysWhileItHolds() throws {
            let holder = try HolderDirectory()
            let store = holder.store()
            let socket = try UDPPortReservation.reserve(address: IPAddress(127, 0, 0, 1), udpPort: 0)
            try store.store("a", socket.descriptor)
            try store.finish()
            usleep(100_000)
            #expect(holder.holders().count == 1)
            for process in holder.holders() {
                for number in [SIGHUP, SIGINT, SIGTERM] { kill(process, number) }
            }
            usleep(100_000)
            #expect(Array(try holder.store().recover().keys) == ["a"])
            try holder.store().remove("a")
            try holder.waitForNoHolder()
        }

        @Test func aNewHolderGetsEverythingAgain() throws {
            let holder = try HolderDirectory()
            let store = holder.store()
            let socket = try UDPPortReservation.reserve(address: IPAddress(127, 0, 0, 1), udpPort: 0)
            try store.store("a", socket.descriptor)
            let killed = holder.holders()
            #expect(killed.count == 1)
            for process in killed { kill(process, SIGKILL) }
            try holder.waitForNoHolder()
            try store.store("b", socket.descriptor)
            #expect(try holder.store().recover().keys.sorted() == ["a", "b"])
            #expect(holder.holders() != killed)
        }

        @Test("A holder that died is noticed and replaced, though nothing is stored or removed")
        func renewal() throws {
            let holder = try HolderDirectory()
            let store = holder.store()
            #expect(try !store.renew())
            let socket = try UDPPortReservation.reserve(address: IPAddress(127, 0, 0, 1), udpPort: 0)
            try store.store("a", socket.descriptor)
            #expect(try !store.renew())
            for process in holder.holders() { kill(process, SIGKILL) }
            try holder.waitForNoHolder()
            #expect(try store.renew())
            #expect(try !store.renew())
            #expect(try holder.store().recover().keys.sorted() == ["a"])
        }

        @Test func onlyOneHolderServesAPath() throws {
            let holder = try HolderDirectory()
            _ = try holder.store().recover()
            try Command.run([holder.executable, "hold", holder.socketPath])
            #expect(holder.holders().count == 1)
            var status = stat()
            #expect(stat(holder.socketPath, &status) == 0 && status.st_mode & 0o777 == 0o600)
        }

        @Test func theHolderInheritsNothing() throws {
            let holder = try HolderDirectory()
            // Neither closed on exec nor meant for the holder.
            let leaked = open("/etc/hostname", O_RDONLY)
            defer { close(leaked) }
            _ = try holder.store().recover()
            let process = try #require(holder.holders().first)
            let descriptors = try Command.run(["ls", "-l", "/proc/\(process)/fd"])
            #expect(!descriptors.contains("hostname"))
            // Three standard streams, lock, listener, and a connection that may be closing.
            #expect(descriptors.split(separator: "\n").count <= 1 + 6)
            let session = try Command.run(["ps", "-o", "sid=", "-p", "\(process)"])
            #expect(pid_t(session.filter { $0.isNumber }) == process)
        }

        @Test func aHolderThatCannotStartIsNamed() throws {
            let executable = try BuiltProducts.path(of: "DescriptorFixture")
            let store = HolderDescriptorStore(socketPath: "/nonexistent/holder.socket", executable: executable)
            let error = #expect(throws: RoutingError.self) { try store.recover() }
            #expect(error?.message.contains("`\(executable) hold /nonexistent/holder.socket`") == true)
            let missing = HolderDescriptorStore(socketPath: "/nonexistent/holder.socket", executable: "/nonexistent/x")
            let other = #expect(throws: RoutingError.self) { try missing.recover() }
            #expect(other?.message.contains("No such file") == true)
        }

        @Test func otherUsersAreNotServed() throws {
            let holder = try HolderDirectory()
            _ = try holder.store().recover()
            try Command.run(["chmod", "755", holder.directory.path])
            try Command.run(["chmod", "666", holder.socketPath])
            let other = ["setpriv", "--reuid=65534", "--clear-groups"]
            let output = try Command(other + [holder.executable, "recover", holder.socketPath])
                .finish(checked: false)
            #expect(output.contains("descriptor holder at \(holder.socketPath), 'recover': "))
            #expect(try Command.run([holder.executable, "recover", holder.socketPath]) == "recovered 0\n")
        }

        @Test func thousandsOfDescriptors() throws {
            let holder = try HolderDirectory()
            let count = 3000
            let daemon = try Command([holder.executable, "many", holder.socketPath, "\(count)"])
            let clock = ContinuousClock()
            let storing = try clock.measure { try daemon.waitForOutput(containing: "stored", seconds: 60) }
            daemon.signal(SIGKILL)
            try daemon.finish(checked: false)
            var recovered: [String: OwnedDescriptor] = [:]
            let recovering = try clock.measure { recovered = try holder.store().recover() }
            #expect(recovered.count == count)
            for (name, descriptor) in recovered.prefix(100) {
                #expect(name == "reserve 127.0.0.1:\(endpoint(of: descriptor))")
            }
            print("stored \(count) in \(storing), recovered in \(recovering)")
        }
    }

    @Suite struct Survival {
        @Test(arguments: [("239.1.1.10", "-"), ("232.1.1.10", "10.1.0.7"), ("ff3e::1", "-")])
        func membershipsSurviveAKill(_ group: String, _ source: String) throws {
            let network = try MembershipNetwork()
            let holder = try HolderDirectory()
            let reports = try network.listen()
            let arguments = [
                holder.executable, "join", holder.socketPath, group, source, "eth0", "\(network.interface.index)",
            ]
            let first = try network.node.start(arguments)
            try first.waitForOutput(containing: "joined")
            try reports.waitForOutput(containing: "gaddr \(group) ")
            // The kernel repeats its report within a second or so (robustness, RFC 3376 section 4.2.3).
            sleep(2)
            first.signal(SIGKILL)
            try first.finish(checked: false)
            // A leave would come after 9 ms.
            usleep(500_000)
            #expect(try network.groups().contains(group))

            let second = try network.node.start(arguments)
            let output = try second.waitForOutput(containing: "joined")
            let withSource = source == "-" ? "" : " source \(source)"
            #expect(output.contains("recovered join \(group)\(withSource) on eth0"))
            usleep(500_000)
            second.signal(SIGKILL)
            try second.finish(checked: false)
            #expect(try network.groups().contains(group))

            let leave = "gaddr \(group) \(source == "-" ? "to_in { }" : "block { \(source) }")"
            #expect(!reports.outputSoFar().contains(leave))

            // Removed, the last copy closes, and only now a leave is sent.
            let store = holder.store()
            let name = try #require(store.recover().keys.first)
            try store.remove(name)
            let removed = ContinuousClock.now
            try reports.waitForOutput(containing: leave)
            print("leave of \(group) heard \(ContinuousClock.now - removed) after the removal")
            #expect(try !network.groups().contains(group))
            withExtendedLifetime(holder) {}
        }
    }
}
