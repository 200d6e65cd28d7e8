// A netlink socket: one request at a time, and its answer.

import CLibMNL
import CrosspointShim
import Glibc

/// A netlink socket in the network namespace of the thread that made it.
struct NetlinkSocket: ~Copyable {
    private let socket: OpaquePointer
    private var sequence: UInt32 = 0

    /// - Parameters:
    ///   - protocolNumber: `NETLINK_ROUTE` or `NETLINK_GENERIC`.
    ///   - flags: in addition to SOCK_CLOEXEC.
    init(_ protocolNumber: CInt, flags: CInt = 0) throws(NetlinkError) {
        let operation = "open a netlink socket"
        let cloexec = CInt(bitPattern: UInt32(SOCK_CLOEXEC.rawValue))
        guard let socket = mnl_socket_open2(protocolNumber, flags | cloexec) else {
            throw NetlinkError(operation: operation, code: errno)
        }
        guard mnl_socket_bind(socket, 0, pid_t(MNL_SOCKET_AUTOPID)) == 0 else {
            let code = errno
            mnl_socket_close(socket)
            throw NetlinkError(operation: operation, code: code)
        }
        self.socket = socket
        // The kernel's own words for a refusal (4.12), and no copy of the request with it.
        _ = set(NETLINK_EXT_ACK, 1)
        _ = set(NETLINK_CAP_ACK, 1)
    }

    deinit { mnl_socket_close(socket) }

    var descriptor: CInt { mnl_socket_get_fd(socket) }

    /// Has events of an `RTNLGRP_*` group delivered here.
    func join(group: CInt) throws(NetlinkError) {
        guard set(NETLINK_ADD_MEMBERSHIP, group) else {
            throw NetlinkError(operation: "subscribe to network events (group \(group))", code: errno)
        }
    }

    /// Sends a request and collects the answer: one message, all of a dump, or none where only success is reported.
    ///
    /// - Parameter operation: for the error.
    mutating func answer(
        to request: NetlinkRequest, operation: @autoclosure () -> String
    ) throws(NetlinkError) -> [NetlinkMessage] {
        // A dump that other changes interrupted may lack entries; then it is taken again.
        for _ in 0..<10 {
            if let messages = try attempt(request, operation: operation()) { return messages }
        }
        throw NetlinkError(operation: operation(), code: EINTR, detail: "the tables kept changing while being read")
    }

    /// The next datagram.
    ///
    /// - Returns: nil if there is none and the socket does not block.
    func receive(operation: @autoclosure () -> String) throws(NetlinkError) -> [UInt8]? {
        while true {
            // The kernel puts at most 32 kB of a dump into one datagram.
            var error: CInt = 0
            let bytes = [UInt8](unsafeUninitializedCapacity: 32768) { buffer, count in
                let received = mnl_socket_recvfrom(socket, buffer.baseAddress, buffer.count)
                if received < 0 { error = errno }
                count = max(received, 0)
            }
            switch error {
            case 0: return bytes
            case EINTR: continue
            case EAGAIN: return nil
            default: throw NetlinkError(operation: operation(), code: error)
            }
        }
    }

    private mutating func attempt(
        _ request: NetlinkRequest, operation: @autoclosure () -> String
    ) throws(NetlinkError) -> [NetlinkMessage]? {
        sequence &+= 1
        var bytes = request.bytes
        withUnsafeBytes(of: sequence) { bytes.replaceSubrange(8..<12, with: $0) }
        guard mnl_socket_sendto(socket, bytes, bytes.count) == bytes.count else {
            throw NetlinkError(operation: operation(), code: errno)
        }
        let isDump = (bytes[...].integer(UInt16.self, at: 6) ?? 0) & UInt16(NLM_F_DUMP) == UInt16(NLM_F_DUMP)
        let wantsAcknowledgement = (bytes[...].integer(UInt16.self, at: 6) ?? 0) & UInt16(NLM_F_ACK) != 0
        var collected: [NetlinkMessage] = []
        var wasInterrupted = false
        while let datagram = try receive(operation: operation()) {
            guard let messages = NetlinkMessage.messages(in: datagram[...]) else { throw .malformed(operation()) }
            // The rest of an earlier request that failed half-way is not ours.
            for message in messages where message.sequence == sequence {
                wasInterrupted = wasInterrupted || message.flags & UInt16(NLM_F_DUMP_INTR) != 0
                switch CInt(message.type) {
                case NLMSG_ERROR:
                    try Self.check(message, operation: operation())
                    return collected
                case NLMSG_DONE:
                    if let code = message.payload.integer(CInt.self, at: 0), code < 0 {
                        throw NetlinkError(operation: operation(), code: -code)
                    }
                    return wasInterrupted ? nil : collected
                default:
                    collected.append(message)
                    if !isDump, !wantsAcknowledgement { return collected }
                }
            }
        }
        throw NetlinkError(operation: operation(), code: EAGAIN)
    }

    /// Throws what an NLMSG_ERROR message says, unless it says success.
    static func check(_ message: NetlinkMessage, operation: @autoclosure () -> String) throws(NetlinkError) {
        guard let code = message.payload.integer(CInt.self, at: 0) else { throw .malformed(operation()) }
        guard code != 0 else { return }
        // struct nlmsgerr is the code and the header of the request; the attributes follow, if the request does not.
        let attributes = NetlinkAttributes(message.payload.dropFirst(4 + NetlinkMessage.headerLength))
        let hasAttributes = message.flags & UInt16(NLM_F_ACK_TLVS) != 0
        throw NetlinkError(
            operation: operation(), code: -code,
            detail: hasAttributes ? attributes?.text(NLMSGERR_ATTR_MSG.rawValue) : nil)
    }

    private func set(_ option: CInt, _ value: CInt) -> Bool {
        var value = value
        return mnl_socket_setsockopt(socket, option, &value, socklen_t(MemoryLayout<CInt>.size)) == 0
    }
}
