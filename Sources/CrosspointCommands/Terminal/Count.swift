// Numbers of things, in words.

/// Writes how many there are of something.
enum Count {
    /// `1 leg`, `2 legs`.
    static func text(_ number: Int, _ thing: String) -> String { "\(number) \(thing)\(number == 1 ? "" : "s")" }
}
