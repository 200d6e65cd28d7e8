// Errors of libraries as people read them.

import Glibc
import NIOCore
import NIOPosix
import NIOSSL

/// Texts for the errors that sockets and TLS throw: one phrase each, without names of types, error stacks and places in a library's source.
public enum ErrorText {
    /// The phrase for an error. That of an error which describes itself is its own.
    public static func of(_ error: any Error) -> String {
        switch error {
        case let error as IOError: system(error.errnoCode)
        case let error as ChannelError: channel(error)
        case let error as NIOConnectionError:
            error.connectionErrors.last.map { of($0.error) } ?? "the name has no address that could be tried"
        case let error as NIOSSLError: tls(error)
        case let error as BoringSSLError: tls(error)
        case let error as NIOSSLExtraError: tls(error)
        case is NIOSSLCloseTimedOutError: "the peer does not end TLS"
        case let error as any CustomStringConvertible: firstLine(error.description)
        default: "an unexpected error (\(type(of: error)))"
        }
    }

    private static func system(_ code: CInt) -> String { String(cString: strerror(code)) }

    private static func firstLine(_ text: String) -> String {
        text.split(whereSeparator: \.isNewline).first.map(String.init) ?? "an unexpected error"
    }

    private static func channel(_ error: ChannelError) -> String {
        switch error {
        case .connectTimeout: "no answer to the connection"
        case .eof, .inputClosed, .outputClosed, .ioOnClosedChannel, .alreadyClosed: "the connection is closed"
        case .writeMessageTooLarge: system(EMSGSIZE)
        case .writeHostUnreachable: system(EHOSTUNREACH)
        default: "the connection cannot be used"
        }
    }

    // MARK: TLS

    private static let distrust =
        "its certificate is not trusted: it has expired, or ca-file does not have its authority"

    private static func tls(_ error: NIOSSLError) -> String {
        switch error {
        case .handshakeFailed(let error), .shutdownFailed(let error): tls(error)
        case .noSuchFilesystemObject: system(ENOENT)
        case .failedToLoadCertificate: "has no certificate in PEM"
        case .failedToLoadPrivateKey: "has no private key in PEM"
        case .noCertificateToValidate: "the peer shows no certificate"
        case .unableToValidateCertificate: distrust
        case .uncleanShutdown: "the connection ends without an end of TLS"
        default: "TLS cannot go on"
        }
    }

    private static func tls(_ error: BoringSSLError) -> String {
        switch error {
        case .sslError(let stack), .unknownError(let stack), .invalidSNIName(let stack), .failedToSetALPN(let stack):
            // The first says what was wrong, those after it where that was noticed.
            stack.first.map { tls($0) } ?? "TLS cannot go on"
        case .syscallError, .zeroReturn: "the connection ends within TLS"
        default: "TLS cannot go on"
        }
    }

    private static func tls(_ error: BoringSSLInternalError) -> String {
        if error == .eofDuringHandshake || error == .eofDuringAdditionalCertficiateChainValidation {
            return "the peer closes the connection while TLS begins"
        }
        // Error: N error:N:library:function:REASON at file:line
        let parts = error.description.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count > 5, let reason = parts[5].split(separator: " ").first else { return "TLS cannot go on" }
        return phrases[String(reason)] ?? phrase(of: String(reason))
    }

    private static let phrases = [
        "CERTIFICATE_VERIFY_FAILED": distrust,
        "WRONG_VERSION_NUMBER": "what answers there is not TLS",
        "HTTP_REQUEST": "what comes there is HTTP, not TLS",
        "KEY_VALUES_MISMATCH": "the private key does not belong to the certificate",
        "NO_START_LINE": "there is nothing in PEM",
        "UNSUPPORTED_PROTOCOL": "no common version of TLS",
        "NO_SHARED_CIPHER": "no common cipher",
        "SYS_LIB": "the file cannot be read",
        "NO_SUCH_FILE": system(ENOENT),
        "TLSV1_ALERT_UNKNOWN_CA": "the peer does not know the authority of this node's certificate",
        "SSLV3_ALERT_BAD_CERTIFICATE": "the peer refuses this node's certificate",
        "SSLV3_ALERT_CERTIFICATE_UNKNOWN": "the peer refuses this node's certificate",
        "SSLV3_ALERT_CERTIFICATE_EXPIRED": "the peer says that this node's certificate has expired",
        "TLSV1_CERTIFICATE_REQUIRED": "the peer wants a certificate of this node",
        "TLSV13_CERTIFICATE_REQUIRED": "the peer wants a certificate of this node",
        "SSLV3_ALERT_HANDSHAKE_FAILURE": "the peer refuses the versions and ciphers of this node",
        "TLSV1_ALERT_PROTOCOL_VERSION": "the peer refuses the versions of TLS of this node",
    ]

    /// A reason that has no phrase: its own words.
    private static func phrase(of reason: String) -> String {
        guard !reason.isEmpty, reason.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else { return "TLS cannot go on" }
        return "TLS: " + reason.lowercased().replacing("_", with: " ")
    }

    private static func tls(_ error: NIOSSLExtraError) -> String {
        switch error {
        case .failedToValidateHostname: "its certificate is for another name"
        case .serverHostnameImpossibleToMatch, .invalidSNIHostname: "no certificate can be for that name"
        case .cannotUseIPAddressInSNI: "an address cannot be named in TLS"
        case .unknownPrivateKeyFileType: "has no private key in PEM"
        default: "TLS cannot go on"
        }
    }
}
