// Fingerprints as people write them.

import Authentication
import Testing

@Suite("Fingerprints of certificates") struct CertificateFingerprintTests {
    private let digits = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

    @Test("C-23: of nothing, it is the SHA-256 of nothing; colons and capitals do not matter")
    func forms() throws {
        let empty = CertificateFingerprint(of: [])
        #expect(empty.description.hasPrefix("E3:B0:C4:42:98") && empty.description.hasSuffix(":B8:55"))
        for text in [digits, digits.uppercased(), empty.description, empty.description.lowercased()] {
            #expect(CertificateFingerprint(text) == empty)
        }
        #expect(CertificateFingerprint(of: [0]) != empty)
    }

    @Test("Anything else is none")
    func others() {
        for text in ["", "ab", String(digits.dropLast()), digits + "0", "g" + digits.dropFirst(), "ab:" + digits] {
            #expect(CertificateFingerprint(text) == nil)
        }
        #expect(CertificateFingerprint(digits.map { "\($0)" }.joined(separator: ":")) == nil)
    }
}
