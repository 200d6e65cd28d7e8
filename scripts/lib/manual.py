#!/usr/bin/env python3
"""Makes the manual pages of the package from the texts of --help and of docs/configuration.md.

    manual.py MDOC-FOLDER OUTPUT-FOLDER --date DATE --version VERSION --yaml docs/configuration.md

MDOC-FOLDER has what swift-argument-parser's generate-manual made of `crosspoint`, a page for each command. What these pages lack is
added: names with hyphens (crosspoint-route-add.1), the date of the source instead of the day's, columns and examples kept as they are
in --help, exit codes, pages that lead back. The daemon, `crosspoint run`, is in section 8; the configuration file in section 5.
"""

import argparse
import datetime
import pathlib
import re
import subprocess

HEADINGS = re.compile(r"^[A-Z][A-Z &-]+$")
SECTIONS = {"run": 8, "hold": 8}


def section(words):
    """The section of a command's page."""
    return SECTIONS.get(words[0], 1) if words else 1


def escape(text):
    """The text for mdoc: a line that begins with a control character is none."""
    text = text.replace("\\", "\\e")
    return "\\&" + text if text.startswith((".", "'")) else text


def description(lines):
    """Prose as paragraphs, indented lines as they are, capital lines as headings."""
    result = []
    literal = []

    def end_literal():
        while literal and not literal[-1].strip():
            literal.pop()
        if literal:
            result.extend([".Bd -literal -offset 2n", *map(escape, literal), ".Ed"])
            literal.clear()

    for line in lines:
        if line.startswith("  ") or (literal and not line.strip()):
            literal.append(line[2:])
            continue
        end_literal()
        if not line.strip():
            if result and result[-1] not in (".Pp",) and not result[-1].startswith(".Sh"):
                result.append(".Pp")
        elif HEADINGS.match(line):
            if result and result[-1] == ".Pp":
                result.pop()
            result.append(f'.Sh "{line.strip()}"')
        else:
            result.append(escape(line))
    end_literal()
    while result and result[-1] == ".Pp":
        result.pop()
    # A literal block is a paragraph already.
    return [line for index, line in enumerate(result) if not (line == ".Pp" and result[index + 1].startswith(".Bd"))]


def page(source, words, date, children):
    """The page of one command."""
    lines = source.splitlines()
    start = lines.index(".Sh DESCRIPTION") + 1 if ".Sh DESCRIPTION" in lines else None
    name = "-".join(["crosspoint", *words])
    result = [f".Dd {date.strftime('%B')} {date.day}, {date.year}", f".Dt {name.upper()} {section(words)}", ".Os Crosspoint"]
    head = lines[lines.index(".Sh NAME") : start - 1 if start else lines.index('.Sh "EXIT STATUS"')]
    head = [line for line in head if line != ".Op Fl -version" or not words]
    # whatis(1) finds a page by its name; the command is written with spaces.
    result += [f".Nm {name}" if line.startswith(".Nm ") else line for line in head]
    result[result.index(".Nm", result.index(".Sh SYNOPSIS"))] = f'.Nm "{" ".join(["crosspoint", *words])}"'
    rest = lines[start:] if start else head[len(head) :]
    options_at = next((i for i, line in enumerate(rest) if line.startswith(".Bl ")), len(rest))
    options_end = next((i for i, line in enumerate(rest) if line == '.Sh "EXIT STATUS"'), len(rest))
    body = description(rest[:options_at])
    first = next((i for i, line in enumerate(body) if line.startswith(".Sh")), len(body))
    result.append(".Sh DESCRIPTION")
    result += body[:first] or [".Nm"]
    if options_at < options_end:
        result += ['.Sh OPTIONS', *rest[options_at:options_end]]
    result += body[first:]
    if not any("EXIT CODES" in line for line in body):
        result += ['.Sh "EXIT CODES"', "See", ".Xr crosspoint 1 ."]
    related = [words[:-1]] if words else []
    related += children
    seen = [f".Xr {'-'.join(['crosspoint', *other])} {section(other)}" for other in related]
    if not words or words[0] in ("run", "config"):
        seen.append(".Xr crosspoint.yaml 5")
    if seen:
        result += ['.Sh "SEE ALSO"', *[line + " ," for line in seen[:-1]], seen[-1]]
    return name, "\n".join(result) + "\n"


def main():
    """Writes all pages."""
    parser = argparse.ArgumentParser()
    parser.add_argument("mdoc", type=pathlib.Path)
    parser.add_argument("output", type=pathlib.Path)
    parser.add_argument("--date", required=True, type=datetime.datetime.fromisoformat)
    parser.add_argument("--version", required=True)
    parser.add_argument("--yaml", required=True, type=pathlib.Path)
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    commands = sorted(path.name.split(".")[1:-1] for path in options.mdoc.glob("crosspoint*.1"))
    # `crosspoint help` explains itself.
    commands = [words for words in commands if words != ["help"]]
    for words in commands:
        source = (options.mdoc / ".".join(["crosspoint", *words, "1"])).read_text()
        children = [other for other in commands if other[:-1] == words and other]
        name, text = page(source, words, options.date, children)
        (options.output / f"{name}.{section(words)}").write_text(text)
    markdown = options.yaml.read_text().split("\n", 1)[1]
    markdown = "# NAME\n\ncrosspoint.yaml - the configuration of a Crosspoint node\n\n# DESCRIPTION\n" + markdown
    # What the package has as files is named by its place.
    markdown = re.sub(r"\]\(([a-z-]+\.md)(#[a-z0-9-]*)?\)", r"](/usr/share/doc/crosspoint/\1)", markdown)
    subprocess.run(
        ["lowdown", "-s", "-Tman", "-M", "title=crosspoint.yaml", "-M", "section=5", "-M", f"date={options.date.date()}",
         "-M", f"source=Crosspoint {options.version}", "-o", str(options.output / "crosspoint.yaml.5")],
        input=markdown, text=True, check=True)


if __name__ == "__main__":
    main()
