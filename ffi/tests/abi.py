#!/usr/bin/env python3
"""abi.py: is the ABI the one that was committed? Functions with their arguments, numbers of enums and constants, and the size
of every struct with the offset and size of each field, as a C compiler sees the headers.

    abi.py            # exit 1 where ffi/abi.txt says otherwise, and show the difference
    abi.py --update   # write ffi/abi.txt
    abi.py --symbols  # only the names of the functions

A change of what stands there breaks programs that were built before: raise VIGIE_ABI_VERSION with it. What is only added at the
end of the list of functions or of an enum does not.
"""
import difflib
import os
import pathlib
import re
import subprocess
import sys
import tempfile

FFI = pathlib.Path(__file__).resolve().parent.parent
INCLUDE = FFI / "include"
HEADERS = sorted(p for p in (INCLUDE / "vigie").glob("*.h") if p.name != "vigie.h")


def text():
    """All headers, without comments and preprocessor."""
    out = []
    for header in HEADERS:
        source = re.sub(r"/\*.*?\*/", "", header.read_text(), flags=re.S)
        source = re.sub(r"//[^\n]*", "", source)
        out.append(source)
    return "\n".join(out)


def functions(source):
    source = "\n".join(line for line in source.splitlines() if not line.lstrip().startswith("#"))
    found = re.findall(r"^((?:const )?\w+ \**vigie_\w+\([^;{]*?\));", source, flags=re.M)
    return sorted(re.sub(r"\s+", " ", f).replace("struct ", "") for f in found)


def structs(source):
    for name, body in re.findall(r"typedef struct (\w+) \{(.*?)\n\} \1;", source, flags=re.S):
        fields = []
        for field in re.sub(r"\s+", " ", body).split(";"):
            callback = re.search(r"\(\*(\w+)\)\(", field)
            plain = re.search(r"(\w+)(?:\[\w+\])?\s*$", field.strip())
            if callback or plain:
                fields.append((callback or plain).group(1))
        yield name, fields


def enums(source):
    for body in re.findall(r"^enum \w+.*?\{(.*?)\n\};", source, flags=re.S | re.M):
        yield from re.findall(r"(VIGIE_\w+) = ", body)
    yield from re.findall(r"#define (VIGIE_(?!H_)\w+) \d+", source)


def layout(source):
    lines = ["#include <stddef.h>", "#include <stdio.h>", "#include <vigie/vigie.h>", "int main(void) {"]
    for name, fields in structs(source):
        lines.append(f'printf("struct %s %zu\\n", "{name}", sizeof({name}));')
        for field in fields:
            member = f"(({name} *)0)->{field}"
            lines.append(f'printf("  %s at %zu, %zu\\n", "{field}", offsetof({name}, {field}), sizeof({member}));')
    for name in enums(source):
        lines.append(f'printf("%s = %lld\\n", "{name}", (long long){name});')
    lines.append("return 0; }")
    with tempfile.TemporaryDirectory() as work:
        c, exe = os.path.join(work, "abi.c"), os.path.join(work, "abi")
        pathlib.Path(c).write_text("\n".join(lines))
        subprocess.run([os.environ.get("CC", "cc"), "-std=c11", f"-I{INCLUDE}", c, "-o", exe], check=True)
        return subprocess.run([exe], check=True, capture_output=True, text=True).stdout


def main():
    source = text()
    names = functions(source)
    if "--symbols" in sys.argv:
        print("\n".join(re.search(r"(vigie_\w+)\(", f).group(1) for f in names))
        return 0
    now = "\n".join(names) + "\n\n" + layout(source)
    committed = FFI / "abi.txt"
    if "--update" in sys.argv:
        committed.write_text(now)
        return 0
    before = committed.read_text() if committed.exists() else ""
    difference = list(difflib.unified_diff(before.splitlines(), now.splitlines(), "abi.txt", "headers", lineterm="", n=1))
    if difference:
        print("\n".join(difference))
        print("the ABI is another: raise VIGIE_ABI_VERSION where programs would break, then ffi/tests/abi.py --update")
        return 1
    print(f"abi: {len(names)} functions, {sum(1 for _ in structs(source))} structs as committed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
