// Which configuration file is meant when none is named.

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

    private static func absolute(_ path: String) -> String {
        guard !path.hasPrefix("/"), let directory = getcwd(nil, 0) else { return path }
        defer { free(directory) }
        return String(cString: directory) + "/" + path
    }
}
