//! RTSP 1.0 messages and interleaved framing, RFC 2326.
