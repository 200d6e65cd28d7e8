// Builds netlink requests with libmnl.

import CLibMNL
import RTPWire

/// A netlink request, built in place.
struct NetlinkRequest {
    /// The message with its header; sequence and sender are filled in when it is sent.
    private(set) var bytes: [UInt8]

    /// Builds a message of the type.
    ///
    /// - Parameter body: appends the family's own header, then attributes. 4096 bytes are enough for all messages
    ///   of this module, whose variable parts are addresses and names.
    init(type: some BinaryInteger, flags: CInt, _ body: (inout Builder) -> Void) {
        bytes = withUnsafeTemporaryAllocation(byteCount: 4096, alignment: 8) { room in
            // libmnl returns the pointer that it was given, and the room above is not empty.
            let header = mnl_nlmsg_put_header(room.baseAddress!)!
            header.pointee.nlmsg_type = UInt16(truncatingIfNeeded: type)
            header.pointee.nlmsg_flags = UInt16(truncatingIfNeeded: flags)
            var builder = Builder(header: header)
            body(&builder)
            return Array(UnsafeRawBufferPointer(rebasing: room[..<Int(header.pointee.nlmsg_len)]))
        }
    }

    /// Appends to a message.
    struct Builder {
        fileprivate let header: UnsafeMutablePointer<nlmsghdr>

        /// Appends the fixed header of a family: `ifinfomsg`, `ndmsg`, `rtmsg`, `genlmsghdr`.
        func put<Header: BitwiseCopyable>(_ value: Header) {
            mnl_nlmsg_put_extra_header(header, MemoryLayout<Header>.size)?
                .storeBytes(of: value, as: Header.self)
        }

        /// Appends an attribute that holds what `body` appends.
        mutating func nest(_ type: some BinaryInteger, _ body: (inout Builder) -> Void) {
            guard let start = mnl_attr_nest_start(header, UInt16(truncatingIfNeeded: type)) else { return }
            body(&self)
            mnl_attr_nest_end(header, start)
        }

        func put(_ type: some BinaryInteger, _ value: UInt32) {
            mnl_attr_put_u32(header, UInt16(truncatingIfNeeded: type), value)
        }

        func put(_ type: some BinaryInteger, _ address: IPAddress) {
            let bytes = address.bytes
            mnl_attr_put(header, UInt16(truncatingIfNeeded: type), bytes.count, bytes)
        }

        func put(_ type: some BinaryInteger, _ text: String) {
            mnl_attr_put_strz(header, UInt16(truncatingIfNeeded: type), text)
        }
    }
}
