// A body that is one object, or an array of such objects.

/// One value, or several.
public enum OneOrMany<Value: Decodable & Sendable>: Decodable, Sendable {
    case one(Value)
    case many([Value])

    public init(from decoder: any Decoder) throws {
        if var array = try? decoder.unkeyedContainer() {
            var values: [Value] = []
            while !array.isAtEnd { values.append(try array.decode(Value.self)) }
            self = .many(values)
        } else {
            self = .one(try Value(from: decoder))
        }
    }
}
