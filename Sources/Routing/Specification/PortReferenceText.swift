// The text of a port and the VLANs on it: `eth0`, `eth0.100`, `eth0.100.200`.

extension PortReference: CustomStringConvertible {
    /// Reads the part behind the `@` of an endpoint.
    ///
    /// Up to two last parts that are numbers from 1 to 4094 are VLAN identifiers, outer first; every other dot belongs to
    /// the interface's name.
    public init(_ text: String) throws(SpecificationError) { try self.init(text: text, of: nil) }

    /// The same, for an endpoint whose whole text is `context`.
    init(text: String, of context: String?) throws(SpecificationError) {
        var parts = text.split(separator: ".", omittingEmptySubsequences: false)
        var vlans: [UInt16] = []
        while parts.count > 1, vlans.count < 2, let last = parts.last, let vlan = Self.vlan(last) {
            vlans.insert(vlan, at: 0)
            parts.removeLast()
        }
        let interface = parts.joined(separator: ".")
        if let problem = Self.problem(interface: interface) {
            throw SpecificationError(
                .interface, interface, of: context, problem,
                remedy: "write the name as 'ip link' shows it, eth0 or eth0.100")
        }
        self.init(interface: interface, vlans: vlans)
    }

    private static func vlan(_ text: Substring) -> UInt16? {
        guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), !text.hasPrefix("0"), let number = UInt16(text),
            (1...4094).contains(number)
        else { return nil }
        return number
    }

    /// The objection of the kernel (`dev_valid_name`) or of the grammar of endpoints to a name.
    private static func problem(interface: String) -> String? {
        if interface.isEmpty { return "is empty" }
        if interface.utf8.count > 15 { return "is longer than the 15 bytes that Linux allows" }
        if interface == "." || interface == ".." { return "cannot be an interface's name" }
        let forbidden = interface.utf8.first { $0 <= 0x20 || $0 == 0x7f || Array("/:@=[]'\"".utf8).contains($0) }
        return forbidden == nil ? nil : "has a character that no interface's name may have"
    }

    public var description: String {
        ([interface] + vlans.map(String.init)).joined(separator: ".")
    }
}
