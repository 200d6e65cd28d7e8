// One form of JSON for the control API and for `--json`: sorted keys, so that equal values give equal bytes.

import AgentSupport
public import FoundationEssentials
public import Routing

/// Encodes and decodes the project's JSON.
public enum JSONText {
    /// The JSON of `value`, on one line, or indented for reading.
    public static func encode(_ value: some Encodable, pretty: Bool = false) throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        if pretty { encoder.outputFormatting.insert(.prettyPrinted) }
        return try encoder.encode(value)
    }

    /// The value whose JSON is `bytes`. Throws a `RoutingError` of code `invalid` that says what is wrong with it.
    public static func decode<Value: Decodable>(
        _ type: Value.Type, from bytes: some Sequence<UInt8>
    ) throws(RoutingError) -> Value {
        let data = Data(bytes)
        guard depth(of: data) <= deepest else {
            throw RoutingError(
                .invalid, "the JSON has arrays or objects in more than \(deepest) others; nothing here needs that")
        }
        do {
            return try JSONDecoder().decode(type, from: data)
        } catch let error as SpecificationError {
            throw RoutingError(error)
        } catch let error as DecodingError {
            throw RoutingError(.invalid, text(of: error))
        } catch {
            throw RoutingError(.invalid, "the JSON cannot be read: \(ErrorText.of(error))")
        }
    }

    /// In how many others an array or object may stand.
    private static let deepest = 32

    /// The number of others in which the innermost array or object is nested, looked at before anything is decoded: the
    /// decoder recurses.
    static func depth(of bytes: some Sequence<UInt8>) -> Int {
        var (depth, most) = (0, 0)
        var (isText, isEscaped) = (false, false)
        for byte in bytes {
            if isText {
                if isEscaped {
                    isEscaped = false
                } else if byte == UInt8(ascii: "\\") {
                    isEscaped = true
                } else if byte == UInt8(ascii: "\"") {
                    isText = false
                }
                continue
            }
            switch byte {
            case UInt8(ascii: "\""): isText = true
            case UInt8(ascii: "["), UInt8(ascii: "{"):
                depth += 1
                most = max(most, depth)
            case UInt8(ascii: "]"), UInt8(ascii: "}"): depth -= 1
            default: break
            }
        }
        return most
    }

    private static func text(of error: DecodingError) -> String {
        func place(_ path: [any CodingKey]) -> String {
            let names = path.map { $0.intValue.map { "[\($0)]" } ?? $0.stringValue }
            return names.isEmpty ? "the JSON" : names.joined(separator: ".")
        }
        switch error {
        case .keyNotFound(let key, let context):
            return "\(place(context.codingPath)) has no '\(key.stringValue)'; give it"
        case .typeMismatch(_, let context), .valueNotFound(_, let context):
            return "\(place(context.codingPath)) is of the wrong type: \(context.debugDescription)"
        case .dataCorrupted(let context):
            return "\(place(context.codingPath)) cannot be read: \(context.debugDescription)"
        @unknown default:
            return "the JSON cannot be read"
        }
    }
}
