// The configuration file that is meant when none is named.

import FoundationEssentials
import Glibc
import Node

/// Chooses and reads the configuration file.
enum ConfigurationChoice {
    /// The configuration of `file`, or of the default file if it is there, or the default configuration; and the absolute path of the
    /// file that it came from. With `checksFiles`, the files that it names must be fit to be used.
    static func load(
        _ file: String?, checksFiles: Bool = false
    ) throws(ConfigurationError) -> (configuration: NodeConfiguration, file: String?) {
        guard
            let path = file ?? (access(NodeConfiguration.defaultPath, F_OK) == 0 ? NodeConfiguration.defaultPath : nil)
        else { return (NodeConfiguration(), nil) }
        return (try ConfigurationFile.load(path, checksFiles: checksFiles), absolute(path))
    }

    /// A configuration to start with, and the problem of the file where that is not its own.
    struct Start {
        var configuration: NodeConfiguration
        var file: String?
        var problem: ConfigurationError?
    }

    /// The configuration for a daemon's start. While the host is up, a node whose file has been broken since starts with what it ran with
    /// before: signalling is not to end with a slip of the pen.
    static func start(_ file: String?) throws(ConfigurationError) -> Start {
        do {
            let (configuration, path) = try load(file, checksFiles: true)
            return Start(configuration: configuration, file: path)
        } catch {
            let path = absolute(file ?? NodeConfiguration.defaultPath)
            let text = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
            let last = LastConfiguration(ofFile: text, environment: ProcessInfo.processInfo.environment)
            guard let configuration = last.load(as: path) else { throw error }
            return Start(configuration: configuration, file: path, problem: error)
        }
    }

    private static func absolute(_ path: String) -> String {
        guard !path.hasPrefix("/"), let directory = getcwd(nil, 0) else { return path }
        defer { free(directory) }
        return String(cString: directory) + "/" + path
    }
}
