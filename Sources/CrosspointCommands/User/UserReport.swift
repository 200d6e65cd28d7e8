// Report on a user.

import Authentication

/// A user of a realm.
struct UserReport: Encodable, Hashable {
    let user: String
    let realm: String
    /// The algorithms that there are hashes for.
    var algorithms: [DigestAlgorithm]

    /// The users of a file in the order of their first lines.
    static func all(in users: UserDatabase) -> [UserReport] {
        var reports: [UserReport] = []
        var places: [[String]: Int] = [:]
        for key in users.keys {
            if let place = places[[key.user, key.realm]] {
                reports[place].algorithms.append(key.algorithm)
            } else {
                places[[key.user, key.realm]] = reports.count
                reports.append(UserReport(user: key.user, realm: key.realm, algorithms: [key.algorithm]))
            }
        }
        return reports
    }

    static func table(_ reports: [UserReport]) -> Table {
        var table = Table([.left("USER"), .left("REALM"), .left("ALGORITHMS")])
        for report in reports {
            table.add([
                "\(report.user)", "\(report.realm)", "\(report.algorithms.map(\.rawValue).joined(separator: ", "))",
            ])
        }
        return table
    }
}
