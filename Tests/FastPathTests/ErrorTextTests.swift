// Errors of the kernel in words.

import Glibc
import Testing

@testable import FastPath

@Suite("Error texts")
struct ErrorTextTests {
    @Test("Where descriptors run out the text names the remedy, whatever was tried")
    func descriptors() {
        for code in [EMFILE, -EMFILE] {
            #expect(errorText(code) == "Too many open files; raise LimitNOFILE of the service")
        }
        #expect(errorText(ENFILE).hasSuffix("; raise LimitNOFILE of the service"))
        #expect(errorText(EPERM) == "Operation not permitted")
        #expect(!errorText(.min).isEmpty)
    }
}
