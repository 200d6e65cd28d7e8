// A daemon reduced to its sockets, for tests that kill it: joins a group through a descriptor store, or is the holder.
//
//     hold SOCKETPATH
//     join SOCKETPATH GROUP SOURCE|- INTERFACE INDEX     prints "joined", and waits to be killed
//     many SOCKETPATH COUNT                              stores COUNT sockets, prints "stored", and waits
//     recover SOCKETPATH                                 says how many sockets it recovered, or why it did not
//     systemd                                            says what it recovered from systemd, then "ready"

import Glibc
import RTPWire
import Routing

let arguments = CommandLine.arguments

func environment() -> [String: String] {
    let names = ["NOTIFY_SOCKET", "LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES", "FDSTORE"]
    return names.reduce(into: [:]) { result, name in
        result[name] = getenv(name).map { String(cString: $0) }
    }
}

/// Writes a line at once, whatever standard output is.
func say(_ line: String) {
    let bytes = Array((line + "\n").utf8)
    _ = write(1, bytes, bytes.count)
}

func waitForever() -> Never {
    while true { pause() }
}

switch arguments[1] {
case "hold":
    do throws(RoutingError) {
        try DescriptorHolder.run(socketPath: arguments[2])
    } catch {
        say("\(error)")
        exit(1)
    }
case "join":
    guard let group = IPAddress(arguments[3]), let index = UInt32(arguments[6]) else { exit(2) }
    let store = HolderDescriptorStore(socketPath: arguments[2], executable: arguments[0])
    let recovered = try store.recover()
    for name in recovered.keys.sorted() { say("recovered \(name)") }
    let key = SocketKey.join(group: group, source: IPAddress(arguments[4]), interface: arguments[5])
    let socket: HeldSocket
    if let descriptor = recovered["\(key)"] {
        socket = HeldSocket(key: key, descriptor: descriptor)
        try Membership.renew(socket, interfaceIndex: index)
    } else {
        socket = try Membership.join(
            group: group, source: IPAddress(arguments[4]), interface: (name: arguments[5], index: index))
        try store.store("\(socket.key)", socket.descriptor)
    }
    say("joined")
    waitForever()
case "many":
    guard let count = Int(arguments[3]) else { exit(2) }
    let store = HolderDescriptorStore(socketPath: arguments[2], executable: arguments[0])
    var sockets: [HeldSocket] = []
    for _ in 0..<count {
        let socket = try UDPPortReservation.reserve(address: IPAddress(127, 0, 0, 1), udpPort: 0)
        try store.store("\(socket.key)", socket.descriptor)
        sockets.append(socket)
    }
    say("stored")
    withExtendedLifetime(sockets) { waitForever() }
case "recover":
    do throws(RoutingError) {
        let store = HolderDescriptorStore(socketPath: arguments[2], executable: arguments[0])
        say("recovered \(try store.recover().count)")
    } catch {
        say("\(error)")
    }
case "systemd":
    guard let store = SystemdDescriptorStore(environment: environment()) else { exit(3) }
    for name in try store.recover().keys.sorted() { say("recovered \(name)") }
    say("ready")
default:
    exit(2)
}
