// Compiles the BPF programs with the toolchain's own clang and embeds them in the binary.

import Foundation
import PackagePlugin

@main
struct EmbedBPF: BuildToolPlugin {
    func createBuildCommands(context: PluginContext, target: any Target) throws -> [Command] {
        let package = context.package.directoryURL
        // A link in scripts/sanitizers, whose contents FileManager does not list.
        let folder = package.appending(path: "bpf").resolvingSymlinksInPath()
        let script = package.appending(path: "scripts/embed-bpf")
        let files = try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
            .sorted { $0.path < $1.path }
        let clang = try context.tool(named: "clang").url
        let objcopy = try context.tool(named: "llvm-objcopy").url
        return files.filter { $0.lastPathComponent.hasSuffix(".bpf.c") }.map { source in
            let name = source.lastPathComponent.replacing(".bpf.c", with: "")
            let output = context.pluginWorkDirectoryURL.appending(path: "\(name)-object.swift")
            return .buildCommand(
                displayName: "Compiling \(source.lastPathComponent)",
                executable: script,
                arguments: [clang.path, objcopy.path, source.path, folder.path, name, output.path],
                inputFiles: files + [script],
                outputFiles: [output])
        }
    }
}
