#!/usr/bin/env python3
"""Writes Debian's machine-readable copyright file of a program that has the Swift packages, and the Swift runtime, inside.

    copyright.py REPOSITORY CHECKOUTS

CHECKOUTS is the folder of the Swift packages that the build used; each one's own licence and notice files are repeated where Debian has
no common text of them.
"""

import pathlib
import re
import sys

APACHE = "Apache-2.0"
RUNTIME = """\
Files: usr/bin/crosspoint
Comment: the Swift runtime, Dispatch and Foundation with ICU, linked statically
Copyright: 2014-2026 Apple Inc. and the Swift project authors
 2016-2026 Unicode, Inc.
License: Apache-2.0-with-runtime-library-exception and Unicode-3.0
"""
EXCEPTION = """\
License: Apache-2.0-with-runtime-library-exception
 The Apache License, Version 2.0: /usr/share/common-licenses/Apache-2.0, with this exception:
 As an exception, if you use this Software to compile your source code and portions of this Software are embedded into the binary
 product as a result, you may redistribute such product without providing attribution as would otherwise be required by Sections 4(a),
 4(b) and 4(d) of the License.
"""
UNICODE = """\
License: Unicode-3.0
 Permission is hereby granted, free of charge, to any person obtaining a copy of data files and any associated documentation (the "Data
 Files") or software and any associated documentation (the "Software") to deal in the Data Files or Software without restriction,
 including without limitation the rights to use, copy, modify, merge, publish, distribute, and/or sell copies of the Data Files or
 Software, and to permit persons to whom the Data Files or Software are furnished to do so, provided that either (a) this copyright and
 permission notice appear with all copies of the Data Files or Software, or (b) this copyright and permission notice appear in
 associated Documentation.
 .
 THE DATA FILES AND SOFTWARE ARE PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE
 WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT OF THIRD PARTY RIGHTS. IN NO EVENT SHALL THE
 COPYRIGHT HOLDER OR HOLDERS INCLUDED IN THIS NOTICE BE LIABLE FOR ANY CLAIM, OR ANY SPECIAL INDIRECT OR CONSEQUENTIAL DAMAGES, OR ANY
 DAMAGES WHATSOEVER RESULTING FROM LOSS OF USE, DATA OR PROFITS, WHETHER IN AN ACTION OF CONTRACT, NEGLIGENCE OR OTHER TORTIOUS ACTION,
 ARISING OUT OF OR IN CONNECTION WITH THE USE OR PERFORMANCE OF THE DATA FILES OR SOFTWARE.
 .
 Except as contained in this notice, the name of a copyright holder shall not be used in advertising or otherwise to promote the sale,
 use or other dealings in these Data Files or Software without prior written authorization of the copyright holder.
"""


def folded(text):
    """The text as the continuation of a field."""
    return "\n".join(" " + line.rstrip() if line.strip() else " ." for line in text.strip("\n").splitlines())


def files(folder, pattern):
    """The files at the top of a package whose names begin so."""
    return sorted(path for path in folder.iterdir() if path.is_file() and re.match(pattern, path.name, re.IGNORECASE))


def package(folder):
    """The paragraph of a package, and the paragraph of a licence that Debian has no text of."""
    licences = files(folder, r"licen[cs]e")
    if not licences:
        sys.exit(f"{folder}: no licence file")
    text = "\n".join(path.read_text(errors="replace") for path in licences)
    notices = "\n".join(path.read_text(errors="replace") for path in files(folder, "notice"))
    holders = sorted(set(re.findall(r"^\W*(?:Copyright\s+(?:\(c\)\s+|©\s+)?)(\d{4}.*\S)", text + "\n" + notices, re.I | re.M)))
    holders = [holder for holder in holders if "[" not in holder] or ["the authors of " + folder.name]
    is_apache = "Apache License" in text and "Version 2.0" in text
    name = APACHE if is_apache else f"{folder.name}-licence"
    paragraph = [
        "Files: usr/bin/crosspoint", f"Comment: Swift package {folder.name}", "Copyright: " + "\n ".join(holders), f"License: {name}"]
    if notices:
        paragraph[1] += "\n" + folded(notices)
    return "\n".join(paragraph) + "\n", None if is_apache else f"License: {name}\n{folded(text)}\n"


def main():
    """Prints the file."""
    repository, checkouts = map(pathlib.Path, sys.argv[1:])
    if "Apache License" not in (repository / "LICENSE").read_text():
        sys.exit("LICENSE: not the Apache License, which this file says")
    paragraphs = [
        "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\nUpstream-Name: crosspoint\n",
        f"Files: *\nCopyright: 2026 the Crosspoint authors\nLicense: {APACHE}\n",
        "Files: usr/bin/crosspoint\nComment: the BPF programs, which are inside\n"
        "Copyright: 2026 the Crosspoint authors\nLicense: BSD-2-Clause or GPL-2.0\n", RUNTIME]
    licences = [
        f"License: {APACHE}\n On Debian systems the text is in /usr/share/common-licenses/Apache-2.0.\n",
        "License: GPL-2.0\n On Debian systems the text is in /usr/share/common-licenses/GPL-2.\n",
        "License: BSD-2-Clause\n" + folded((repository / "bpf/LICENSE.BSD-2-Clause").read_text()) + "\n", EXCEPTION, UNICODE]
    for folder in sorted(path for path in checkouts.iterdir() if path.is_dir()):
        paragraph, licence = package(folder)
        paragraphs.append(paragraph)
        if licence:
            licences.append(licence)
    print("\n".join(paragraphs + licences), end="")


if __name__ == "__main__":
    main()
