#!/usr/bin/env python3
"""python.py: an H.264 or H.265 elementary stream to fragmented MP4, through libvigie by ctypes. Nothing to install.

    python3 python.py input.h264 output.mp4

LIBVIGIE names the library where the system does not find it. ffi/docs/python.md explains what is done here.
"""
import ctypes as c
import os
import sys

OK, AGAIN, END = 0, 1, 2
ABI = 1


class Slice(c.Structure):
    _fields_ = [("bytes", c.c_void_p), ("len", c.c_size_t)]


class Piece(c.Structure):
    _fields_ = [("struct_size", c.c_size_t), ("kind", c.c_int32), ("samples", c.c_uint32),
                ("slices", c.POINTER(Slice)), ("slice_count", c.c_size_t), ("dts", c.c_int64), ("pts", c.c_int64),
                ("duration", c.c_uint64), ("utc", c.c_int64), ("utc_end", c.c_int64), ("utc_error", c.c_uint32),
                ("utc_source", c.c_int32), ("flags", c.c_uint32), ("epoch", c.c_uint32), ("width", c.c_uint32),
                ("height", c.c_uint32), ("codec_string", c.c_char_p)]


class Error(c.Structure):
    _fields_ = [("struct_size", c.c_size_t), ("result", c.c_int32), ("code", c.c_uint32), ("blame", c.c_int32),
                ("sequence", c.c_int32), ("offset", c.c_int64), ("timestamp", c.c_int64), ("ssrc", c.c_int64),
                ("cseq", c.c_int64), ("camera", c.c_char * 132), ("text", c.c_char * 320)]


class VigieError(Exception):
    pass


def load():
    lib = c.CDLL(os.environ.get("LIBVIGIE", "libvigie.so.0.1"))
    lib.vigie_result_text.restype = c.c_char_p
    lib.vigie_remuxer_new.argtypes = [c.c_void_p, c.POINTER(c.c_void_p)]
    lib.vigie_remuxer_push.argtypes = [c.c_void_p, c.c_char_p, c.c_size_t]
    lib.vigie_remuxer_finish.argtypes = [c.c_void_p]
    lib.vigie_remuxer_pull.argtypes = [c.c_void_p, c.POINTER(Piece)]
    lib.vigie_remuxer_error.argtypes = [c.c_void_p, c.POINTER(Error)]
    lib.vigie_remuxer_free.argtypes = [c.c_void_p]
    if lib.vigie_abi_version() != ABI:
        raise VigieError("the library is of another version than this program")
    return lib


class Remuxer:
    """With `with`: the handle is freed at the end."""

    def __init__(self):
        self.lib, self.handle = load(), c.c_void_p()
        self.check(self.lib.vigie_remuxer_new(None, c.byref(self.handle)))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.lib.vigie_remuxer_free(self.handle)

    def check(self, result):
        if result >= OK:
            return result
        error = Error(struct_size=c.sizeof(Error))
        if self.handle and self.lib.vigie_remuxer_error(self.handle, c.byref(error)) == OK and error.text:
            raise VigieError(error.text.decode())
        raise VigieError(self.lib.vigie_result_text(result).decode())

    def push(self, data):
        self.check(self.lib.vigie_remuxer_push(self.handle, data, len(data)))

    def finish(self):
        self.check(self.lib.vigie_remuxer_finish(self.handle))

    def pieces(self):
        """Every piece that is ready: its bytes, copied, for they are lent until the next call; and its pictures."""
        piece = Piece(struct_size=c.sizeof(Piece))
        while self.check(self.lib.vigie_remuxer_pull(self.handle, c.byref(piece))) == OK:
            slices = (piece.slices[i] for i in range(piece.slice_count))
            yield b"".join(c.string_at(s.bytes, s.len) for s in slices), piece.samples


def main():
    if len(sys.argv) != 3:
        print("usage: python.py INPUT.h264|INPUT.h265 OUTPUT.mp4", file=sys.stderr)
        return 2
    pictures = 0
    try:
        with open(sys.argv[1], "rb") as source, open(sys.argv[2], "wb") as out, Remuxer() as remuxer:
            while data := source.read(1 << 16):
                remuxer.push(data)
                for piece, samples in remuxer.pieces():
                    out.write(piece)
                    pictures += samples
            remuxer.finish()
            for piece, samples in remuxer.pieces():
                out.write(piece)
                pictures += samples
    except (OSError, VigieError) as error:
        print(f"python.py: {error}", file=sys.stderr)
        return 1
    print(f"{pictures} pictures")
    return 0


if __name__ == "__main__":
    sys.exit(main())
