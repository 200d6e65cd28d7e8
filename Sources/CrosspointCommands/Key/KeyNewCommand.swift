// `crosspoint key new`.

import ArgumentParser
import Routing
import SRTPKeys

/// Makes a key.
struct KeyNewCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "new", abstract: "Make a key of random bytes.",
        discussion: """
            The other end needs the same: its file is the key's name in the directory of keys. With --link it is a link key, from which \
            two nodes derive what every flow between them needs (see 'crosspoint link').

            EXAMPLES
              crosspoint key new decoder1 --profile AEAD_AES_256_GCM
              crosspoint key new wan --link
            """)

    @Argument(help: "The key's name.")
    var name: String

    @Option(name: .long, help: ArgumentHelp("What packets are protected with.", valueName: "profile"))
    var profile = SRTPProfile.aeadAES128GCM.rawValue

    @Flag(name: .long, help: "Make a link key.")
    var link = false

    @Flag(name: .long, help: "Replace the key if there is one of the name.")
    var force = false

    @OptionGroup var files: KeyFileOptions
    @OptionGroup var output: OutputOptions

    func run() throws {
        let profile = try SRTPProfile(profile, setting: "profile")
        guard try force || !files.exists(name) else {
            throw CommandError("key \(name): there is one in \(files.directory); choose another name, or use --force")
        }
        let key = try Self.make(profile, link: link)
        try files.save(key, as: name)
        try output.print(KeyReport(name, key)) {
            "\(link ? "link key" : "key") \(name) (\(profile.rawValue)) made in \(files.directory)\n"
        }
    }

    static func make(_ profile: SRTPProfile, link: Bool) throws -> KeyMaterial {
        do {
            if link { return .link(try .random(profile)) }
            var generator = SystemRandomNumberGenerator()
            func bytes(_ count: Int) -> [UInt8] {
                (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
            }
            return .srtp([
                try SRTPKey(
                    profile, masterKey: bytes(profile.masterKeyLength), masterSalt: bytes(profile.masterSaltLength))
            ])
        } catch { throw CommandError("the new key \(error)") }
    }
}
