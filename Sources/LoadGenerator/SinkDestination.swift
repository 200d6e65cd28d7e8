// Expectation of a checking sink at one destination, and its result there.

import CrosspointShim
import FastPath
public import RTPWire

/// The required form of every copy for one destination. The destination's UDP port is 20000 and its number.
public struct SinkDestination: Hashable, Sendable {
    public var destinationMAC: MACAddress
    public var sourceMAC: MACAddress
    public var source: IPAddress
    public var destination: IPAddress
    /// VLAN identifiers, outer first.
    public var vlans: [UInt16] = []
    /// The interface at which the copies arrive.
    public var interfaceIndex: UInt32
    /// The generated flow that they belong to.
    public var flow: UInt32 = 0
    public var timeToLive: UInt8 = 63
    public var trafficClass: UInt8 = 0

    public init(
        destinationMAC: MACAddress, sourceMAC: MACAddress, source: IPAddress, destination: IPAddress,
        interfaceIndex: UInt32
    ) {
        self.destinationMAC = destinationMAC
        self.sourceMAC = sourceMAC
        self.source = source
        self.destination = destination
        self.interfaceIndex = interfaceIndex
    }

    /// The first of the UDP ports by which destinations are distinguished.
    public static let firstUDPPort = UInt16(LOADGEN_FIRST_UDP_PORT)
}

/// The copies that arrived at one destination.
public struct SinkResult: Hashable, Sendable {
    /// Copies that were as they must be.
    public var good: UInt64
    /// Copies with anything else in their headers: another leg's, above all.
    public var bad: UInt64
    /// Packets of the flow that did not arrive between those that did.
    public var missing: UInt64
    /// Packets that came again, or after a later one.
    public var outOfOrder: UInt64
    /// The first 64 bytes of the first bad copy.
    public var firstBad: [UInt8]

    public init(good: UInt64, bad: UInt64, missing: UInt64, outOfOrder: UInt64, firstBad: [UInt8]) {
        self.good = good
        self.bad = bad
        self.missing = missing
        self.outOfOrder = outOfOrder
        self.firstBad = firstBad
    }
}

extension LoadGenerator {
    /// Expects copies at the destination with the given number from now on.
    public func expect(_ destination: SinkDestination, at number: Int) {
        var record = loadgen_destination()
        withUnsafeMutableBytes(of: &record.ethernet) {
            $0.copyBytes(from: destination.destinationMAC.bytes + destination.sourceMAC.bytes)
        }
        record.source = destination.source.words.3
        record.destination = destination.destination.words.3
        record.vlans =
            UInt32(destination.vlans.first ?? 0) << 16 | UInt32(destination.vlans.count > 1 ? destination.vlans[1] : 0)
        record.interface_index = destination.interfaceIndex
        record.flow = destination.flow
        record.ttl = destination.timeToLive
        record.tos = destination.trafficClass
        record.in_use = 1
        destinations[number].pointee = record
    }

    /// UDP packets over IPv4 that checking sinks know no destination for: copies that nobody rewrote, among others.
    public var strays: UInt64 { (0..<totals.count).reduce(0) { $0 + totals[$1].pointee.strays } }

    /// The result at the destination with the given number since `expect`.
    public func result(at number: Int) -> SinkResult {
        let record = destinations[number].pointee
        return SinkResult(
            good: record.good, bad: record.bad, missing: record.missing, outOfOrder: record.out_of_order,
            firstBad: withUnsafeBytes(of: record.first_bad, Array.init))
    }
}
