// The list of formats.

import Qualification

/// A format as it is listed.
struct BenchFormat: Hashable, Encodable {
    var name: String
    var frameBytes: Int
    var packetsPerSecond: Double
    var bitsPerSecond: Double
    var summary: String

    /// All, in the order of their standards.
    static let all = MediaFormat.all.map { format in
        BenchFormat(
            name: format.name, frameBytes: format.frameLength, packetsPerSecond: format.packetRate.perSecond,
            bitsPerSecond: format.wireRate, summary: format.summary)
    }

    /// The list as text.
    static func table(colour: Bool) -> String {
        var table = Table([
            .left("FORMAT"), .right("FRAME"), .right("PACKETS/S"), .right("ON THE WIRE"), .left("WHAT IT IS"),
        ])
        for format in all {
            table.add([
                .init(format.name), "\(format.frameBytes) B",
                .init(Quantity.packetRate(format.packetsPerSecond)), .init(Quantity.bitRate(format.bitsPerSecond)),
                .init(format.summary),
            ])
        }
        return table.text(colour: colour)
    }
}
