// Checks that are made before a request is carried out (RFC 3261 section 8.2).

/// The features that a user agent server understands.
public struct RequestPolicy: Hashable, Sendable {
    /// The methods that are served, as Allow lists them.
    public var methods: [SIPMethod]
    /// The option tags that are understood, as Supported lists them.
    public var extensions: [String]
    /// The types of bodies that are understood, lower case, as Accept lists them; other methods than INVITE, UPDATE,
    /// PRACK and ACK may carry any.
    public var bodyTypes: [String]

    public init(methods: [SIPMethod], extensions: [String], bodyTypes: [String] = ["application/sdp"]) {
        self.methods = methods
        self.extensions = extensions
        self.bodyTypes = bodyTypes
    }

    public var allow: String { methods.map(\.name).joined(separator: ", ") }
    public var supported: String { extensions.joined(separator: ", ") }
    public var accept: String { bodyTypes.joined(separator: ", ") }

    /// The fields that tell a peer what is understood, as the answer to OPTIONS has them (section 11.2).
    public var capabilities: SIPHeaders {
        ["Allow": allow, "Accept": accept, "Accept-Encoding": "identity", "Supported": supported]
    }

    /// The answer to a request that cannot be carried out, in the order of section 8.2; nil where it can be.
    /// ACK and CANCEL are never refused here.
    public func refusal(of request: SIPRequest) -> SIPRefusal? {
        if request.method == .ack || request.method == .cancel { return nil }
        if request.headers.maxForwards == 0, request.method != .options { return SIPRefusal(.tooManyHops) }
        guard methods.contains(request.method) else {
            let isKnown = SIPMethod.known.contains(request.method)
            return SIPRefusal(isKnown ? .methodNotAllowed : .notImplemented, headers: ["Allow": allow])
        }
        if case .other = request.uri.scheme { return SIPRefusal(.unsupportedURIScheme) }
        let required = request.headers.list("Require") + request.headers.list("Proxy-Require")
        let unsupported = required.filter { tag in !extensions.contains { ASCII.isSame($0, tag) } }
        if !unsupported.isEmpty {
            return SIPRefusal(.badExtension, headers: ["Unsupported": unsupported.joined(separator: ", ")])
        }
        return bodyRefusal(of: request)
    }

    private func bodyRefusal(of request: SIPRequest) -> SIPRefusal? {
        guard [.invite, .update, .prack].contains(request.method) else { return nil }
        let isOptional = request.headers["Content-Disposition"]?.lowercased().contains("handling=optional") == true
        if !request.body.isEmpty, !isOptional {
            let encodings = request.headers.list("Content-Encoding")
            guard encodings.allSatisfy({ ASCII.isSame($0, "identity") }) else {
                return SIPRefusal(.unsupportedMediaType, headers: ["Accept-Encoding": "identity"])
            }
            let type = request.headers.contentType?.name ?? ""
            guard bodyTypes.contains(type) || type.hasPrefix("multipart/") else {
                return SIPRefusal(.unsupportedMediaType, headers: ["Accept": accept])
            }
        }
        // Without Accept a peer takes application/sdp (section 20.1).
        let accepted = request.headers.list("Accept").map { item in
            item.prefix { $0 != ";" && $0 != " " }.lowercased()
        }
        let takesSDP = accepted.contains { ["application/sdp", "application/*", "*/*"].contains($0) }
        if request.method == .invite, !request.headers.all("Accept").isEmpty, !takesSDP {
            return SIPRefusal(.notAcceptable)
        }
        return nil
    }
}
